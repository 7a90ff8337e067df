"""A catalog of any size without pictures: the rows that loading, fingerprinting, matching and scoring would have left.

Every day brings as many listings as any other, so that a catalog ten times as large reaches back ten times as far: a
private seller posts a few within some weeks, a dealer goes on for ever. Some listings show photos of earlier ones under
new bytes, some a stock photo, dealers repeat their texts.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data.catalog.database.frames import joined_keys
from features.point_in_time.feature_frame import SPEC_FINGERPRINT, SPECS
from features.point_in_time.price_features import product_models_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

A_DAY = 10_000
DAY_US = 86_400_000_000
END_US = 1_767_225_600_000_000  # 1 January 2026
PHOTOS = 4
DEALERS, DEALT = 2_000, 0.35
LARGE_DEALERS = 0.7
"""Of dealers in the order of their size, the n-th has n to the minus this of what the largest has."""
LISTINGS_A_PRIVATE_SELLER = 2
PRIVATE_SPAN = 10 * A_DAY
"""Listings of the whole market from a private seller's first to its last."""
THEFT, THEFT_WITHIN = 0.02, 30 * A_DAY
STOCK, STOCK_PHOTOS = 0.1, 3_000
TEMPLATES, TEMPLATED = 10, 0.3
CATEGORIES, MODELS, LOCATIONS = 60, 20_000, 500
LABELLED, LABELLED_THEFTS = 0.03, 0.6
SEED = 20
ROWS_AT_ONCE = 50_000


@dataclass(frozen=True)
class Generated:
    """Listings numbered by time, and which of them took, repeat or share what.

    Parameters
    ----------
    count
        Listings.
    """

    count: int
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(SEED))

    @cached_property
    def number(self) -> Integers:
        return np.arange(self.count)

    @cached_property
    def observed_at(self) -> Integers:
        return END_US - (self.count - self.number) * (DAY_US // A_DAY)

    @cached_property
    def dealt(self) -> NDArray[np.bool_]:
        return self.rng.random(self.count) < DEALT

    @cached_property
    def seller(self) -> Integers:
        dealer = self.rng.choice(DEALERS, self.count, p=_falling(DEALERS, LARGE_DEALERS))
        apart = (1 - DEALT) / LISTINGS_A_PRIVATE_SELLER
        first = self.number - self.rng.integers(0, PRIVATE_SPAN, self.count)
        private = DEALERS + (np.maximum(first, 0) * apart).astype(np.int64)
        return np.where(self.dealt, dealer, private)

    @cached_property
    def source(self) -> Integers:
        """The earlier listing whose photos a listing shows, -1 for its own."""
        back = self.number - self.rng.integers(1, THEFT_WITHIN, self.count)
        takes = (self.rng.random(self.count) < THEFT) & ~self.dealt & (back >= 0)
        takes &= self.seller[np.maximum(back, 0)] != self.seller
        return np.where(takes, back, -1)

    @cached_property
    def stock(self) -> Integers:
        """The stock photo that stands in a listing's last place, -1 for none."""
        drawn = self.rng.choice(STOCK_PHOTOS, self.count, p=_falling(STOCK_PHOTOS, LARGE_DEALERS))
        return np.where((self.rng.random(self.count) < STOCK) & (self.source < 0), drawn, -1)

    @cached_property
    def template(self) -> Integers:
        """Which text a listing repeats, -1 for one of its own; thieves take half of their victims' too."""
        own = self.seller * TEMPLATES + self.rng.integers(0, TEMPLATES, self.count)
        return np.where(self.dealt & (self.rng.random(self.count) < TEMPLATED), own, -1)

    @cached_property
    def model(self) -> Integers:
        return self.rng.choice(MODELS, self.count, p=_falling(MODELS, LARGE_DEALERS))

    @cached_property
    def title(self) -> list[str]:
        return [f"Maker{model % 97} M{model} goods, {number}" for number, model in enumerate(self.model.tolist())]

    @cached_property
    def category(self) -> list[str]:
        drawn = self.rng.choice(CATEGORIES, self.count, p=_falling(CATEGORIES, 1.0))
        return [f"category {number}" for number in drawn.tolist()]

    @cached_property
    def price(self) -> NDArray[np.float64]:
        return np.round(np.exp(self.rng.normal(4, 1, self.count)), 2)

    @cached_property
    def listing_key(self) -> Integers:
        return joined_keys(["default"] * self.count, [f"L{number}" for number in range(self.count)])

    @cached_property
    def seller_key(self) -> Integers:
        names = joined_keys(["default"] * self.sellers, [f"S{number}" for number in range(self.sellers)])
        return names[self.seller]

    @cached_property
    def sellers(self) -> int:
        return int(self.seller.max()) + 1

    @cached_property
    def pictures(self) -> list[str]:
        """Ids of all pictures: those of each listing's places in turn, then the stock photos."""
        total = self.count * PHOTOS + STOCK_PHOTOS
        return [hashlib.sha256(b"%d" % number).hexdigest() for number in range(total)]

    @cached_property
    def shown(self) -> Integers:
        """Which picture stands in each place of each listing, shape (listings, `PHOTOS`)."""
        shown = np.arange(self.count * PHOTOS).reshape(-1, PHOTOS)
        shown[:, -1] = np.where(self.stock >= 0, self.count * PHOTOS + self.stock, shown[:, -1])
        return shown


def fill(path: Path, market: Generated, scored: int) -> None:
    """Write the rows of a market into an empty catalog; the first so many listings have scores."""
    connection = sqlite3.connect(path)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-2000000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL").fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    for write in (_parties, _pictures, _matches, _texts, _labels):
        write(connection, market)
    _scores(connection, market, scored)
    for _, sql in indexes:
        connection.execute(sql)
    connection.commit()
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _parties(connection: sqlite3.Connection, market: Generated) -> None:
    rng, count = market.rng, market.count
    words = [" ".join(f"w{word}" for word in rng.integers(0, 5_000, 45)) for _ in range(500)]
    location = np.where(market.dealt, market.seller % LOCATIONS, rng.integers(0, LOCATIONS, count))
    rows = {
        "listing_key": market.listing_key,
        "observed_at": market.observed_at,
        "marketplace": ["default"] * count,
        "listing_id": [f"L{number}" for number in range(count)],
        "seller_key": market.seller_key,
        "seller_id": [f"S{number}" for number in market.seller.tolist()],
        "created_at": market.observed_at - rng.integers(0, DAY_US // 24, count),
        "title": market.title,
        "description": [f"{words[number % 500]} {number}" for number in range(count)],
        "category": market.category,
        "location": [f"town {number}" for number in location.tolist()],
        "price": market.price,
        "currency": ["EUR"] * count,
        "content_id": [f"{number:032x}" for number in range(count)],
    }
    _insert(connection, "listings", rows)
    sellers, first = np.unique(market.seller, return_index=True)
    since = market.observed_at[first]
    accounts = {
        "seller_key": market.seller_key[first],
        "observed_at": since,
        "marketplace": ["default"] * len(sellers),
        "seller_id": [f"S{number}" for number in sellers.tolist()],
        "joined_at": since - rng.integers(0, 1_000 * DAY_US, len(sellers)),
        "feedback_count": rng.integers(0, 200, len(sellers)).astype(np.float64),
        "content_id": [f"{number:032x}" for number in sellers.tolist()],
    }
    _insert(connection, "sellers", accounts)


def _pictures(connection: sqlite3.Connection, market: Generated) -> None:
    rng, count = market.rng, len(market.pictures)
    used = np.concatenate([np.unique(market.shown)])
    hashes = rng.integers(-(2**63), 2**63 - 1, (5, len(used)))
    images = {
        "image_id": [market.pictures[number] for number in used.tolist()],
        "status": ["hashed"] * len(used),
        "width": rng.integers(400, 2_000, len(used)),
        "height": rng.integers(400, 2_000, len(used)),
        "format": ["JPEG"] * len(used),
        **dict(zip(("ahash", "phash", "dhash", "whash", "colorhash"), hashes, strict=True)),
        "information": rng.uniform(0.2, 6.0, count)[used],
        "recipe": ["generated"] * len(used),
        "compared": [1] * len(used),
    }
    _insert(connection, "images", images)
    sightings = {
        "image_id": [market.pictures[number] for number in market.shown.ravel().tolist()],
        "listing_key": np.repeat(market.listing_key, PHOTOS),
        "seller_key": np.repeat(market.seller_key, PHOTOS),
        "position": np.tile(np.arange(PHOTOS), market.count),
        "observed_at": np.repeat(market.observed_at, PHOTOS),
        "created_at": np.repeat(market.observed_at, PHOTOS),
        "matched": [1] * market.shown.size,
    }
    _insert(connection, "sightings", sightings)


def _matches(connection: sqlite3.Connection, market: Generated) -> None:
    taken = np.flatnonzero(market.source >= 0)
    photo = np.repeat(taken, PHOTOS)
    place = np.tile(np.arange(PHOTOS), len(taken))
    other = np.repeat(market.source[taken], PHOTOS)
    stocked = np.flatnonzero(market.stock >= 0)
    shown, first = np.unique(market.stock[stocked], return_index=True)
    earliest = np.full(STOCK_PHOTOS, -1)
    earliest[shown] = stocked[first]
    by_others = stocked[market.seller[earliest[market.stock[stocked]]] != market.seller[stocked]]
    listing = np.concatenate([photo, by_others])
    own = np.concatenate([market.shown[photo, place], market.shown[by_others, -1]])
    origin = np.concatenate([other, earliest[market.stock[by_others]]])
    original = np.concatenate([market.shown[other, place], market.shown[by_others, -1]])
    times = _times_before(original)
    pairs = {
        "image_id": [market.pictures[number] for number in own.tolist()],
        "other_image_id": [market.pictures[number] for number in original.tolist()],
        **{f"distance_{kind}": own % 7 for kind in ("ahash", "phash", "dhash", "whash", "colorhash")},
        "edit": np.where(own == original, "none", "recompressed"),
        "same_photo": np.where(own == original, 1.0, 0.97),
    }
    matches = {
        "listing_key": market.listing_key[listing],
        "seller_key": market.seller_key[listing],
        "observed_at": market.observed_at[listing],
        "other_listing_key": market.listing_key[origin],
        "other_seller_key": market.seller_key[origin],
        "other_observed_at": market.observed_at[origin],
        "other_created_at": market.observed_at[origin],
        "sellers_sharing": times + 1,
        "sightings": times + 1,
    }
    _insert(connection, "matches", pairs | matches)
    _insert(connection, "alike", {name: values[: len(photo)] for name, values in pairs.items()}, ignore=True)


def _texts(connection: sqlite3.Connection, market: Generated) -> None:
    count = market.count
    takes = (market.source >= 0) & (market.number % 2 == 0)
    unique = market.sellers * TEMPLATES + np.where(takes, market.source, market.number)
    text = np.where(market.template >= 0, market.template, unique)
    scattered = np.random.default_rng(SEED).permutation(int(text.max()) + 1)[text]
    bands = {f"band_{band}": (scattered + 1) * 4_000_000_007 * band for band in range(1, 5)}
    versions = {"listing_key": market.listing_key, "observed_at": market.observed_at, "seller_key": market.seller_key}
    named = pd.DataFrame({"title": market.title, "category": market.category})
    goods = product_models_of(named.assign(marketplace="default", currency="EUR")).tolist()
    _insert(connection, "texts", versions | {"hashed": [1] * count} | bands | {"goods": goods, "price": market.price})


def _labels(connection: sqlite3.Connection, market: Generated) -> None:
    theft = market.source >= 0
    decided = market.rng.random(market.count) < np.where(theft, LABELLED_THEFTS, LABELLED)
    labelled_at = market.observed_at + market.rng.integers(DAY_US, 20 * DAY_US, market.count)
    rows = np.flatnonzero(decided & (labelled_at < END_US))
    labels = {
        "listing_key": market.listing_key[rows],
        "labelled_at": labelled_at[rows],
        "source": ["outside"] * len(rows),
        "marketplace": ["default"] * len(rows),
        "listing_id": [f"L{number}" for number in rows.tolist()],
        "label": np.where(theft[rows], "fraud", "legit"),
        "observed_at": labelled_at[rows],
    }
    _insert(connection, "labels", labels)


def _scores(connection: sqlite3.Connection, market: Generated, count: int) -> None:
    moments = {"listing_key": market.listing_key[:count], "as_of": market.observed_at[:count]}
    kept = {
        "model_id": ["rule-generated"] * count,
        "observed_at": market.observed_at[:count],
        "score": market.rng.random(count),
        "rank": market.number[:count] % A_DAY + 1,
        "band": ["low"] * count,
        "reasons": ["[]"] * count,
        "spec": [SPEC_FINGERPRINT] * count,
        "matched_images": [0] * count,
        "images": [PHOTOS] * count,
        "run_id": [f"run {number // A_DAY}" for number in range(count)],
    }
    _insert(connection, "scores", moments | kept)
    _insert(connection, "news", {"listing_key": market.listing_key[count:]})
    vector = np.arange(len(SPECS), dtype="<f8").tobytes()
    _insert(connection, "features", moments | {"spec": [SPEC_FINGERPRINT] * count, "vector": [vector] * count})


def _falling(count: int, exponent: float) -> NDArray[np.float64]:
    weights = np.arange(1, count + 1) ** -exponent
    return weights / weights.sum()


def _times_before(values: Integers) -> Integers:
    """Return how often each value stood before, in the order of the array."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.searchsorted(ordered, ordered)
    times = np.empty(len(values), np.int64)
    times[order] = np.arange(len(values)) - starts
    return times


def _insert(
    connection: sqlite3.Connection,
    table: str,
    columns: dict[str, Sequence[Any] | NDArray[Any]],
    *,
    ignore: bool = False,
) -> None:
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    statement = f"INSERT{' OR IGNORE' if ignore else ''} INTO {table} ({names}) VALUES ({marks})"
    size = len(next(iter(columns.values())))
    for start in range(0, size, ROWS_AT_ONCE):
        parts = [_plain(values[start : start + ROWS_AT_ONCE]) for values in columns.values()]
        connection.executemany(statement, zip(*parts, strict=True))


def _plain(values: Sequence[Any] | NDArray[Any]) -> Iterable[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else values
