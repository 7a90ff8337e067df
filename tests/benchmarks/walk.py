"""Count the files and moves that a picture takes to its stored score, and a verdict to the next training.

    python tests/benchmarks/walk.py
    python tests/benchmarks/walk.py /elsewhere/older . --list

Each CHECKOUT (default: this one) is a checkout with a ``.venv`` of its own. All are walked in one run, by the
documented surfaces alone (the commands, the exported tables, the desk's pages), so that any two builds can be compared.

*The picture.* An honest listing with a drawn photograph is loaded first. Then another seller lists a crop of it:
``seenbefore run``, with the picture served over HTTP on this machine, is what is watched, from the first call in the
task that reads tables until the statement that inserts the score. ``export matches`` must show the match.

*The verdict.* A market without pictures is loaded and scored first. Then one case is decided at the desk, and
``seenbefore train`` runs: watched from the verdict's request to the end of the training.

What is counted, in every process and thread, below data, features, models, flows and review:

file
    One of which a function is called. What an import runs does not count, nor the body of a module or a class.
move
    A call whose nearest calling frame of ours lies in another file. A generator that goes on is not called again.
distinct move
    A pair of calling and called function: training asks the same of every fold.

A process that opens pictures first checks its own arithmetic: it counts from where it first waits for a request.

Stages are the tasks of the flows by their names; what a flow does between two tasks counts with the later one, and
what other threads and processes do with the task that runs meanwhile. ``store`` is the transaction that inserts the
score. The order in which threads of the download come by varies a little; all else is the same each time.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from walked.calls import Count, counts, visits
from walked.picture import walk_picture
from walked.verdict import walk_verdict

if TYPE_CHECKING:
    from walked.calls import Walk

PICTURE, VERDICT = "picture", "verdict"


def print_table(name: str, walks: dict[str, Walk]) -> None:
    """Print a line for each stage, with columns for each checkout."""
    counted = {label: counts(walk) for label, walk in walks.items()}
    print(f"\n{name:<18}" + "".join(f" | {label[-27:]:<27}" for label in counted))
    print(f"{'':<18}" + " | files    moves  distinct   " * len(counted))
    for stage in dict.fromkeys(stage for each in counted.values() for stage in each):
        row = (each.get(stage, Count(0, 0, 0)) for each in counted.values())
        print(f"{stage:<18}" + "".join(f" | {one.files:>5} {one.moves:>8,} {one.distinct:>9,}   " for one in row))


def main() -> None:
    """Walk both ways in every checkout, and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).resolve().parents[2]
    parser.add_argument("checkouts", nargs="*", type=Path, metavar="CHECKOUT", default=[here])
    parser.add_argument("--list", action="store_true", help="print the files, too; a + stands where one is met first")
    parser.add_argument("--images-root", action="store_true", help="read pictures from a folder, not over HTTP")
    parser.add_argument("--only", choices=[PICTURE, VERDICT], help="walk one way only")
    given = parser.parse_args()
    walked: dict[str, dict[str, Walk]] = {way: {} for way in (PICTURE, VERDICT) if given.only in (None, way)}
    for root in given.checkouts:
        with tempfile.TemporaryDirectory() as work:
            if PICTURE in walked:
                walked[PICTURE][str(root)] = walk_picture(root, Path(work), from_folder=given.images_root)
            if VERDICT in walked:
                walked[VERDICT][str(root)] = walk_verdict(root, Path(work))
    for way, walks in walked.items():
        print_table(way, walks)
    for way, walks in walked.items() if given.list else ():
        for root, walk in walks.items():
            print(f"\n{way}, {root}", *visits(walk), sep="\n")


if __name__ == "__main__":
    main()
