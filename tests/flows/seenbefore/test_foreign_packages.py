"""Beside somebody's own packages of our names every command answers, and the import says what stands in the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.full_run import FULL
from tests.prefect_server import give_database

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = (sys.executable, "-P", "-c", "import sys; sys.argv[0] = 'seenbefore'; from seenbefore import main; main()")
FOREIGN = "raise RuntimeError('a stranger of the same name was imported')\n"
FILES = {"a module": "data.py", "a package": "data/__init__.py", "several": "models/__init__.py features.py review.py"}
EVERY_FILE = " ".join(FILES.values())
LISTING = "listing_id,seller_id,created_at,image_urls\na1,anna,2026-03-01T12:30:00Z,\n"
LIMIT_S = 600  # a run takes seconds; test machines are busy
LOOK_EVERY_S = 0.2


@pytest.fixture(params=FILES.values(), ids=FILES)
def folder(request, tmp_path):
    """A folder with other people's code in it, and a table of listings."""
    return filled(tmp_path / "project", request.param)


@pytest.fixture(
    **({"params": FILES.values(), "ids": FILES} if FULL else {"params": [EVERY_FILE], "ids": ["everything"]})
)
def crowded(request, tmp_path):
    """All that other people's code at once; in a full run, one after the other."""
    return filled(tmp_path / "project", request.param)


def filled(folder: Path, names: str) -> Path:
    for name in names.split():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(FOREIGN)
    (folder / "listings.csv").write_text(LISTING)
    return folder


def in_folder(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONSAFEPATH", "PYTHONPATH"}}
    environment = {**kept, "SEENBEFORE_HOME": str(folder.parent / "home"), **variables}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT_S
    )


def test_help_and_version_answer(folder):
    assert "Find fraudulent listings" in in_folder(folder, *COMMAND, "--help").stdout
    assert in_folder(folder, *COMMAND, "--version").stdout.startswith("seenbefore ")


@pytest.mark.slow
def test_a_run_scores_and_the_doctor_finds_nothing_bad(crowded, prefect_server):
    give_database(crowded.parent / "home")
    run = in_folder(crowded, *COMMAND, "run", "listings.csv", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["scored"] == 1
    doctor = in_folder(crowded, *COMMAND, "doctor", "--json")
    states = [json.loads(line)["state"] for line in doctor.stdout.splitlines()]
    assert states
    assert "bad" not in states, doctor.stdout


@pytest.mark.slow
def test_the_desk_opens(crowded):
    log = crowded.parent / "desk.log"
    environment = {**os.environ, "SEENBEFORE_HOME": str(crowded.parent / "home")}
    with log.open("w") as out:
        desk = subprocess.Popen(
            [*COMMAND, "review", "--port", "18484"], cwd=crowded, env=environment, stdout=out, stderr=out
        )
    try:
        deadline = time.monotonic() + LIMIT_S
        while "is open" not in log.read_text():
            assert desk.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(LOOK_EVERY_S)
    finally:
        desk.send_signal(signal.SIGTERM)
        desk.wait(LIMIT_S)


def test_where_a_stranger_comes_first_the_import_names_it_and_what_to_do(folder):
    found = in_folder(folder, sys.executable, "-c", "import seenbefore")
    sentence = found.stderr.splitlines()[-1]
    assert found.returncode == 1
    assert sentence.startswith("ImportError: Seenbefore cannot be used here: ")
    assert str(folder) in sentence
    assert "Rename" in sentence


def test_the_command_says_so_in_one_sentence_where_the_path_names_strangers(folder):
    found = in_folder(folder, *COMMAND, "--help", PYTHONPATH=str(folder))
    assert found.returncode == 2
    assert found.stderr.startswith("Error: Seenbefore cannot be used here: ")
    assert len(found.stderr.splitlines()) == 1


def test_a_schedule_finds_its_flow_there_as_prefect_imports_it(crowded):
    script = "from prefect.flows import load_flow_from_entrypoint as load; print(load('seenbefore.run_flow').name)"
    found = in_folder(crowded, sys.executable, "-c", script, PYTHONSAFEPATH="1")
    assert found.stdout.split() == ["seenbefore-run"], found.stderr
