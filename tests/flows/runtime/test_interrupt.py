"""Ctrl-C and `kill` end a command, though it waits for something that never comes, and nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest

from flows.runtime.interrupt import INTERRUPTED

# Starts a child, and goes on waiting after the interrupt, as a run does whose Prefect server is gone.
STUBBORN = """
import subprocess, sys, threading
from flows.runtime.interrupt import ending_soon
with ending_soon(grace_s=float(sys.argv[1])):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    said = False
    while True:
        try:
            # Within the try: whoever reads it may interrupt before the next line is reached.
            if not said:
                said = True
                print(child.pid, flush=True)
            threading.Event().wait(600)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
"""


@contextmanager
def stubborn(grace_s):
    """A process that does not end by itself, and its child."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", STUBBORN, str(grace_s)], **pipes) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        try:
            yield process, child
        finally:
            process.kill()


def ended(process, child):
    """What the process said and its exit code, once it has ended."""
    out, err = process.communicate(timeout=30)
    assert not child.is_running()
    return process.returncode, out, err


def test_what_goes_on_waiting_after_an_interrupt_is_ended_after_a_moment():
    with stubborn(grace_s=0.1) as (process, child):
        os.kill(process.pid, signal.SIGINT)
        code, out, err = ended(process, child)
    assert (code, out) == (INTERRUPTED, "interrupted\n")
    assert err.startswith("Interrupted. What was finished is kept")


@pytest.mark.parametrize("signals", [[signal.SIGINT, signal.SIGINT], [signal.SIGTERM]])
def test_a_second_interrupt_or_a_termination_ends_it_at_once(signals):
    with stubborn(grace_s=600) as (process, child):
        *before, last = signals
        for number in before:
            os.kill(process.pid, number)
            # Two signals of one kind that wait to be delivered are one: the second is sent when the first was heard.
            assert process.stdout.readline() == "interrupted\n"
        os.kill(process.pid, last)
        code, _, err = ended(process, child)
    assert code == 128 + signals[-1]
    assert "Interrupted" in err
