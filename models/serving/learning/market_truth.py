"""What the demo's scores are worth against the market's truth, which no real marketplace ever has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data.catalog.export import export_frame
from models.evaluation.metrics import average_precision, daily_queue, precision_in, recall_in

if TYPE_CHECKING:
    from datetime import datetime

    from models.serving.context import Context


def against_truth(context: Context, truth: pd.DataFrame, *, since: datetime, capacity: int) -> dict[str, Any]:
    """Compare the last score of each listing after ``since`` with the truth.

    Parameters
    ----------
    truth
        ``listing_id, fraud, stolen_from``.
    """
    with context.catalog.read() as connection:
        scores = export_frame(connection, "scores")
    last = scores[scores["as_of"] > pd.Timestamp(since)].sort_values("as_of").drop_duplicates("listing_id", keep="last")
    known = last.merge(truth, on="listing_id", suffixes=("", "_true"))
    y, value = known["fraud"].to_numpy(np.float64), known["score"].to_numpy(np.float64)
    queue, everyone = daily_queue(value, known["as_of"], capacity), np.ones(len(known))
    stolen = known["fraud"].astype(bool) & (known["stolen_from"].fillna("[]") != "[]")
    return {
        "later_listings": len(known),
        "later_frauds": int(y.sum()),
        "in_the_daily_queue": int(queue.sum()),
        "frauds_found_there": int(y[queue].sum()),
        "with_photos_of_a_known_victim": f"{int((stolen & queue).sum())} of {int(stolen.sum())}",
        "average_precision": f"{average_precision(y, value)(everyone):.3f}",
        "precision_in_the_queue": f"{precision_in(queue, y)(everyone):.3f}",
        "recall_in_the_queue": f"{recall_in(queue, y)(everyone):.3f}",
    }
