"""The feature frame: one row for each listing and moment, made only of what was known then."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.facts import MATCH_COLUMNS, Facts
from features.point_in_time.habit_features import HABIT_SPECS, habit_block
from features.point_in_time.listing_features import LISTING_SPECS, TEXT_SPECS, listing_block, text_block
from features.point_in_time.price_features import PRICE_SPECS, PRODUCT_MODEL_SPECS, price_block, product_model_block
from features.point_in_time.reuse_features import ORIGINAL_SPECS, REUSE_SPECS, original_block, reuse_block
from features.point_in_time.ring_features import RING_SPECS, ring_block
from features.point_in_time.seller_features import SELLER_SPECS, seller_block
from features.sightings.evidence import BEST_FIRST, Judgements, copies, judge, photos_shown, visible
from features.spec import fingerprint
from features.timeline import Timeline, microseconds

SPECS = (
    *REUSE_SPECS,
    *ORIGINAL_SPECS,
    *PRICE_SPECS,
    *PRODUCT_MODEL_SPECS,
    *SELLER_SPECS,
    *HABIT_SPECS,
    *RING_SPECS,
    *LISTING_SPECS,
    *TEXT_SPECS,
)
"""All features, in the order of the frame's columns."""

SPEC_FINGERPRINT = fingerprint(SPECS)
"""Names the list; a model only takes frames of the list it was trained on."""

EARLIEST_FIRST = ["other_observed_at", "other_created_at", "other_listing_key"]


def build(moments: pd.DataFrame, facts: Facts, judgements: Judgements | None = None) -> pd.DataFrame:
    """Describe listings as of moments.

    A row depends on its own listing and moment and on what was observed by then (prices: on the days before), and on
    nothing else: neither on the order of any rows, nor on the other moments asked for, nor on anything later.

    Parameters
    ----------
    moments
        ``listing_key, as_of``, with any index.
    facts
        What is known about these listings and their sellers, also beyond the moments.
    judgements
        `features.sightings.evidence.judge` of the facts, where it is at hand.

    Returns
    -------
    pandas.DataFrame
        One ``float64`` column for each of `SPECS`, in order, NaN for missing; the index of ``moments``.

    Raises
    ------
    ValueError
        If a listing was not known yet at its moment.
    """
    described = _described(moments, facts.listings)
    judgements = judgements or judge(facts)
    copied = copies(described, judgements)
    blocks = (
        reuse_block(described, judgements, copied),
        original_block(described, copied, facts),
        price_block(described, copied, facts),
        product_model_block(described, facts),
        seller_block(described, judgements, facts),
        habit_block(described, facts.listings),
        ring_block(described, facts),
        listing_block(described),
        text_block(described, facts),
    )
    columns = pd.concat(blocks, axis="columns")[[spec.name for spec in SPECS]]
    values = columns.to_numpy(np.float64, na_value=np.nan)
    # One NaN and one zero: their bytes carry no sign of how they came about.
    values = np.where(np.isnan(values), np.nan, values + 0.0)
    return pd.DataFrame(values, index=moments.index, columns=columns.columns)


def moments_of(listings: pd.DataFrame, sightings: pd.DataFrame, matches: pd.DataFrame) -> pd.DataFrame:
    """Return when each listing is to be described: whenever something about it was first known.

    That is a version of it, a picture of it, or that somebody else had posted such a picture earlier.

    Parameters
    ----------
    listings, sightings
        ``listing_key, observed_at``; sightings before a listing's first version wait for it.
    matches
        ``listing_key, observed_at, other_observed_at``: a late match is news, any other is known with its picture.

    Returns
    -------
    pandas.DataFrame
        Distinct ``listing_key, as_of``, ordered by time and then by listing.
    """
    columns = ["listing_key", "observed_at"]
    first = listings.groupby("listing_key")["observed_at"].min()
    late = matches.loc[matches["other_observed_at"] > matches["observed_at"], ["listing_key", "other_observed_at"]]
    late = late.rename(columns={"other_observed_at": "observed_at"})
    events = pd.concat([listings[columns], sightings[columns], late], ignore_index=True)
    # Not `map`: without any listing it would have no times to take the type of.
    known = events[events["observed_at"] >= first.reindex(events["listing_key"]).set_axis(events.index)]
    moments = known.rename(columns={"observed_at": "as_of"}).drop_duplicates()
    return moments.sort_values(["as_of", "listing_key"], ignore_index=True)


def first_owner(moments: pd.DataFrame, facts: Facts, judgements: Judgements | None = None) -> pd.DataFrame:
    """Return the earliest known poster of each listing's copied photos; parameters as of `build`.

    Returns
    -------
    pandas.DataFrame
        ``first_seller_key, first_listing_key`` (``Int64``, NA if no photo counts as copied), ``matched_images``
        (copied photos) and ``images`` (all photos), both ``int64``; the index of ``moments``.
    """
    described = _described(moments, facts.listings)
    judgements = judgements or judge(facts)
    copied = copies(described, judgements).sort_values(["moment", *EARLIEST_FIRST], kind="stable")
    owners = ["other_seller_key", "other_listing_key"]
    # Nullable before rows are added: 64-bit keys do not survive the float64 that a missing row would make of them.
    first = copied.drop_duplicates("moment").set_index("moment")[owners].astype("Int64").reindex(described.index)
    photos = photos_shown(described, judgements)
    counted = {"matched_images": photos["copied"], "images": photos["copied"].notna()}
    found = pd.DataFrame(
        {
            "first_seller_key": first["other_seller_key"],
            "first_listing_key": first["other_listing_key"],
            **{
                name: flags.groupby(photos["moment"]).sum().reindex(described.index, fill_value=0).astype("int64")
                for name, flags in counted.items()
            },
        }
    )
    return found.set_axis(moments.index)


def evidence(moments: pd.DataFrame, facts: Facts, judgements: Judgements | None = None) -> pd.DataFrame:
    """Return the matches behind the reuse features of each moment; parameters as of `build`.

    Returns
    -------
    pandas.DataFrame
        ``moment`` (position in ``moments``), ``as_of``, ``MATCH_COLUMNS``, ``created_at`` (of the own sighting),
        ``sellers_showing`` (how common the photo was by then, NaN if no match of it is the same photo), ``late``,
        ``certainty`` (both as in `features.sightings.evidence.Judgements`) and ``copied`` (whether the match counts);
        within a moment
        those that count come first, then the surest, then the earliest.
    """
    described = _described(moments, facts.listings)
    seen = visible(described, (judgements or judge(facts)).matches)
    order = {"moment": True, "copied": False, **BEST_FIRST}
    ordered = seen.sort_values(list(order), ascending=list(order.values()), ignore_index=True)
    return ordered[["moment", "as_of", *MATCH_COLUMNS, "created_at", "sellers_showing", "late", "certainty", "copied"]]


def _described(moments: pd.DataFrame, listings: pd.DataFrame) -> pd.DataFrame:
    """Return each listing's latest version by its moment, numbered from 0.

    Adds ``as_of`` and when the listing was first observed, the latter and ``as_of_us`` in microseconds since 1970. The
    seller is that of the listing's first version, so that it can never change.
    """
    keys, as_of_us = moments["listing_key"].to_numpy(np.int64), microseconds(moments["as_of"])
    timeline = Timeline.of(listings["listing_key"], listings["observed_at"])
    start, stop = timeline.until(keys, as_of_us)
    if (stop <= start).any():
        unknown = moments.iloc[int(np.argmax(stop <= start))]
        raise ValueError(
            f"Listing {unknown['listing_key']} was not known yet at {unknown['as_of']}: "
            "describe a listing only from its first version on (see moments_of)."
        )
    first = listings.iloc[timeline.order[start]]
    return (
        listings.iloc[timeline.order[stop - 1]]
        .reset_index(drop=True)
        .assign(
            as_of=moments["as_of"].array,
            as_of_us=as_of_us,
            seller_key=first["seller_key"].to_numpy(),
            first_observed_us=timeline.times[start],
        )
    )
