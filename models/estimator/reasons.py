"""Why a score was raised: sentences with the row's own numbers and the evidence behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models.estimator.scorer import FAR_BITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from features.spec import FeatureSpec

MAX_REASONS = 5
MIN_CONTRIBUTION = 0.1
"""Log-odds; less than a tenth changes no one's mind."""
ACCUSING_BLOCKS = frozenset({"reuse", "ring", "listing"})
"""What was taken, from whom, with whom, and what is missing: a sentence about none of it accuses nobody. Prices and
sellers speak at any value: an account without feedback is worth a word."""
PRINTED_AS_NONE = {"count": 0.5, "characters": 0.5, "days": 0.05, "ratio": 0.005, "share": 0.005, "probability": 0.005}
"""Up to here a value is printed as 0, as `features.spec.UNITS` prints it."""
EVIDENCE_COLUMNS = ("listing_key", "block", "evidence_id")


def reasons(
    features: pd.DataFrame,
    contributions: pd.DataFrame,
    specs: Sequence[FeatureSpec],
    *,
    evidence: pd.DataFrame | None = None,
) -> pd.Series:
    """Put the strongest contributions of each row into words.

    Only features that raised the score, that the row has, and that have a sentence become reasons.

    Parameters
    ----------
    features
        Has ``listing_key`` and the columns of ``specs``, one row a listing, unique index.
    contributions
        One column a feature in log-odds, on the same index; see `models.estimator.scoring.ScoreTable`.
    specs
        The features and their sentences.
    evidence
        ``listing_key``, ``block`` (of the features it stands behind) and ``evidence_id``, strongest first.

    Returns
    -------
    Series
        For each row a list of ``{code, text, value, evidence_ids}``, strongest first, ``MAX_REASONS`` at the most,
        empty when nothing raised the score. ``code`` is the feature's name, ``value`` its number in this row.
    """
    spec_by_name = {spec.name: spec for spec in specs if spec.reason}
    strongest = _strongest(features, contributions, list(spec_by_name.values()))
    ids = _ids_by_listing(evidence)
    by_row: dict[Any, list[dict[str, Any]]] = {}
    for row, key, code, value in strongest.itertuples(index=False, name=None):
        spec = spec_by_name[code]
        reason = {
            "code": code,
            "text": spec.sentence(value),
            "value": value,
            "evidence_ids": ids.get((key, spec.block), []),
        }
        by_row.setdefault(row, []).append(reason)
    return pd.Series([by_row.get(row, []) for row in features.index], index=features.index, dtype=object)


def _strongest(features: pd.DataFrame, contributions: pd.DataFrame, specs: Sequence[FeatureSpec]) -> pd.DataFrame:
    """Return ``row, listing_key, code, value`` of the reasons to tell, strongest first within a row."""
    names = [spec.name for spec in specs]
    strength = contributions[names].to_numpy("float64")
    values = features[names].to_numpy("float64")
    says_something = (values > _least_value(specs)) & (values < _least_far_value(specs))
    rows, columns = np.nonzero((strength >= MIN_CONTRIBUTION) & says_something)
    order = np.lexsort((columns, -strength[rows, columns], rows))
    rows, columns = rows[order], columns[order]
    place = pd.Series(rows).groupby(rows).cumcount().to_numpy()
    rows, columns = rows[place < MAX_REASONS], columns[place < MAX_REASONS]
    return pd.DataFrame(
        {
            "row": features.index[rows],
            "listing_key": features["listing_key"].to_numpy()[rows],
            "code": np.asarray(names, dtype=object)[columns],
            "value": values[rows, columns],
        }
    )


def _least_value(specs: Sequence[FeatureSpec]) -> NDArray[np.float64]:
    """Return the value above which a feature's sentence says something.

    "0 photos were copied", "0% of them" and "posted -2 days earlier" accuse nobody, so what accuses must be printed as
    more than 0, but for distances in bits; all other features speak at any value.
    """
    accuses = [spec.unit != "bits" and (spec.block in ACCUSING_BLOCKS or spec.direction > 0) for spec in specs]
    return np.where(accuses, [PRINTED_AS_NONE.get(spec.unit, 0.0) for spec in specs], -np.inf)


def _least_far_value(specs: Sequence[FeatureSpec]) -> NDArray[np.float64]:
    """Return the value from which on a feature's sentence says nothing: a picture many bits away is another one."""
    return np.where([spec.unit == "bits" for spec in specs], FAR_BITS, np.inf)


def _ids_by_listing(evidence: pd.DataFrame | None) -> dict[tuple[int, str], list[str]]:
    if evidence is None or evidence.empty:
        return {}
    ids: dict[tuple[int, str], list[str]] = {}
    distinct = evidence[list(EVIDENCE_COLUMNS)].drop_duplicates()
    for key, block, evidence_id in distinct.itertuples(index=False, name=None):
        ids.setdefault((key, block), []).append(evidence_id)
    return ids
