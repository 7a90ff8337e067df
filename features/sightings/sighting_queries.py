"""The questions of matching as integers: each own sighting with each picture like it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.sightings.evidence import SAME_PHOTO
from features.timeline import Integers, microseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEVER = np.iinfo(np.int64).max
"""Later than any time and any rank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """One entry for each own sighting and picture like it, with texts and pairs of times replaced by integers.

    ``pair_row`` is -1 where the picture is the own one, ``same`` tells whether it is the same photo, ``denied_us``
    since when it is known not to be. ``rank`` orders ``(observed_at, created_at)`` over own and all sightings alike;
    ``sightings`` carries ``picture, image_id, seller_key, rank, observed_us, posted_us, listing_key, row``.
    """

    own_row: Integers
    pair_row: Integers
    same: NDArray[np.bool_]
    picture: Integers
    seller_key: Integers
    observed_us: Integers
    posted_us: Integers
    denied_us: Integers
    rank: Integers
    sightings: pd.DataFrame

    def over_photo(self, values: Integers) -> Integers:
        """Return the smallest value over all pictures that are the same photo as each query's own sighting."""
        smallest = np.full(int(self.own_row.max(initial=-1)) + 1, NEVER)
        np.minimum.at(smallest, self.own_row[self.same], values[self.same])
        return smallest[self.own_row]


def queries_about(
    own: pd.DataFrame, near_duplicates: pd.DataFrame, sightings: pd.DataFrame, different: pd.DataFrame | None
) -> Queries:
    """Pair own sightings with pictures like theirs; `features.sightings.earlier_sightings` tells the frames."""
    near_duplicates = _with_denial(near_duplicates, different)
    own_pictures, pictures, left, right = _joint_codes(
        own["image_id"], sightings["image_id"], near_duplicates["image_id"], near_duplicates["other_image_id"]
    )
    # Times of the own sightings first, then those of all sightings.
    observed_us, posted_us = (
        microseconds(pd.concat([own[column], sightings[column]])) for column in ("observed_at", "created_at")
    )
    ranks = _ranks(observed_us, posted_us)
    itself = np.unique(own_pictures)
    rows = np.arange(len(near_duplicates))
    links = pd.DataFrame(
        {
            "own_picture": np.concatenate([itself, left, right]),
            "picture": np.concatenate([itself, right, left]),
            "pair_row": np.concatenate([np.full(len(itself), -1), rows, rows]),
        }
    )
    pairs = pd.DataFrame({"own_picture": own_pictures, "own_row": np.arange(len(own))}).merge(links)
    denied_us = np.append(near_duplicates["denied_us"].to_numpy(np.int64), NEVER)[pairs["pair_row"]]
    open_ = observed_us[pairs["own_row"]] < denied_us
    pairs, denied_us = pairs[open_], denied_us[open_]
    own_row = pairs["own_row"].to_numpy(np.int64)
    pair_row = pairs["pair_row"].to_numpy(np.int64)
    return Queries(
        own_row=own_row,
        pair_row=pair_row,
        same=np.append(near_duplicates["same_photo"].to_numpy(np.float64) >= SAME_PHOTO, True)[pair_row],
        picture=pairs["picture"].to_numpy(np.int64),
        seller_key=own["seller_key"].to_numpy(np.int64)[own_row],
        observed_us=observed_us[own_row],
        posted_us=posted_us[own_row],
        denied_us=denied_us,
        rank=ranks[own_row],
        sightings=pd.DataFrame(
            {
                "picture": pictures,
                "image_id": sightings["image_id"].to_numpy(),
                "seller_key": sightings["seller_key"].to_numpy(np.int64),
                "rank": ranks[len(own) :],
                "observed_us": observed_us[len(own) :],
                "posted_us": posted_us[len(own) :],
                "listing_key": sightings["listing_key"].to_numpy(np.int64),
                "row": np.arange(len(sightings)),
            }
        ),
    )


def _with_denial(near_duplicates: pd.DataFrame, different: pd.DataFrame | None) -> pd.DataFrame:
    """Add since when the pictures of a pair are known to be different photos, in microseconds; `NEVER` if not."""
    if different is None or different.empty:
        return near_duplicates.assign(denied_us=NEVER)
    known = near_duplicates[["image_id", "other_image_id"]].merge(different, how="left")["known_at"]
    denied = np.where(known.isna(), NEVER, microseconds(known.fillna(pd.Timestamp(0, tz="UTC"))))
    return near_duplicates.assign(denied_us=denied)


def _joint_codes(*texts: pd.Series[Any]) -> list[Integers]:
    """Give equal numbers to equal texts, over several columns."""
    codes, _ = pd.factorize(pd.concat(texts, ignore_index=True))
    return np.split(codes.astype(np.int64), np.cumsum([len(text) for text in texts])[:-1])


def _ranks(observed_us: Integers, posted_us: Integers) -> Integers:
    """Rank pairs of times; equal pairs get equal ranks."""
    order = np.lexsort((posted_us, observed_us))
    new = (np.diff(observed_us[order]) != 0) | (np.diff(posted_us[order]) != 0)
    ranks = np.zeros(len(order), np.int64)
    ranks[order[1:]] = np.cumsum(new)
    return ranks
