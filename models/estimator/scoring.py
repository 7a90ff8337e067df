"""Scores, ranks and bands of listings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.errors import ModelError
from models.dataset.examples import feature_matrix
from models.estimator.contributions import contributions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.spec import FeatureSpec
    from models.estimator.scorer import Scorer


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What scoring says of each row, on the index of the features.

    Parameters
    ----------
    table
        ``score`` (probability), ``rank`` (int64, 1 is the most suspicious of these rows), ``band``, ``model_id``.
    contributions
        One float64 column a feature: log-odds, positive speaks for fraud.
    """

    table: pd.DataFrame
    contributions: pd.DataFrame


def score(features: pd.DataFrame, scorer: Scorer, specs: Sequence[FeatureSpec]) -> Scored:
    """Score listings.

    Equal probabilities are ranked by the raw margin, then by the order of the rows.

    Parameters
    ----------
    features
        Has every column of ``specs``; other columns are not looked at.
    scorer
        A trained model or the rule.
    specs
        The list the features were built with.

    Raises
    ------
    ModelError
        When the scorer was made for other features, or a column is missing.
    """
    names = tuple(spec.name for spec in specs)
    if scorer.feature_names != names:
        raise ModelError(
            scorer.model_id,
            f"it takes the features {', '.join(scorer.feature_names)}, found {', '.join(names)}",
            "Train a new model with `seenbefore train`",
        )
    x = feature_matrix(features, specs)
    margins = scorer.margins(x)
    probability = scorer.probabilities(margins)
    order = np.lexsort((np.arange(len(x)), -margins, -probability))
    rank = np.empty(len(x), dtype=np.int64)
    rank[order] = np.arange(1, len(x) + 1)
    table = pd.DataFrame(
        {"score": probability, "rank": rank, "band": scorer.bands.names(probability), "model_id": scorer.model_id},
        index=features.index,
    ).astype({"band": "str", "model_id": "str"})
    drops = contributions(scorer, x, margins)
    return Scored(table, pd.DataFrame(drops, index=features.index, columns=list(names)))
