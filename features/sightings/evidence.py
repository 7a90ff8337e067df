"""Which matches count as evidence that a photo was taken from somebody else, and which of them a moment may see.

Judged are pictures, one by one. Counted are photos: the pictures of a listing that show the same one count once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.facts import DISTANCE_COLUMNS, LOW_INFORMATION
from features.sightings.photos import photo_of
from features.timeline import days_between

if TYPE_CHECKING:
    from features.facts import Facts

SAME_PHOTO = 0.5
"""From this probability on two pictures are taken for the same photo: more likely than not."""

FIRST = 0.5
"""From this certainty on the other party counts as the first to show a photo: more likely than not. Who is likelier to
have been first himself, though he was observed later, copied nothing."""

COMMON_SELLERS = 10
"""A photo that more other sellers than this had shown is nobody's: a maker's, a stock or a placeholder picture.

A judgement, not a measurement: a ring of accounts reuses a stolen photo over a handful of them, while the number of
sellers of a maker's picture keeps growing. Below the limit the features ``rarest_sellers`` and ``commonest_sellers``
say how common the photos are.
"""

PHOTO = ["listing_key", "image_id"]
STATE = [*PHOTO, "known_at"]
BEST_FIRST = {
    "sureness": False, "other_observed_at": True, "other_created_at": True, "other_listing_key": True,
    "image_id": True, "other_image_id": True,
}  # fmt: skip
"""The surest match first, of equally sure ones the earliest original; texts and keys only settle ties."""


@dataclass(frozen=True, slots=True)
class Judgements:
    """All pictures of the sellers concerned and their matches, judged as of each picture's own sighting.

    What is judged of a picture is settled when it is first known in its listing, but for late matches: when one becomes
    known, the picture and its matches are judged anew. Every judgement is a row of its own, which counts from
    ``known_at`` until ``replaced_at`` (NaT: for good), so that one reading serves every later moment.

    Parameters
    ----------
    photos
        One row for each sighting and judgement: ``listing_key, image_id, photo`` (equal for the pictures of a listing
        that are one photo, see `features.sightings.photos`), ``observed_at, readable, low_information,
        known_at, replaced_at``, the smallest distances over its matches (NaN without), ``same_photo`` (if the photo is
        telling, the largest over the matches that the other side was first with, else 0), ``sellers_showing`` (NaN if
        it is nobody's photo but the seller's) and ``copied``.
    matches
        ``MATCH_COLUMNS`` with the own ``created_at`` and ``photo``, ``late`` (the other side's earlier posting became
        known only after the own sighting), ``certainty`` (that the other side was first, see `with_certainty`),
        ``sureness`` (``same_photo`` times ``certainty``), ``known_at, replaced_at, sellers_showing`` and ``copied``.
    """

    photos: pd.DataFrame
    matches: pd.DataFrame


def judge(facts: Facts) -> Judgements:
    """Judge photos and matches: a match is copying if it is the same photo, the other side's first, and telling.

    A photo is *telling* if it is readable, holds information and is not common. ``sellers_showing`` is how many other
    sellers had shown it: the most for any picture that is the same photo, or the number of their first posters if that
    is larger. Both can only undercount, so that a victim's own re-listings never make a photo common.
    """
    photos = _own_photos(facts)
    own = photos[[*PHOTO, "photo", "created_at", "readable", "low_information"]]
    matches = facts.matches.merge(own, on=PHOTO)
    matches = with_certainty(matches)
    states = _states(photos, matches)
    matches = matches.rename(columns={"known_at": "matched_at"}).merge(states, on=PHOTO)
    matches = matches[matches["matched_at"] <= matches["known_at"]]
    same = matches["same_photo"] >= SAME_PHOTO
    by_state = matches[same].groupby(STATE)
    showing = by_state.agg(most=("sellers_sharing", "max"), first_posters=("other_seller_key", "nunique"))
    matches = matches.join(showing.max(axis="columns").astype("float64").rename("sellers_showing"), on=STATE)
    common = matches["sellers_showing"] > COMMON_SELLERS
    telling = matches["readable"] & ~matches["low_information"] & ~common
    against = telling & (matches["certainty"] >= FIRST)
    matches = matches.assign(copied=same & against, telling_same_photo=matches["same_photo"].where(against, 0.0))
    judgements = _with_best_match(photos.merge(states, on=PHOTO), matches)
    return Judgements(judgements, matches.drop(columns=["telling_same_photo", "matched_at"]))


def visible(described: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each described listing that hold at its moment.

    Parameters
    ----------
    described
        ``listing_key, as_of``; its index numbers the moments.
    rows
        ``listing_key, known_at, replaced_at`` and more, as in `Judgements`.

    Returns
    -------
    pandas.DataFrame
        ``rows`` with ``moment`` and ``as_of``; a row appears once for each moment that may see it.
    """
    moments = described[["listing_key", "as_of"]].rename_axis("moment").reset_index()
    joined = moments.merge(rows, on="listing_key")
    replaced = joined["replaced_at"] <= joined["as_of"]
    return joined[(joined["known_at"] <= joined["as_of"]) & ~replaced]


def photos_shown(described: pd.DataFrame, judgements: Judgements) -> pd.DataFrame:
    """Return the photos of each described listing as of its moment, whatever number of pictures shows each.

    Parameters
    ----------
    described
        ``listing_key, as_of``; its index numbers the moments.

    Returns
    -------
    pandas.DataFrame
        One row for each moment and photo: ``moment, photo``; ``readable`` and ``copied`` if any of its pictures is,
        ``low_information`` if all that are readable are; the largest ``same_photo`` and ``sellers_showing`` and the
        smallest distances.
    """
    seen = visible(described, judgements.photos)
    seen = seen.assign(informative=seen["readable"] & ~seen["low_information"])
    largest = ["readable", "informative", "copied", "same_photo", "sellers_showing"]
    by_photo = seen.groupby(["moment", "photo"])
    shown = by_photo[largest].max().join(by_photo[list(DISTANCE_COLUMNS)].min())
    return shown.assign(low_information=shown["readable"] & ~shown["informative"]).reset_index()


def copies(described: pd.DataFrame, judgements: Judgements) -> pd.DataFrame:
    """Return the matches that count as copying by each moment, the surest and earliest first within a moment."""
    seen = visible(described, judgements.matches[judgements.matches["copied"]])
    return seen.sort_values(["moment", *BEST_FIRST], ascending=[True, *BEST_FIRST.values()], ignore_index=True)


def _own_photos(facts: Facts) -> pd.DataFrame:
    prints = facts.fingerprints[["image_id", "information"]]
    sightings = facts.sightings.assign(photo=photo_of(facts.sightings, facts.versions, same_photo=SAME_PHOTO))
    photos = sightings[[*PHOTO, "photo", "observed_at", "created_at"]].merge(
        prints.assign(readable=True), on="image_id", how="left"
    )
    readable = photos["readable"].notna()
    low = readable & (photos["information"] < LOW_INFORMATION)
    return photos.drop(columns="information").assign(readable=readable, low_information=low)


def _states(photos: pd.DataFrame, matches: pd.DataFrame) -> pd.DataFrame:
    """Return from when until when each photo is judged alike: ``listing_key, image_id, known_at, replaced_at``."""
    first = photos[[*PHOTO, "observed_at"]].rename(columns={"observed_at": "known_at"})
    states = pd.concat([first, matches[STATE]], ignore_index=True).drop_duplicates().sort_values(STATE)
    return states.assign(replaced_at=states.groupby(PHOTO)["known_at"].shift(-1))


def _with_best_match(photos: pd.DataFrame, matches: pd.DataFrame) -> pd.DataFrame:
    by_photo = matches.groupby(STATE)
    best = by_photo[list(DISTANCE_COLUMNS)].min()
    best["same_photo"] = by_photo["telling_same_photo"].max()
    best["sellers_showing"] = by_photo["sellers_showing"].max()
    best["copied"] = by_photo["copied"].any()
    joined = photos.join(best, on=STATE)
    return joined.assign(same_photo=joined["same_photo"].fillna(0.0), copied=joined["copied"].eq(True))


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
