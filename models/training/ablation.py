"""Which kinds of evidence carry a model: the same recipe on the same folds, without one block of features at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.estimator.ensemble import ENSEMBLE
from models.evaluation.metrics import average_precision, resampled, span
from models.training.out_of_fold import out_of_fold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from features.spec import FeatureSpec
    from models.training.out_of_fold import Division

EVERYTHING = "(nothing)"
"""The name of the row that leaves nothing out."""
ABLATION_COLUMNS = (
    "without", "features", "average_precision", "low", "high", "change", "change_low", "change_high"
)  # fmt: skip


def block_ablation(
    examples: pd.DataFrame,
    divisions: Sequence[Division],
    specs: Sequence[FeatureSpec],
    *,
    everything: pd.DataFrame,
    seed: int,
    form: str = ENSEMBLE,
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Train without each block of features and compare on the same rows.

    A block that others can stand in for loses little when it alone is left out: the figures do not add up, and a
    small one does not say that the block is useless.

    Parameters
    ----------
    examples, divisions, specs, seed, form
        As for `models.training.out_of_fold.out_of_fold`.
    everything
        What that gave for all of ``specs``.
    on_step
        Told how many of how many blocks are done, after each.

    Returns
    -------
    pandas.DataFrame
        ``ABLATION_COLUMNS``: the first row leaves nothing out, the others come with the greatest loss first;
        ``change`` is against the first row, its interval from the same resamples of sellers.
    """
    blocks = list(dict.fromkeys(spec.block for spec in specs))
    kept = {block: [spec for spec in specs if spec.block != block] for block in blocks if len(blocks) > 1}
    scored = {EVERYTHING: everything}
    for done, (block, some) in enumerate(kept.items(), start=1):
        scored[block] = out_of_fold(examples, divisions, some, seed=seed, form=form)
        on_step(done, len(kept))
    left_out = {EVERYTHING: 0} | {block: len(specs) - len(some) for block, some in kept.items()}
    return _compared(scored, left_out, seed=seed)


def _compared(scored: dict[str, pd.DataFrame], left_out: dict[str, int], *, seed: int) -> pd.DataFrame:
    values, draws = {}, {}
    for name, rows in scored.items():
        y, sellers = rows["y"].to_numpy("float64"), rows["seller_key"].to_numpy("int64")
        statistic = average_precision(y, rows["score"].to_numpy("float64"))
        values[name], draws[name] = statistic(np.ones(len(y))), resampled(statistic, sellers, seed=seed)
    table = pd.DataFrame(
        [
            (name, left_out[name], values[name], *span(draws[name]), values[name] - values[EVERYTHING],
             *span(draws[name] - draws[EVERYTHING]))
            for name in scored
        ],
        columns=list(ABLATION_COLUMNS),
    )  # fmt: skip
    first, others = table[table["without"] == EVERYTHING], table[table["without"] != EVERYTHING]
    return pd.concat([first, others.sort_values("change", kind="stable")], ignore_index=True)
