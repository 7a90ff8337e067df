"""Score one listing now, and keep nothing of it.

What ingest and scoring would write is written in a transaction that never commits, and scored as it stands there: so
the score is the one that they would give, to the last bit.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data.catalog.database.frames import joined_ids, joined_keys, records
from data.catalog.market.listings import save_listings
from data.catalog.market.loads import Load
from data.catalog.market.matches import matching_facts, save_alike, save_matches, settled_pictures
from data.catalog.market.photo_sightings import with_names
from data.catalog.market.pictures import read_fetches, save_fetches, save_fingerprints, sight_known_pictures
from data.catalog.market.scoring_moments import newest_moment
from data.catalog.market.texts import READ, save_texts
from data.errors import SourceError
from data.sources.batching import Batch
from data.tables.validation import LISTINGS, Mapping, validate
from features.copies.near_duplicates import near_duplicate_pairs
from features.facts import FINGERPRINT_COLUMNS, HASH_KINDS
from features.hashing.fingerprint import RECIPE
from features.keypoints.descriptor import unpack
from features.point_in_time.feature_frame import build
from features.point_in_time.ring_features import TIE_LIMITS
from features.sightings.earlier_sightings import earlier_sightings
from models.serving.load_tables import listing_texts
from models.serving.pictures.fetch_pictures import fingerprint_rows
from models.serving.pictures.picture_index import index_beside
from models.serving.pictures.query_pictures import Upload, why_unread
from models.serving.pictures.temporary_pictures import fetch_once, fingerprint_stored, take_upload, temporary_store
from models.serving.scoring.score_listings import known_facts, model_in_use, score_features, scorer_named

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from data.catalog.database.engine import Connection
    from data.images.fetch_outcome import FetchOutcome
    from models.estimator.scorer import Scorer
    from models.serving.context import Context
    from models.serving.decoding.worker import Message

SOURCE = "the listing"
ADVICE = "Nothing was scored; docs/tables.md explains every column."
HANDED_IN = "given://"
"""Begins the address of a picture that came with the question; the rest is its number and its digest."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A listing as somebody tells of it.

    Parameters
    ----------
    columns
        Texts by column of the listings table; others count as attributes. Without ``observed_at`` it is known since
        the moment that is asked at. Only addresses of the web count as ``image_urls``.
    pictures
        Its pictures, or more of them, as files.
    """

    columns: dict[str, str]
    pictures: tuple[Upload, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ListingScore:
    """What scoring says of a listing.

    Parameters
    ----------
    score
        One row: what `models.serving.scoring.score_listings.score_rows` gives, with ``first_listing_id`` and
        ``first_seller_id``.
    features
        One row: what it was scored by.
    evidence
        The matches behind it, as `features.point_in_time.feature_frame.evidence` gives them, with ``other_listing_id,
        other_seller_id,
        other_marketplace``.
    unread
        The pictures that could not be looked at: address or file name, and why.
    """

    score: dict[str, Any]
    features: pd.DataFrame
    evidence: pd.DataFrame
    unread: tuple[tuple[str, str], ...]

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """Why it was scored so, the strongest reason first."""
        told: list[dict[str, Any]] = json.loads(self.score["reasons"])
        return told


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What was found out about the pictures of a listing before the catalog is asked anything in earnest.

    Parameters
    ----------
    outcomes
        What became of the addresses that had given no picture so far.
    new
        What the workers say of pictures that the catalog does not know all about.
    alike
        The pairs that these are in.
    unread
        As in `ListingScore`.
    """

    outcomes: list[FetchOutcome]
    new: list[Message]
    alike: pd.DataFrame
    unread: tuple[tuple[str, str], ...]


def score_listing(context: Context, posting: Posting, now: datetime) -> ListingScore:
    """Score a listing as of now, with all that is known by then, and keep nothing of it.

    A listing that is in the catalog as given gets the score that it has there. Pictures at addresses that gave one
    before are not downloaded again. Scores that others of the seller's listings would get with this one are not asked
    for.

    Parameters
    ----------
    now
        Aware UTC.

    Raises
    ------
    SourceError
        The listing is none that ingest would keep; every fault is named.
    """
    rows = _validated(posting, now)
    seen = _looked_at(context, rows["image_urls"].iloc[0], posting.pictures, now)
    rows["image_urls"] = [[*rows["image_urls"].iloc[0], *_addresses(posting.pictures)]]
    scorer = _opened(context, model_in_use(context))
    with context.catalog.supposing() as connection:
        key = _suppose(connection, rows, seen, Load("supposed", now, first_bulk=False))
        moments = newest_moment(connection, key, now)
        facts = known_facts(connection, moments)
    features = build(moments, facts)
    scored, found = score_features(moments, features, facts, scorer)
    return _judged(context, scored, features, found[found["copied"]].reset_index(drop=True), seen)


@lru_cache(maxsize=2)
def _opened(context: Context, model_id: str) -> Scorer:
    """Open a model once a process: what stands under an id never changes."""
    return scorer_named(context, model_id)


def _validated(posting: Posting, now: datetime) -> pd.DataFrame:
    """Return the listing as one row of the listings table."""
    given = {column.name: "" for column in LISTINGS.columns} | posting.columns
    texts = pd.DataFrame({name: [text or None] for name, text in given.items()}, dtype="str")
    batch = Batch(source=SOURCE, number=1, frame=texts, lines=np.array([1]))
    valid = validate(batch, LISTINGS, mapping=Mapping(()), timezone=None)
    faults = [f"{fault.column_name} {fault.reason}" for fault in valid.rejects.itertuples()]
    if not faults and valid.rows["observed_at"].iloc[0] > now:
        faults = ["observed_at lies ahead of now"]
    if faults:
        raise SourceError(SOURCE, "; ".join(faults), ADVICE)
    return valid.rows


def _looked_at(context: Context, urls: list[str], pictures: Sequence[Upload], now: datetime) -> _Seen:
    """Fetch and fingerprint what is not known yet, and find what is like it."""
    with context.catalog.read() as connection:
        stored = read_fetches(connection, joined_ids(urls))
    known = set(stored.loc[stored["known_image_id"].notna(), "image_url"])
    with temporary_store(context) as apart:
        names = dict(zip(_addresses(pictures), pictures, strict=True))
        outcomes = [take_upload(apart, address, upload.content) for address, upload in names.items()]
        outcomes += fetch_once(apart, [url for url in urls if url not in known])
        arrived = [outcome.image_id for outcome in outcomes if outcome.image_id is not None]
        found = fingerprint_stored(apart, arrived)
    with context.catalog.read() as connection:
        settled = settled_pictures(connection, RECIPE, arrived)
    new = [message | {"recipe": RECIPE} for image_id, message in found.items() if image_id not in settled]
    told = ((outcome, why_unread(outcome, found)) for outcome in outcomes)
    unread = [(names[o.url].name if o.url in names else o.url, why) for o, why in told if why is not None]
    return _Seen(outcomes, new, _alike(context, new, now), tuple(unread))


def _addresses(pictures: Sequence[Upload]) -> list[str]:
    return [f"{HANDED_IN}{number}/{sha256(picture.content).hexdigest()}" for number, picture in enumerate(pictures)]


def _alike(context: Context, new: Sequence[Message], now: datetime) -> pd.DataFrame:
    """Find the known pictures that new ones are like."""
    readable = [message for message in new if message["reason"] is None]
    prints = pd.DataFrame(readable, columns=list(FINGERPRINT_COLUMNS)).astype(dict.fromkeys(HASH_KINDS, np.uint64))
    collection = index_beside(context, prints, {message["image_id"]: unpack(message) for message in readable}, now)
    return near_duplicate_pairs(collection, collection.pictures.rows(prints["image_id"]))


def _suppose(connection: Connection, rows: pd.DataFrame, seen: _Seen, load: Load) -> int:
    """Write what ingest would write of a listing, and return its key."""
    saved = save_listings(connection, load, rows)
    if len(saved.rejects):
        refused = saved.rejects.iloc[0]
        raise SourceError(SOURCE, f"{refused['column_name']}: {refused['reason']}", ADVICE)
    if saved.new:
        save_texts(connection, listing_texts(_version(rows, load)))
    _suppose_pictures(connection, seen, load)
    key = int(joined_keys(rows["marketplace"], rows["listing_id"])[0])
    facts = matching_facts(connection, [key])
    found = earlier_sightings(facts.own, facts.alike, facts.sightings, facts.sellers, facts.different)
    save_matches(connection, [key], found, TIE_LIMITS)
    return key


def _version(rows: pd.DataFrame, load: Load) -> pd.DataFrame:
    version = rows.assign(
        listing_key=joined_keys(rows["marketplace"], rows["listing_id"]),
        seller_key=joined_keys(rows["marketplace"], rows["seller_id"]),
        observed_at=rows["observed_at"].fillna(load.started_at),
    )
    return version[list(READ)]


def _suppose_pictures(connection: Connection, seen: _Seen, load: Load) -> None:
    sight_known_pictures(connection, load)
    if seen.outcomes:
        asked = read_fetches(connection, joined_ids([outcome.url for outcome in seen.outcomes]))
        answered = pd.DataFrame([asdict(outcome) for outcome in seen.outcomes]).rename(columns={"url": "image_url"})
        save_fetches(connection, load, asked.merge(answered, on="image_url"))
    if seen.new:
        save_fingerprints(connection, fingerprint_rows(seen.new), TIE_LIMITS)
        readable = [message["image_id"] for message in seen.new if message["reason"] is None]
        save_alike(connection, readable, seen.alike)


def _judged(
    context: Context, scored: pd.DataFrame, features: pd.DataFrame, found: pd.DataFrame, seen: _Seen
) -> ListingScore:
    with context.catalog.read() as connection:
        named = with_names(connection, found, "other_")
        (score,) = records(with_names(connection, scored, "first_"))
    return ListingScore(score, features, named, seen.unread)
