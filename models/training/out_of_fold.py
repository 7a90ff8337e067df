"""Variants of a recipe of training: with other features, or another division into training and test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from data.errors import NotEnoughLabels
from models.dataset.training_rows import selection_weights
from models.estimator.custom import fit_form
from models.estimator.ensemble import ENSEMBLE
from models.estimator.scorer import feature_matrix

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from features.spec import FeatureSpec
    from models.dataset.splits import Fold

Division = tuple["NDArray[np.int64]", "NDArray[np.int64]"]
"""Row numbers to learn from, and row numbers to be judged on."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VariantTables:
    """What variants of a recipe came to; empty frames where there is no recipe to vary.

    Parameters
    ----------
    ablation
        `models.training.ablation.ABLATION_COLUMNS`.
    optimism
        `models.training.optimism.OPTIMISM_COLUMNS`.
    """

    ablation: pd.DataFrame = field(default_factory=pd.DataFrame)
    optimism: pd.DataFrame = field(default_factory=pd.DataFrame)


def divisions_of(folds: Iterable[Fold]) -> list[Division]:
    """Return what each fold learns from and is judged on."""
    return [(fold.train, fold.test) for fold in folds]


def random_divisions(examples: pd.DataFrame, *, parts: int, seed: int) -> list[Division]:
    """Divide the decided rows at random, with equal shares of frauds: the split that most reports rest on.

    It is here to be compared with. It learns from the future, from other listings of a test row's seller, and from
    other copies of its photos.
    """
    decided = np.flatnonzero(examples["y"].notna())
    y = examples["y"].to_numpy("float64")[decided]
    parts = min(parts, int(min(y.sum(), (1 - y).sum())))
    if parts < 2:
        return []
    splitter = StratifiedKFold(n_splits=parts, shuffle=True, random_state=seed)
    return [(decided[train], decided[test]) for train, test in splitter.split(decided, y)]


def out_of_fold(
    examples: pd.DataFrame,
    divisions: Sequence[Division],
    specs: Sequence[FeatureSpec],
    *,
    seed: int,
    form: str = ENSEMBLE,
) -> pd.DataFrame:
    """Score the decided test rows of every division by a model of its training rows.

    Listings that nobody decided on teach nothing here, whatever the settings say of them.

    Parameters
    ----------
    examples
        As `models.dataset.examples.make_examples` gives them.
    divisions
        A division without enough to learn from is passed over.
    specs
        The features to use.
    form
        As for `models.estimator.custom.fit_form`.

    Returns
    -------
    pandas.DataFrame
        ``y, seller_key, score``, indexed by the row's number in the examples.
    """
    weighted = examples.assign(weight=selection_weights(examples))
    parts = []
    for train, test in divisions:
        decided = examples.iloc[test]
        decided = decided[decided["y"].notna()]
        try:
            estimator = fit_form(weighted.iloc[train], specs, form=form, seed=seed)
        except NotEnoughLabels:
            continue
        score = estimator.predict_proba(feature_matrix(decided, specs))[:, 1] if len(decided) else np.empty(0)
        parts.append(decided[["y", "seller_key"]].assign(score=score))
    empty = pd.DataFrame({"y": [], "seller_key": [], "score": []}).astype({"seller_key": "int64"})
    return pd.concat(parts) if parts else empty
