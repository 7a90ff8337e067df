"""Progress: bars at a terminal, a line at each stage's beginning and end elsewhere, nothing for programs."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from data.progress import advance
from flows.cli.progress_bars import bars


def told(*, terminal=False, quiet=False):
    """What a log of two stages and one repeated one says."""
    out = io.StringIO()
    with bars(Console(file=out, force_terminal=terminal, width=100), quiet=quiet):
        advance("reading listings", 500)
        advance("reading listings", 120)
        for _ in range(2):
            advance("downloading", 0, 300)
            advance("downloading", 256, 300)
            advance("downloading", 44, 300)
    return out.getvalue()


def test_a_log_gets_a_line_when_a_stage_begins_and_one_when_it_ends():
    lines = [re.sub(r"[0-9.]+ s$", "… s", line) for line in told().splitlines()]
    downloading = ["downloading: 300 to do", "downloading: 300 done in … s"]
    assert lines == ["reading listings", "reading listings: 620 done in … s", *downloading, *downloading]


def test_a_terminal_gets_one_bar_for_each_time_a_stage_comes():
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", told(terminal=True)).splitlines()[-3:]
    assert [line.split()[0] for line in last] == ["reading", "downloading", "downloading"]
    assert "620/620" in last[0]
    assert all("300/300" in line for line in last[1:])


@pytest.mark.parametrize("terminal", [True, False])
def test_programs_get_nothing(terminal):
    assert told(terminal=terminal, quiet=True) == ""


def test_a_stage_that_fails_is_not_said_to_have_ended():
    out = io.StringIO()
    with pytest.raises(RuntimeError), bars(Console(file=out)):
        advance("downloading", 10, 300)
        raise RuntimeError
    assert out.getvalue().splitlines() == ["downloading: 300 to do"]


def test_nobody_listens_unless_somebody_asked_to():
    advance("downloading", 10, 300)
    assert told().startswith("reading")
