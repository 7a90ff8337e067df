"""Measure how well copies are found: edits of real photographs, published methods and ours on the same files.

    python -m tests.benchmarks.copies ../shared/photos --queries 100 --condition plain --out table.md

``--methods`` takes names of `methods.METHODS` or ``package.module:Class``; classes may be given beside names.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from .descriptions import Descriptions, digest_of
from .judge import Verdict, judged, table
from .methods import METHODS, method_named
from .photos import Condition, Material, material
from .posts import Post, posts, write_posts

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCES = ("edits", "geometry", "layouts", "photos", "posts", "retouching", "silhouettes")
"""Modules that the posted files depend on."""


def measure(
    folder: Path, given: Material, asked: list[Post], names: Sequence[str], *, seed: int, workers: int
) -> tuple[dict[str, Verdict], list[str]]:
    """Return verdicts by the methods' titles, and one line on each method's speed."""
    files = write_posts(given, asked, folder / "posts", seed, workers)
    catalog = Descriptions(given.catalog, folder, "catalog", workers)
    queries = Descriptions(files, folder, "queries", workers)
    verdicts, remarks = {}, []
    described, searched = catalog.by_method(names), queries.by_method(names)
    for name in names:
        method = method_named(name)
        method.index(described[name])
        started = perf_counter()
        answers = [method.search(description) for description in searched[name]]
        search_ms = 1000 * (perf_counter() - started) / len(answers)
        verdicts[method.name] = judged(given, asked, answers)
        describe_ms = queries.median_ms.get(name)
        description = "kept from an earlier run" if describe_ms is None else f"{describe_ms:.1f} ms"
        threshold = round(verdicts[method.name].threshold, 4)
        remarks.append(
            f"- {method.name}: description {description}, search {search_ms:.2f} ms, scores above {threshold:g}"
        )
    return verdicts, remarks


def report(given: Material, asked: Sequence[Post], verdicts: dict[str, Verdict], remarks: Sequence[str]) -> str:
    """Return the table with what it was measured on."""
    foreign = sum(not post.targets for post in asked)
    edits = len({post.edit for post in asked if post.targets})
    head = (
        f"Condition *{given.condition}*: {len(given.catalog)} photos in the catalog, {len(given.asked)} of them edited "
        f"in {edits} ways; {len(asked)} queries, {foreign} of them foreign; "
        "at most one false alarm per 1,000 queries.\n\n"
    )
    return head + table(verdicts) + "\n" + "\n".join(remarks) + "\n"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="folder of collections of photographs")
    parser.add_argument("--queries", type=int, default=100, help="photos of the catalog that are edited")
    parser.add_argument("--foreign", type=int, default=1200, help="posts of photos that are not in the catalog")
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--condition", type=Condition, choices=list(Condition), default=Condition.PLAIN)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder for posted files and descriptions, used again by later runs")
    parser.add_argument("--out", type=Path, help="file for the table; printed otherwise")
    parser.add_argument("--alarms", action="store_true", help="also print the false alarms")
    return parser.parse_args()


def main() -> None:
    """Split, edit, describe, search, judge, print."""
    given = arguments()
    split = material(given.photos, given.condition, given.queries, given.seed)
    asked = posts(split, given.foreign, given.seed)
    sources = [Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8") for name in SOURCES]
    run = digest_of([given.condition, given.queries, given.foreign, given.seed, *sources])
    with TemporaryDirectory() as temporary:
        folder = (given.keep or Path(temporary)) / run
        verdicts, remarks = measure(folder, split, asked, given.methods, seed=given.seed, workers=given.workers)
    text = report(split, asked, verdicts, remarks)
    if given.alarms:
        alarms = [f"{name}\n{verdict.alarms.to_string(index=False)}\n" for name, verdict in verdicts.items()]
        text += "\n" + "\n".join(alarms)
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
