"""Compare new pictures with all known ones, and turn pairs, sellers and time into match facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.catalog.market.matches import (
    fingerprints,
    matching_facts,
    reopen_later,
    save_alike,
    save_matches,
    unmatched_listings,
)
from features.copies.near_duplicates import near_duplicate_pairs
from features.hashing.fingerprint import RECIPE
from features.point_in_time.ring_features import TIE_LIMITS
from features.sightings.earlier_sightings import earlier_sightings
from models.serving.pictures.picture_index import index_with

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from models.serving.context import Context

Counts = dict[str, int]
COMPARED_AT_ONCE = 2_000


def compare_new_pictures(context: Context, now: datetime) -> Counts:
    """Find the pictures like those that were not compared yet, among all known ones and each other.

    They are compared and kept some thousands at a time: what was compared when a run ends is not compared again.
    """
    counts = {"compared": 0, "alike": 0}
    with context.catalog.read() as connection:
        new = fingerprints(connection, RECIPE, compared=False, limit=COMPARED_AT_ONCE)
    while not new.empty:
        known = index_with(context, new, now)
        pairs = near_duplicate_pairs(known, known.pictures.rows(new["image_id"]))
        with context.catalog.write() as connection:
            save_alike(connection, new["image_id"].tolist(), pairs)
        counts["compared"] += len(new)
        counts["alike"] += len(pairs)
        with context.catalog.read() as connection:
            new = fingerprints(connection, RECIPE, compared=False, limit=COMPARED_AT_ONCE)
    return counts


def reopen_listings(context: Context) -> Counts:
    """Let listings be matched again for which an earlier sighting became known only now."""
    with context.catalog.write() as connection:
        return {"reopened": reopen_later(connection)}


def listings_to_match(context: Context) -> list[int]:
    """Return the keys of the listings whose pictures are to be matched."""
    with context.catalog.read() as connection:
        return unmatched_listings(connection)


def match(context: Context, listing_keys: Sequence[int]) -> Counts:
    """Match all pictures of some listings with earlier sightings under other sellers."""
    with context.catalog.read() as connection:
        facts = matching_facts(connection, listing_keys)
    found = earlier_sightings(facts.own, facts.alike, facts.sightings, facts.sellers, facts.different)
    with context.catalog.write() as connection:
        save_matches(connection, listing_keys, found, TIE_LIMITS)
    return {"matches": len(found)}
