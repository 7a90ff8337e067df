"""Saving what the tables say: listings with their picture addresses, sellers and labels.

Listings and sellers are kept as versions: a row that says something new adds one, one that repeats what is known adds
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sqlalchemy import select

from data.catalog.database.frames import insert, joined_ids, joined_keys, read_by_keys, to_microseconds, upsert
from data.catalog.database.schema import fetches, image_links, labels, listings, sellers
from data.catalog.market.matches import reopen_accounts
from data.catalog.market.prices import forget_days
from data.catalog.market.scoring_moments import note_news
from data.catalog.market.texts import await_reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from data.catalog.market.loads import Load

LISTING_CONTENT = (
    "seller_id", "created_at", "title", "description", "category", "location", "url", "price", "currency",
    "attributes", "image_urls",
)  # fmt: skip
SELLER_CONTENT = ("joined_at", "feedback_count", "rating", "country", "group_id", "attributes")
PENDING = "pending"
KEPT = -1


@dataclass(frozen=True, slots=True)
class Saved:
    """How many rows were new, and which could not be kept (``_line`` with ``column_name, reason, value``)."""

    new: int
    rejects: pd.DataFrame


def save_listings(connection: Connection, load: Load, rows: pd.DataFrame) -> Saved:
    """Keep new versions of listings and queue the addresses of their pictures.

    Parameters
    ----------
    rows
        Validated rows of the listings table, with ``_line``; ``observed_at`` may be missing.
    """
    default = rows["created_at"] if load.first_bulk else pd.Series(load.started_at, index=rows.index)
    undated = rows["observed_at"].isna()
    rows = rows.assign(
        listing_key=joined_keys(rows["marketplace"], rows["listing_id"]),
        seller_key=joined_keys(rows["marketplace"], rows["seller_id"]),
        observed_at=rows["observed_at"].fillna(default),
        content_id=content_ids(rows.assign(image_urls=rows["image_urls"].map("|".join)), LISTING_CONTENT),
    )
    query = select(
        listings.c.listing_key,
        listings.c.observed_at,
        listings.c.content_id,
        listings.c.listing_id,
        listings.c.seller_key,
        listings.c.created_at,
    )
    known = read_by_keys(connection, query, listings.c.listing_key, rows["listing_key"])
    foreign = _of_another_seller(rows, known)
    settled = settle(rows[~foreign & ~(undated & _replaced(rows, known))], known, "listing_key")
    insert(connection, listings, settled.new[[c.name for c in listings.columns if c.name in settled.new]])
    await_reading(connection, settled.new)
    note_news(connection, settled.new["listing_key"])
    forget_days(connection, settled.new["observed_at"])
    _save_links(connection, load, settled.new)
    refused = pd.concat(
        [
            _refused(rows[foreign], "seller_id", "this listing_id belongs to another seller already"),
            _refused(settled.contradicted, "listing_id", "another row with this listing_id and observed_at differs"),
        ]
    )
    return Saved(len(settled.new), refused)


def save_sellers(connection: Connection, load: Load, rows: pd.DataFrame) -> Saved:
    """Keep new versions of seller accounts.

    Without an ``observed_at``, in the first bulk load, what hardly changes (country, group) counts from ``joined_at``
    on; feedback and rating are a snapshot of the day and count only from the load on. Later loads count from their own
    clock.
    """
    rows = rows.assign(seller_key=joined_keys(rows["marketplace"], rows["seller_id"]))
    dated = rows[rows["observed_at"].notna()]
    undated = rows[rows["observed_at"].isna()].assign(observed_at=load.started_at)
    parts = [dated, undated]
    if load.first_bulk:
        since_joined = undated[undated["joined_at"].notna()]
        parts.append(
            since_joined.assign(observed_at=since_joined["joined_at"], feedback_count=float("nan"), rating=float("nan"))
        )
    versions = pd.concat(parts, ignore_index=True).astype({"observed_at": "datetime64[us, UTC]"})
    versions["content_id"] = content_ids(versions, SELLER_CONTENT)
    query = select(sellers.c.seller_key, sellers.c.observed_at, sellers.c.content_id)
    known = read_by_keys(connection, query, sellers.c.seller_key, versions["seller_key"])
    settled = settle(versions, known, "seller_key")
    insert(connection, sellers, settled.new[[c.name for c in sellers.columns if c.name in settled.new]])
    if len(settled.new):
        reopen_accounts(connection, settled.new)
    reason = "another row with this seller_id and observed_at differs"
    return Saved(len(settled.new), _refused(settled.contradicted.drop_duplicates("_line"), "seller_id", reason))


def save_labels(connection: Connection, rows: pd.DataFrame) -> Saved:
    """Keep labels, also of listings that are not known yet; a label counts from ``labelled_at`` (or later, if told)."""
    rows = rows.assign(
        listing_key=joined_keys(rows["marketplace"], rows["listing_id"]),
        source=rows["source"].fillna(""),
        observed_at=rows["observed_at"].fillna(rows["labelled_at"]),
    )
    key = ["listing_key", "labelled_at", "source"]
    query = select(*(labels.c[name] for name in (*key, "label")))
    known = read_by_keys(connection, query, labels.c.listing_key, rows["listing_key"]).assign(_line=-1)
    both = pd.concat([known, rows], ignore_index=True)
    contradicts = both["label"] != both.groupby(key, sort=False)["label"].transform("first")
    new = both[~both.duplicated(key) & (both["_line"] >= 0)]
    insert(connection, labels, new[[column.name for column in labels.columns]])
    reason = "another label of this listing, time and source says otherwise"
    return Saved(len(new), _refused(both[contradicts & (both["_line"] >= 0)], "label", reason))


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of incoming rows: ``new`` versions, and ``contradicted`` rows that say otherwise at the same time."""

    new: pd.DataFrame
    contradicted: pd.DataFrame


def content_ids(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return an id of each row's content in ``columns``; missing differs from empty."""
    return joined_ids(*(_texts(frame[name]) for name in columns))


def settle(incoming: pd.DataFrame, known: pd.DataFrame, key: str) -> Settled:
    """Tell new versions from repetitions and contradictions.

    Parameters
    ----------
    incoming
        Rows with ``key``, ``observed_at`` and ``content_id``, in reading order.
    known
        The versions already kept of the same keys, same three columns.
    key
        Name of the key column.
    """
    columns = [key, "observed_at", "content_id"]
    # Only these columns are put together: others would have to be filled, and filled whole numbers lose their bits.
    rows = pd.concat(
        [known[columns].assign(row=KEPT), incoming[columns].assign(row=np.arange(len(incoming)))], ignore_index=True
    ).sort_values([key, "observed_at", "row"], kind="stable", ignore_index=True)
    contradicts = rows["content_id"] != rows.groupby([key, "observed_at"])["content_id"].transform("first")
    first = rows.drop_duplicates([key, "observed_at"])
    # A version that repeats the one before it says nothing.
    repeats = first["content_id"] == first.groupby(key, sort=False)["content_id"].shift()
    return Settled(_rows(incoming, first.loc[~repeats, "row"]), _rows(incoming, rows.loc[contradicts, "row"]))


def _of_another_seller(rows: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    owners = pd.concat([known, rows])[["listing_key", "seller_key", "listing_id"]].drop_duplicates("listing_key")
    owner = rows[["listing_key"]].merge(owners, on="listing_key", how="left").set_axis(rows.index)
    return (owner["seller_key"] != rows["seller_key"]) | (owner["listing_id"] != rows["listing_id"])


def _replaced(rows: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """Tell which rows repeat a kept version that a later posting under the same id has replaced."""
    newest = known.groupby("listing_key")["created_at"].max()
    older = rows["created_at"] < newest.reindex(rows["listing_key"]).set_axis(rows.index)
    return older & rows["content_id"].isin(known["content_id"])


def _save_links(connection: Connection, load: Load, versions: pd.DataFrame) -> None:
    links = versions[["listing_key", "observed_at", "image_urls"]].explode("image_urls")
    links = links[links["image_urls"].notna()]
    if links.empty:
        return
    links["position"] = links.groupby(level=0).cumcount()
    links = links.assign(url_id=joined_ids(links["image_urls"]), load_id=load.load_id)
    links = links.sort_values("observed_at", kind="stable").drop_duplicates(["listing_key", "url_id"])
    links = _earlier_than_kept(connection, links)
    upsert(connection, image_links, links.drop(columns="image_urls"))
    addresses = links[["url_id", "image_urls"]].rename(columns={"image_urls": "image_url"}).drop_duplicates("url_id")
    insert(connection, fetches, addresses.assign(status=PENDING, attempts=0))


def _earlier_than_kept(connection: Connection, links: pd.DataFrame) -> pd.DataFrame:
    """Return the links that are new, or of an earlier version of the listing than the one that brought them before."""
    query = select(image_links.c.listing_key, image_links.c.url_id, image_links.c.observed_at.label("kept_at"))
    kept = read_by_keys(connection, query, image_links.c.listing_key, links["listing_key"])
    kept_at = links.merge(kept, on=["listing_key", "url_id"], how="left")["kept_at"].set_axis(links.index)
    return links[kept_at.isna() | (links["observed_at"] < kept_at)]


def _refused(rows: pd.DataFrame, column: str, reason: str) -> pd.DataFrame:
    return pd.DataFrame({"_line": rows["_line"], "column_name": column, "reason": reason, "value": rows[column]})


def _rows(incoming: pd.DataFrame, numbers: pd.Series) -> pd.DataFrame:
    return incoming.iloc[np.sort(numbers[numbers != KEPT])]


def _texts(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = to_microseconds(column)
    return column.astype(object).map(repr, na_action="ignore").astype(object).where(column.notna(), "")
