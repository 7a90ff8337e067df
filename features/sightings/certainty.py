"""How certain it is that the other party, and not ours, was first to show a photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from features.timeline import days_between

if TYPE_CHECKING:
    import pandas as pd

CLOSE_DAYS = 1.0
"""Within a day either way the order of two sightings is doubtful: crawls of one market take about that long."""

OBSERVED_WEIGHT = 0.25
"""How much the order of observation counts against the stated order of posting where the two contradict each other.

A judgement: a crawl that comes late is common, while a time of posting can only be forged where sellers write it. So
the earlier posting is believed, but never wholly; where both orders agree the weight does not matter.
"""

ONE_ORIGINAL = ["seller_key", "other_listing_key", "other_image_id"]


def with_certainty(matches: pd.DataFrame) -> pd.DataFrame:
    """Tell of matches since when they are known, whether they are late, and how certainly the other side was first.

    ``certainty`` is 1 where the other side was both observed and posted more than `CLOSE_DAYS` before, 0.5 where
    neither order is clear, 0.25 where ours was posted clearly earlier though observed later, and 0.75 the other way
    round. Swapping the sides gives what is missing to 1.

    Ours is the own seller's first sighting of the photo: who posts again what was taken from him is no later than he
    was at first. It is looked for among the seller's matches with the same sighting of the other side.

    Parameters
    ----------
    matches
        All matches of some sellers (``MATCH_COLUMNS``) with the own ``created_at``.

    Returns
    -------
    pandas.DataFrame
        ``matches`` with ``known_at`` (the later of both observations), ``late, certainty`` and ``sureness``
        (``same_photo`` times ``certainty``).
    """
    observed, posted = _own_first(matches)
    by_observation = _earlier(matches["other_observed_at"], observed)
    by_posting = _earlier(matches["other_created_at"], posted)
    certainty = OBSERVED_WEIGHT * by_observation + (1 - OBSERVED_WEIGHT) * by_posting
    return matches.assign(
        known_at=matches["observed_at"].where(
            matches["observed_at"] >= matches["other_observed_at"], matches["other_observed_at"]
        ),
        late=matches["other_observed_at"] > matches["observed_at"],
        certainty=certainty,
        sureness=matches["same_photo"] * certainty,
    )


def _own_first(matches: pd.DataFrame) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Return when the own seller was first observed with the photo, and the earliest posting observed until then."""
    ordered = matches.sort_values([*ONE_ORIGINAL, "observed_at"])
    posted = ordered["created_at"].groupby([ordered[column] for column in ONE_ORIGINAL]).cummin()
    # Sightings observed at the same time know of each other.
    together = [ordered[column] for column in (*ONE_ORIGINAL, "observed_at")]
    observed = matches.groupby(ONE_ORIGINAL)["observed_at"].transform("min")
    return observed, posted.groupby(together).transform("min").reindex(matches.index)


def _earlier(other: pd.Series[Any], own: pd.Series[Any]) -> pd.Series[float]:
    """Return how clearly one time is before another: from 0 at `CLOSE_DAYS` behind to 1 at as much ahead."""
    return (days_between(other, own) / CLOSE_DAYS / 2 + 0.5).clip(0.0, 1.0)
