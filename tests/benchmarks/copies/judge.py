"""How good a method is: recall by edit at the loosest threshold that raises few enough false alarms."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nextafter, sqrt
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .methods import Hit
    from .photos import Material
    from .posts import Post

FALSE_ALARMS_PER_QUERY = 1 / 1000
CONFIDENCE_Z = 1.96
"""Standard normal quantile of 95 % intervals."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One method's result.

    Parameters
    ----------
    threshold
        Hits that score lower do not count.
    found
        One row for each photo to be found: ``edit``, ``group``, ``collection`` and ``found``.
    alarms
        One row for each false alarm at the threshold: ``edit``, ``asked``, ``hit`` (names of photos), ``score``.
    """

    threshold: float
    found: pd.DataFrame
    alarms: pd.DataFrame

    def recall(self, by: str) -> pd.Series[float]:
        """Return the share found for each value of a column, in the order of the queries."""
        return self.found.groupby(by, sort=False)["found"].mean()

    def mean_recall(self) -> float:
        """Return the mean over the edits, each weighing the same."""
        return float(self.recall("edit").mean())


def judged(material: Material, asked: Sequence[Post], answers: Sequence[Sequence[Hit]]) -> Verdict:
    """Judge the answers to the posts.

    A false alarm is a hit for a foreign post, or a photo first that is not in the post. A photo posted alone is
    found when it comes first; of a collage's photos each is found that is among the hits.
    """
    counted = [without_lenient(material, post, hits) for post, hits in zip(asked, answers, strict=True)]
    false = [(n, hits[0]) for n, hits in enumerate(counted) if hits and hits[0].row not in asked[n].targets]
    threshold = loosest_threshold([hit.score for _, hit in false], len(asked))
    found = [
        (post.edit, post.group, material.catalog[target].collection, is_found(target, post, hits, threshold))
        for post, hits in zip(asked, counted, strict=True)
        for target in post.targets
    ]
    alarms = [
        (asked[n].edit, asked[n].photos[0].name, material.catalog[hit.row].name, hit.score)
        for n, hit in false
        if hit.score >= threshold
    ]
    return Verdict(
        threshold,
        pd.DataFrame(found, columns=["edit", "group", "collection", "found"]),
        pd.DataFrame(alarms, columns=["edit", "asked", "hit", "score"]),
    )


def without_lenient(material: Material, post: Post, hits: Sequence[Hit]) -> list[Hit]:
    """Leave out hits that are neither right nor wrong."""
    ignored = {row for target in post.targets for row in material.lenient_rows(target)}.difference(post.targets)
    return [hit for hit in hits if hit.row not in ignored]


def loosest_threshold(false_scores: Sequence[float], queries: int) -> float:
    """Return the lowest threshold at which at most the allowed number of false scores reach it."""
    allowed = int(FALSE_ALARMS_PER_QUERY * queries)
    highest = sorted(false_scores, reverse=True)
    return nextafter(highest[allowed], inf) if len(highest) > allowed else -inf


def is_found(target: int, post: Post, hits: Sequence[Hit], threshold: float) -> bool:
    considered = hits if len(post.targets) > 1 else hits[:1]
    return any(hit.row == target and hit.score >= threshold for hit in considered)


def wilson(found: int, asked: int) -> tuple[float, float]:
    """Return the 95 % interval of a share after Wilson (1927), https://doi.org/10.1080/01621459.1927.10502953."""
    if asked == 0:
        return 0.0, 1.0
    share, z2 = found / asked, CONFIDENCE_Z**2 / asked
    middle = (share + z2 / 2) / (1 + z2)
    half = CONFIDENCE_Z * sqrt(share * (1 - share) / asked + z2 / (4 * asked)) / (1 + z2)
    return max(0.0, middle - half), min(1.0, middle + half)


def percent(found: pd.Series[bool], with_interval: bool) -> str:
    text = f"{100 * found.mean():.0f}" if found.mean() in {0.0, 1.0} else f"{100 * found.mean():.1f}"
    if not with_interval:
        return text
    low, high = wilson(int(found.sum()), len(found))
    return f"{text} ({100 * low:.0f}–{100 * high:.0f})"


def table(verdicts: Mapping[str, Verdict]) -> str:
    """Return recall in percent as a Markdown table: all edits, groups, edits; groups with 95 % intervals."""
    first = next(iter(verdicts.values())).found
    names = list(verdicts)
    lines = ["| recall, % | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    lines.append(row("**mean over the edits**", [f"**{100 * v.mean_recall():.1f}**" for v in verdicts.values()]))
    for group in first["group"].unique():
        of_group = [v.found[v.found["group"] == group] for v in verdicts.values()]
        lines.append(row(f"**{group}**", [percent(found["found"], with_interval=True) for found in of_group]))
        for edit in of_group[0]["edit"].unique():
            of_edit = [found.loc[found["edit"] == edit, "found"] for found in of_group]
            lines.append(row(edit, [percent(found, with_interval=False) for found in of_edit]))
    for collection in sorted(first["collection"].unique()):
        of_kind = [v.found.loc[v.found["collection"] == collection, "found"] for v in verdicts.values()]
        lines.append(row(f"photos of *{collection}*", [percent(found, with_interval=True) for found in of_kind]))
    lines.append(row("false alarms", [str(len(v.alarms)) for v in verdicts.values()]))
    return "\n".join(lines) + "\n"


def row(head: str, cells: Sequence[str]) -> str:
    return "| " + " | ".join([head, *cells]) + " |"
