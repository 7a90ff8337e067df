"""Draw listings at random for analysts to look at, and tell training what chance each look had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.catalog.feature_facts import ANALYST
from data.catalog.scores.random_samples import draw_audits
from models.estimator.scorer import BAND_NAMES

if TYPE_CHECKING:
    import pandas as pd

    from models.serving.context import Context

LOOKED_AT_ANYWAY = BAND_NAMES[-1]
"""Analysts look at the whole band, so that a draw there changes nothing."""


def draw_random_sample(context: Context, run_id: str) -> int:
    """Draw the share of the daily capacity that the settings set aside, from the scores of a run; return how many."""
    review, seed = context.settings.review, context.settings.model.seed
    with context.catalog.write() as connection:
        return draw_audits(connection, run_id, per_day=review.audit_share * review.daily_capacity, seed=seed)


def with_look_chances(examples: pd.DataFrame, audits: pd.DataFrame) -> pd.DataFrame:
    """Add what is known of the draws by which listings came to be looked at.

    Parameters
    ----------
    examples
        ``listing_key``, and ``source`` of the decision.
    audits
        Draws known by then, as `data.catalog.scores.random_samples.all_audits` gives them; of a listing's several the
        first counts.

    Returns
    -------
    DataFrame
        The examples with ``propensity``, the chance with which a listing was drawn (NaN: not drawn), and
        ``chance_of_a_look``: the same where an analyst decided on it and only the draw can have led there, else 1.
    """
    first = audits.drop_duplicates("listing_key").set_index("listing_key")
    keys = examples["listing_key"]
    propensity = keys.map(first["propensity"]).astype("float64")
    only_drawn = (keys.map(first["band"]) != LOOKED_AT_ANYWAY) & (examples["source"] == ANALYST)
    chance = propensity.where(only_drawn & propensity.notna(), 1.0)
    return examples.assign(propensity=propensity, chance_of_a_look=chance)
