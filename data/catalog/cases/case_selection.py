"""Which of the listings that were scored are cases, and what the queue needs to know of each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import exists, select

from data.catalog.cases.cases import SCORED
from data.catalog.database.frames import read_by_keys, read_frame, whole_table
from data.catalog.database.schema import audits, cases, listings, matches, scores

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import ColumnElement, Connection

LOOKED_AT = ("high", "medium")
"""Bands that are worth a look; below them only what was drawn at random is."""
RECENT_PRICES = 2_000
"""Of the newest stated prices of a marketplace, the median stands for one that is not stated."""
ANY_PRICE = 1.0
SCORE = ("listing_key", "as_of", "model_id", "score", "band", "reasons", "matched_images")
LISTING = ("listing_key", "observed_at", "created_at", "marketplace", "seller_key", "category", "price", "currency")


def cases_of_run(connection: Connection, run_id: str) -> pd.DataFrame:
    """Return the cases among the listings that a run scored: `data.catalog.cases.cases.SCORED`, one row each.

    Of several moments of a listing the newest counts.
    """
    return _cases(connection, scores.c.run_id == run_id)


def cases_of_all(connection: Connection) -> pd.DataFrame:
    """Return the cases among all listings that were ever scored, for a catalog that has none yet."""
    return _cases(connection, scores.c.score.is_not(None))


def has_cases(connection: Connection) -> bool:
    """Tell whether there is any case."""
    return connection.execute(select(cases.c.listing_key).limit(1)).first() is not None


def _cases(connection: Connection, which: ColumnElement[bool]) -> pd.DataFrame:
    drawn = exists().where(audits.c.listing_key == scores.c.listing_key, audits.c.as_of == scores.c.as_of)
    query = whole_table(scores, SCORE).add_columns(drawn.label("audited"))
    found = read_frame(connection, query.where(which, scores.c.band.in_(LOOKED_AT) | drawn))
    newest = found.sort_values(["as_of", "model_id"], kind="stable").drop_duplicates("listing_key", keep="last")
    described = newest.merge(_described(connection, newest["listing_key"]), on="listing_key")
    value = described["price"].where(described["price"] > 0)
    value = value.fillna(described["marketplace"].map(_usual_prices(connection, described["marketplace"])))
    value = value.fillna(ANY_PRICE).astype("float64")
    return described.assign(
        value=value,
        priority=described["score"] * value,
        edit=described["listing_key"].map(_edits(connection, described["listing_key"])).astype("str").fillna(""),
        reason=described["reasons"].map(_strongest).astype("str"),
        copied_images=described["matched_images"],
        audited=described["audited"].astype("int64"),
    )[list(SCORED)]


def _described(connection: Connection, listing_keys: pd.Series[int]) -> pd.DataFrame:
    """Return what some listings say now; the seller is that of the first version, which can never change."""
    versions = read_by_keys(connection, whole_table(listings, LISTING), listings.c.listing_key, listing_keys)
    ordered = versions.sort_values(["listing_key", "observed_at"], ignore_index=True)
    newest = ordered.drop_duplicates("listing_key", keep="last").set_index("listing_key")
    first = ordered.drop_duplicates("listing_key").set_index("listing_key")
    told = newest.assign(seller_key=first["seller_key"], posted_at=first["created_at"])
    return told.drop(columns=["observed_at", "created_at"]).reset_index()


def _usual_prices(connection: Connection, marketplaces: pd.Series[str]) -> dict[str, float]:
    usual = {}
    for name in marketplaces.unique():
        stated = select(listings.c.price).where(listings.c.marketplace == name, listings.c.price > 0)
        recent = stated.order_by(listings.c.observed_at.desc()).limit(RECENT_PRICES)
        usual[name] = float(read_frame(connection, recent)["price"].median())
    return usual


def _edits(connection: Connection, listing_keys: pd.Series[int]) -> pd.Series[str]:
    """Return what was done to the surest copied photo of each listing that has one."""
    names = ("listing_key", "image_id", "other_image_id", "edit", "same_photo")
    found = read_by_keys(connection, whole_table(matches, names), matches.c.listing_key, listing_keys)
    surest = found.sort_values(["same_photo", "image_id", "other_image_id"], ascending=[False, True, True])
    return surest.drop_duplicates("listing_key").set_index("listing_key")["edit"]


def _strongest(reasons: str) -> str:
    told = json.loads(reasons)
    return str(told[0]["code"]) if told else ""
