"""Where compiled hashes err, every process finds out: the doctor says so, and rows hold what ImageHash gives."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from data.settings import DecodeSettings
from features.hashing.selfcheck import imagehash_hashes
from models.serving.decoding.worker_pool import Workers
from tests.flows.filled import as_file, photo

if TYPE_CHECKING:
    from pathlib import Path

SABOTAGE = """
    from features.hashing import whash

    right = whash.block_sums
    whash.block_sums = lambda pixels, parts: right(pixels, parts)[::-1]
    open(__file__ + ".done", "w").close()
"""
DOCTOR = "from flows.cli.app import main; main()"


@pytest.fixture
def sabotaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have every Python process that is started from here begin by breaking a kernel, and leave a file when it has."""
    begins_with = tmp_path / "sitecustomize.py"
    begins_with.write_text(textwrap.dedent(SABOTAGE))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    return begins_with.with_name("sitecustomize.py.done")


def test_workers_answer_with_the_bits_of_imagehash(sabotaged: Path) -> None:
    file = as_file(photo(1))
    workers = Workers(DecodeSettings())
    try:
        row = workers.fingerprint(file)
    finally:
        workers.end()
    assert sabotaged.exists()
    expected = imagehash_hashes(Image.open(io.BytesIO(file)))._asdict()
    assert {kind: row[kind] for kind in expected} == expected


def test_the_doctor_names_the_hash_that_differs(sabotaged: Path) -> None:
    command = [sys.executable, "-P", "-c", DOCTOR, "--home", str(sabotaged.with_name("home")), "doctor", "--json"]
    asked = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {finding["check"]: finding for finding in map(json.loads, asked.stdout.splitlines())}
    assert found["hashes"]["state"] == "warn"
    assert "differs from ImageHash (whash)" in found["hashes"]["found"]
    assert "ImageHash makes them" in found["hashes"]["advice"]
