"""What the frauds that were looked at were worth: price times fraud found, against looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.evaluation.metrics import RANDOM_ORDER, daily_queue, shares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BY_PRICE = "price × score"
"""Ordering by what a listing is likely to cost in place of how likely it is to be a fraud."""
STEPS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Looks a day, as multiples of the capacity."""
VALUE_COLUMNS = ("scorer", "capacity", "looks", "money", "share", "low", "high")


def commonest_currency(price: pd.Series, currency: pd.Series) -> tuple[pd.Series, str]:
    """Return the prices in the currency most of them are in, NaN for others, and its name.

    Amounts of different currencies cannot be added, and what one was worth in the other is not known here.
    """
    named = currency.fillna("")
    stated = named[price.notna()].value_counts()
    if stated.empty:
        return price.astype("float64"), ""
    commonest = str(stated.index[0])
    return price.where(named == commonest).astype("float64"), commonest


def value_curve(
    scored: pd.DataFrame, columns: Mapping[str, str], *, evaluated: str, capacity: int, seed: int
) -> pd.DataFrame:
    """Sum what the known frauds in the daily queue were worth, for queues of several lengths.

    Parameters
    ----------
    scored
        ``y, as_of, seller_key, price`` (in one currency, NaN where not known) and the columns of scores.
    columns
        Column of scores by the scorer's name.
    evaluated
        The scorer whose scores times price are another order.
    capacity
        Listings that analysts judge in a day.
    seed
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        ``VALUE_COLUMNS``: looks in all, the money found and its share of all that is known to be there, with the
        share's interval; no row where no known fraud has a price.
    """
    worth = scored["price"].where(scored["y"] == 1, 0.0).fillna(0.0).to_numpy(np.float64)
    if not worth.any():
        return pd.DataFrame(columns=list(VALUE_COLUMNS))
    orders = {name: scored[column].to_numpy(np.float64) for name, column in columns.items()}
    orders[BY_PRICE] = orders[evaluated] * scored["price"].fillna(0.0).to_numpy(np.float64)
    steps = sorted({max(1, round(step * capacity)) for step in STEPS})
    queue_steps = [(name, step) for name in orders for step in steps]
    queues = np.column_stack([daily_queue(orders[name], scored["as_of"], step) for name, step in queue_steps])
    sellers = scored["seller_key"].to_numpy(np.int64)
    worth_found = shares(queues * worth[:, None], np.tile(worth[:, None], len(queue_steps)), sellers, seed=seed)
    table = pd.DataFrame(queue_steps, columns=["scorer", "capacity"]).assign(
        looks=queues.sum(axis=0),
        money=worth @ queues,
        share=worth_found[:, 0],
        low=worth_found[:, 1],
        high=worth_found[:, 2],
    )
    return pd.concat([table, _by_lot(queues, worth, queue_steps)], ignore_index=True)[list(VALUE_COLUMNS)]


def _by_lot(queues: np.ndarray, worth: np.ndarray, queue_steps: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """Return what as many looks would find on average if they were drawn by lot."""
    first = [number for number, (name, _) in enumerate(queue_steps) if name == queue_steps[0][0]]
    looks = queues[:, first].sum(axis=0)
    share = looks / len(worth)
    steps = [queue_steps[number][1] for number in first]
    return pd.DataFrame(
        {"scorer": RANDOM_ORDER, "capacity": steps, "looks": looks, "money": share * worth.sum(), "share": share,
         "low": share, "high": share}
    )  # fmt: skip
