"""The judgements of several markets as one table, each figure for every seed and on average."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import numpy as np

from models.estimator.rule import RULE_ID
from models.evaluation.evaluation import CANDIDATE
from models.training.train import LOGISTIC

from .judging import FOLDS, NEXT
from .references import BARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .judging import Judgement
    from .people import Count

SCORERS = {CANDIDATE: "ours", LOGISTIC: LOGISTIC, RULE_ID: "one rule"}
FIGURES = {"average_precision": "average precision", "precision_at_capacity": "precision at capacity"}
ACCUSED_BARS = {"victims": 0.005, "dealers": 0.01, "re-listers": 0.01, "stock users": 0.01}
KEPT_STAGES = ("drawing", "ingest")
Row = tuple[str, ...]


def as_markdown(judgements: Sequence[Judgement]) -> str:
    """Return one table with a column for each seed and one for their mean; counts are added up."""
    heads = ("", *(f"seed {judgement.seed}" for judgement in judgements), "all")
    rows = [
        *_quality(judgements),
        *_references(judgements),
        *_honesty(judgements),
        *_people(judgements),
        *_effort(judgements),
    ]
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bounds_line(seed: int, bounds: dict[str, float]) -> str:
    """Say one market's references beside their bars."""
    told = ", ".join(f"{name} {value:.3f} (bar < {BARS[name]})" for name, value in bounds.items())
    return f"seed {seed}: {told}"


def _quality(judgements: Sequence[Judgement]) -> Iterable[Row]:
    for period in (FOLDS, NEXT):
        for name, words in FIGURES.items():
            for scorer, told in SCORERS.items():
                rows = [_measured(judgement, period, name, scorer) for judgement in judgements]
                cells = [f"{value:.3f} ({low:.2f}–{high:.2f})" for value, low, high in rows]
                yield f"{words}, {period}, {told}", *cells, f"{np.mean([row[0] for row in rows]):.3f}"
    for scorer, told in SCORERS.items():
        words = f"average precision, {NEXT}, by the truth, {told}"
        yield _figures(words, [judgement.true_precision[scorer] for judgement in judgements])


def _measured(judgement: Judgement, period: str, name: str, scorer: str) -> tuple[float, float, float]:
    table = judgement.evaluations[period].overall
    row = table[(table["scorer"] == scorer) & (table["name"] == name)].iloc[0]
    return float(row["value"]), float(row["low"]), float(row["high"])


def _references(judgements: Sequence[Judgement]) -> Iterable[Row]:
    for period in (FOLDS, NEXT):
        for name, bar in BARS.items():
            words = f"reference {name}, {period} (bar < {bar})"
            yield _figures(words, [judgement.references[period][name] for judgement in judgements])


def _honesty(judgements: Sequence[Judgement]) -> Iterable[Row]:
    for split, bar in (("our split", " (bar ≤ 0.02)"), ("random split", "")):
        yield _figures(
            f"optimism gap, {split}{bar}", [judgement.optimism[split] for judgement in judgements], "{:+.3f}"
        )
    for period in (FOLDS, NEXT):
        errors = [judgement.evaluations[period].value("calibration_error", CANDIDATE) for judgement in judgements]
        yield _figures(f"expected calibration error, {period} (bar ≤ 0.01)", errors)


def _people(judgements: Sequence[Judgement]) -> Iterable[Row]:
    for edit in sorted({edit for judgement in judgements for edit in judgement.people.found}):
        yield _counts(f"theft, {edit}: photo recognised", [judgement.people.seen.get(edit) for judgement in judgements])
        yield _counts(f"theft, {edit}: in band high", [judgement.people.found.get(edit) for judgement in judgements])
    every = [reduce(add, judgement.people.seen.values()) for judgement in judgements]
    yield _counts("theft, any edit: photo recognised", every)
    every = [reduce(add, judgement.people.found.values()) for judgement in judgements]
    yield _counts("theft, any edit: in band high", every)
    for kind in judgements[0].people.accused:
        bar = f" (bar ≤ {ACCUSED_BARS[kind]:.1%})" if kind in ACCUSED_BARS else ""
        every = [judgement.people.accused[kind] for judgement in judgements]
        later = [judgement.people_next.accused[kind] for judgement in judgements]
        yield _counts(f"honest, {kind}: in band high{bar}", every)
        yield _counts(f"honest, {kind}: in band high, {NEXT} alone", later)
    yield _counts("right owner named (bar ≥ 97.0%)", [judgement.people.named for judgement in judgements])


def _effort(judgements: Sequence[Judgement]) -> Iterable[Row]:
    yield _figures("pictures", [judgement.pictures for judgement in judgements], "{:,.0f}")
    kept = all(judgement.fingerprints_kept for judgement in judgements)
    for stage in judgements[0].seconds:
        words = f"{stage} (pictures and fingerprints kept from before)" if kept and stage in KEPT_STAGES else stage
        yield _figures(f"{words}, seconds", [judgement.seconds[stage] for judgement in judgements], "{:,.0f}")
    yield _figures("most memory so far, MB", [judgement.peak_mb for judgement in judgements], "{:,.0f}")


def _figures(words: str, values: Sequence[float], form: str = "{:.3f}") -> Row:
    return words, *(form.format(value) for value in values), form.format(np.mean(values))


def _counts(words: str, counts: Sequence[Count | None]) -> Row:
    there = [count for count in counts if count is not None]
    return words, *("–" if count is None else _share(count) for count in counts), _share(reduce(add, there))


def _share(count: Count) -> str:
    return f"{count.share:.1%} of {count.whole:,}" if count.whole else "none"
