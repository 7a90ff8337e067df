"""The feature reference, written from the specs themselves."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from features.point_in_time.feature_frame import SPECS

if TYPE_CHECKING:
    from features.spec import FeatureSpec

HEADINGS = {
    "reuse": "Photos seen before",
    "price": "Price",
    "seller": "The seller's past",
    "ring": "Accounts that work together",
    "listing": "The listing itself",
}
SPEAKS = {1: "for fraud", -1: "against fraud", 0: "either way"}
PREFACE = """\
# Features

One row describes one listing as of one moment. It is made only of what had been observed by that moment, prices of
what had been observed on the days before (UTC). An empty *missing when* means that the feature always has a value.
*More speaks* names the direction, where only one makes sense. This page is generated from the specifications in
`features/`:

    python -c "from features.point_in_time.feature_reference import reference; print(reference(), end='')" \\
        > docs/features.md
"""


def reference() -> str:
    """Return the feature reference (Markdown, the text of ``docs/features.md``)."""
    blocks = [_block(name, list(specs)) for name, specs in groupby(SPECS, key=lambda spec: spec.block)]
    return "\n".join([PREFACE, *blocks])


def _block(name: str, specs: list[FeatureSpec]) -> str:
    rows = [
        f"| `{spec.name}` | {spec.unit} | {spec.meaning} | {spec.missing} | {SPEAKS[spec.direction]} |"
        for spec in specs
    ]
    head = ["| feature | unit | meaning | missing when | more speaks |", "|---|---|---|---|---|"]
    return "\n".join([f"## {HEADINGS[name]}", "", *head, *rows, ""])
