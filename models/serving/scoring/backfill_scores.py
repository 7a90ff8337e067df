"""Score past moments again, each from what is known now and could be seen then."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pandas as pd

from data.catalog.market.scoring_moments import all_moments
from data.catalog.monitoring_counts import known_span
from data.catalog.scores.rescoring import Revision, revise_features, revise_scores
from data.errors import EmptySpan
from features.point_in_time.feature_frame import SPEC_FINGERPRINT
from models.serving.scoring.score_listings import band_counts, score_rows, scorer_named

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from models.serving.context import Context
    from models.serving.scoring.score_listings import Counts, Moment

PREFIX = "backfill-"
DIGITS = 24


def moments_between(context: Context, since: datetime, until: datetime) -> list[Moment]:
    """Return every moment of a span, both ends included, ordered by time.

    Raises
    ------
    EmptySpan
        Nothing became known in it.
    """
    with context.catalog.read() as connection:
        moments = all_moments(connection, since, until)
        if moments.empty:
            raise EmptySpan(since, until, known_span(connection))
    return list(moments.itertuples(index=False, name=None))


def group_of(since: datetime, until: datetime, model_id: str) -> str:
    """Return what the scores of a backfill carry as ``run_id``.

    The same span and model have the same one, so that a run that goes on where another was interrupted ranks the
    scores of both together.
    """
    asked = "\n".join([since.isoformat(), until.isoformat(), model_id])
    return PREFIX + hashlib.sha256(asked.encode()).hexdigest()[:DIGITS]


def rescore(context: Context, keys: Sequence[Moment], *, model_id: str, group: str, revision: Revision) -> Counts:
    """Score some moments by one model; write what is new or says otherwise than before.

    Parameters
    ----------
    group
        What the scores carry as ``run_id``.
    revision
        Who replaces scores, and when.
    """
    moments = pd.DataFrame(list(keys), columns=["listing_key", "as_of"])
    features, rows = score_rows(context, moments, scorer_named(context, model_id))
    with context.catalog.write() as connection:
        revise_features(connection, moments, features, SPEC_FINGERPRINT, revision)
        revised = revise_scores(connection, rows.assign(run_id=group), revision)
    return {
        "scored": len(rows),
        "scored_first": revised.added,
        "scored_otherwise": revised.changed,
        "as_before": revised.unchanged,
        **band_counts(rows),
    }
