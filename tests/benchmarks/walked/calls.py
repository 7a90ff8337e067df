"""What was called, stage by stage, and what it comes to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

LOAD, STORE = "load", "store"
STAGES = {
    "read tables": LOAD,
    "download": "download",
    "fingerprint": "decode, hash",
    "compare": "index, compare",
    "match": "index, compare",
    "score": "describe, score",
}
"""The stage of each task, by its name."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function of ours."""

    at_ns: int
    process: str
    flow: str
    task: str
    by_file: str
    by_function: str
    file: str
    function: str

    @property
    def is_move(self) -> bool:
        return self.by_file not in ("", self.file)

    @property
    def pair(self) -> tuple[str, ...]:
        return self.by_file, self.by_function, self.file, self.function


Walk = list[tuple[str, Call]]
"""Calls in order of time, each with its stage."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What was written down of a command, in order of time."""

    calls: list[Call]
    statements: list[tuple[int, str, str]]
    """Time, thread, and the beginning of the statement."""


def read(folder: Path) -> Trace:
    """Read what `tracing.sitecustomize` wrote."""
    calls, statements = [], []
    for file in folder.iterdir():
        lines = [line.split("\t") for line in file.read_text().splitlines()]
        waits = [int(at) for at, _, kind, *_ in lines if kind == "wait"]
        since = min(waits, default=0) if is_worker(lines) else 0
        for at, thread, kind, *rest in lines:
            if kind == "call" and int(at) >= since:
                calls.append(Call(int(at), file.name, *rest))
            elif kind == "sql":
                statements.append((int(at), f"{file.name} {thread}", rest[0]))
    return Trace(sorted(calls, key=lambda call: call.at_ns), sorted(statements))


def is_worker(lines: Sequence[Sequence[str]]) -> bool:
    """Tell whether a process works for another one: it knows no flow."""
    return not any(kind == "call" and rest[0] for _, _, kind, *rest in lines)


def staged(trace: Trace) -> Walk:
    """Return the calls from the loaded row to the stored score, each with its stage."""
    first = min(call.at_ns for call in trace.calls if STAGES.get(call.task) == LOAD)
    began, last = storing(trace.statements)
    calls = [call for call in trace.calls if first <= call.at_ns <= last]
    tasks = [call.task for call in calls]
    later: Call | None = None
    for row in reversed(range(len(calls))):  # what a flow does before a task counts with it
        if calls[row].task:
            later = calls[row]
        elif later and calls[row].flow == later.flow:
            tasks[row] = later.task
    task, walk = tasks[0], []
    for call, own in zip(calls, tasks, strict=True):  # threads and processes count with the task that runs
        task = own or task
        walk.append((STORE if call.at_ns >= began else STAGES.get(task, task), call))
    return walk


def storing(statements: Sequence[tuple[int, str, str]]) -> tuple[int, int]:
    """Return when the last transaction that inserts scores began and when it inserted, in ns."""
    last, writer = max((at, thread) for at, thread, sql in statements if sql.startswith("INSERT INTO scores "))
    began = max(at for at, thread, sql in statements if thread == writer and at < last and sql.startswith("BEGIN"))
    return began, last


@dataclass(frozen=True, slots=True)
class Count:
    """What some calls come to."""

    files: int
    moves: int
    distinct: int

    @classmethod
    def of(cls, calls: Sequence[Call]) -> Count:
        """Count files, moves and distinct moves."""
        pairs = [call.pair for call in calls if call.is_move]
        return cls(len({call.file for call in calls}), len(pairs), len(set(pairs)))


def counts(walk: Walk) -> dict[str, Count]:
    """Count a walk in all and by stage, stages in the order in which they begin."""
    by_stage: dict[str, list[Call]] = {"in all": [call for _, call in walk]}
    for stage, call in walk:
        by_stage.setdefault(stage, []).append(call)
    return {stage: Count.of(calls) for stage, calls in by_stage.items()}


def visits(walk: Walk) -> Iterator[str]:
    """Yield lines: the files of each stage in order of their first visit there, and the moves into each."""
    met: set[str] = set()
    for stage in dict.fromkeys(stage for stage, _ in walk):
        calls = [call for name, call in walk if name == stage]
        moves = Counter(call.file for call in calls if call.is_move)
        yield f"  {stage}"
        for file in dict.fromkeys(call.file for call in calls):
            yield f"    {moves[file]:>5} {' ' if file in met else '+'} {file}"
            met.add(file)
