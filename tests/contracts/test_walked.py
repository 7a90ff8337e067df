"""What `tests/benchmarks/walk.py` counts, on code and traces small enough to count by hand."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.benchmarks.walked.calls import Call, Count, Trace, counts, read, staged, visits
from tests.benchmarks.walked.checkout import TRACING

SOURCES = {
    "data/deep.py": "def bottom():\n    return 1\n\n\nclass Thing:\n    def __init__(self):\n        bottom()\n",
    "data/rows.py": "def rows():\n    yield 1\n    yield 2\n",
    "features/sums.py": (
        "from data.deep import Thing, bottom\nfrom data.rows import rows\n\nbottom()\n\n\n"
        "def near():\n    return list(map(lambda _: bottom(), range(2)))\n\n\n"
        "def total():\n    Thing()\n    near()\n    return sum(rows())\n"
    ),
}


@pytest.fixture
def traced(tmp_path):
    """What a process calls that imports a small checkout and asks for a sum, in this thread and in another."""
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).with_name("__init__.py").touch()
        (tmp_path / name).write_text(text)
    (tmp_path / "traces").mkdir()
    told = {"PYTHONPATH": f"{TRACING}:{tmp_path}", "WALK_ROOT": str(tmp_path), "WALK_INTO": str(tmp_path / "traces")}
    program = (
        "import threading\nfrom features.sums import near, total\ntotal()\n"
        "thread = threading.Thread(target=near)\nthread.start()\nthread.join()\n"
    )
    subprocess.run([sys.executable, "-P", "-c", program], env=os.environ | told, check=True)
    return read(tmp_path / "traces").calls


def test_calls_in_all_threads_are_counted_and_those_of_imports_are_not(traced):
    asked = [
        ("features/sums.py", "total"),
        ("data/deep.py", "Thing.__init__"),
        ("data/deep.py", "bottom"),
        ("features/sums.py", "near"),
        *[("features/sums.py", "near.<locals>.<lambda>"), ("data/deep.py", "bottom")] * 2,
        ("data/rows.py", "rows"),
        ("features/sums.py", "near"),
        *[("features/sums.py", "near.<locals>.<lambda>"), ("data/deep.py", "bottom")] * 2,
    ]
    assert [(call.file, call.function) for call in traced] == asked


def test_a_move_leads_from_one_file_of_ours_to_another(traced):
    moves = [call.pair for call in traced if call.is_move]
    assert moves == [
        ("features/sums.py", "total", "data/deep.py", "Thing.__init__"),
        *[("features/sums.py", "near.<locals>.<lambda>", "data/deep.py", "bottom")] * 2,
        ("features/sums.py", "total", "data/rows.py", "rows"),
        *[("features/sums.py", "near.<locals>.<lambda>", "data/deep.py", "bottom")] * 2,
    ]
    assert Count.of(traced) == Count(files=3, moves=6, distinct=3)


def call(at_ns: int, flow: str = "", task: str = "", file: str = "data/b.py") -> Call:
    return Call(at_ns, "1", flow, task, "data/a.py", "a", file, "b")


def test_every_call_from_the_load_to_the_score_has_a_stage():
    calls = [
        call(1, "ingest"),
        call(2, "ingest", "read tables"),
        call(3, "ingest"),  # asks what is due
        call(4, "ingest", "download"),
        call(5),  # a thread of the download
        call(6, "ingest"),  # ends the load
        call(7, "score"),
        call(8, "score", "score"),
        call(11, "score", "score"),
        call(13, "score", "score"),
    ]
    statements = [
        (1, "1", "BEGIN"),
        (10, "1", "BEGIN IMMEDIATE"),
        (11, "2", "BEGIN"),
        (12, "1", "INSERT INTO scores ("),
    ]
    walk = staged(Trace(calls, statements))
    stages = ["load", *["download"] * 4, *["describe, score"] * 2, "store"]
    assert [(stage, one.at_ns) for stage, one in walk] == list(zip(stages, [2, 3, 4, 5, 6, 7, 8, 11], strict=True))


def test_files_are_listed_by_stage_with_the_moves_into_each():
    walk = [("load", call(1)), ("load", call(2, file="data/a.py")), ("store", call(3)), ("store", call(4))]
    assert list(visits(walk)) == [
        "  load", "        1 + data/b.py", "        0 + data/a.py", "  store", "        2   data/b.py",
    ]  # fmt: skip
    assert counts(walk) == {"in all": Count(2, 3, 1), "load": Count(2, 1, 1), "store": Count(1, 2, 1)}
