"""What a listing says and leaves out, and who had said nearly the same before.

Two texts are nearly the same if they share most of their phrases of three words. Which do is found without comparing
texts: each has four *bands*, numbers made of the smallest hashes of its phrases, and texts that share a band are taken
for nearly the same (MinHash with banding, A. Broder 1997, doi:10.1109/SEQUEN.1997.666900). Of two texts that share the
part s of all their phrases, a band agrees with probability s⁵: a copy always shares one, nine of ten do at s = 0.85,
one of eight at s = 0.5. A band is 64 bits wide, so that unrelated texts practically never share one, however many
are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.sightings.parties import AccountGroups
from features.spec import FeatureSpec
from features.timeline import rows_as_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.facts import Facts

    Hashes = NDArray[np.uint64]

STATED = ["title", "description", "category", "location", "price", "currency"]

LISTING_SPECS = (
    FeatureSpec(
        name="title_length", block="listing", unit="characters", missing="there is no title",
        meaning="Length of the title.",
    ),
    FeatureSpec(
        name="description_length", block="listing", unit="characters", missing="there is no description",
        meaning="Length of the description.",
    ),
    FeatureSpec(
        name="missing_fields", block="listing", unit="count",
        meaning=f"How many of {', '.join(STATED[:-1])} and {STATED[-1]} are missing.",
        reason="Fields of the listing left empty: {value}.",
    ),
)  # fmt: skip


def listing_block(described: pd.DataFrame) -> pd.DataFrame:
    """Compute the features of `LISTING_SPECS` from the columns ``title, description, …`` as of each moment."""
    return pd.DataFrame(
        {
            "title_length": described["title"].astype("str").str.len(),
            "description_length": described["description"].astype("str").str.len(),
            "missing_fields": described[STATED].isna().sum(axis="columns"),
        }
    )


BANDS = ("band_1", "band_2", "band_3", "band_4")
HASHES_A_BAND = 5
WORDS_A_PHRASE = 3
FEWEST_WORDS = 8
"""Shorter texts ("iPhone 12 64 GB black") are told alike by the goods, not by the writer."""

COMMON_TEXT_SELLERS = 10
"""A text that more other sellers than this had shown is nobody's: a maker's, or the marketplace's own wording."""

TEXT_SPECS = (
    FeatureSpec(
        name="same_text_sellers", block="listing", unit="count", direction=1,
        meaning="Distinct sellers of other parties who had shown nearly the same title and description before this "
        f"seller first did; texts that more than {COMMON_TEXT_SELLERS} others had shown, and such of fewer than "
        f"{FEWEST_WORDS} words, do not count.",
        reason="Sellers who had used nearly the same text before: {value}.",
    ),
)  # fmt: skip


def text_bands(titles: pd.Series[Any], descriptions: pd.Series[Any]) -> pd.DataFrame:
    """Return the bands of texts.

    Letters count without case, digits as one another (numbers are what copies change first), and nothing else does.

    Parameters
    ----------
    titles, descriptions
        Texts, missing ones allowed, on one index.

    Returns
    -------
    pandas.DataFrame
        `BANDS` as ``Int64``, NA for texts of fewer than `FEWEST_WORDS` words; on the same index.
    """
    text = titles.fillna("").astype("str") + " " + descriptions.fillna("").astype("str")
    plain = text.str.casefold().str.replace(r"\d", "0", regex=True).reset_index(drop=True)
    long = plain[plain.str.count(r"\w+") >= FEWEST_WORDS]
    spoken = long.str.findall(r"\w+").explode()
    phrases, first = _phrases(spoken.to_numpy(object), spoken.index.to_numpy(np.int64))
    bands = pd.DataFrame(_bands(phrases, first), index=long.index, columns=list(BANDS), dtype="Int64")
    return bands.reindex(plain.index).set_axis(text.index)


def text_block(described: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Compute the features of `TEXT_SPECS`.

    Everything about a text is settled when its seller first shows it: whoever uses it later changes nothing.

    Parameters
    ----------
    described
        ``listing_key, as_of`` of each listing; its index numbers the moments.
    facts
        ``listings``, ``texts`` and ``sellers`` are read.
    """
    keys, listings = described["listing_key"].to_numpy(np.int64), facts.listings[["listing_key", "observed_at"]]
    version = rows_as_of(listings, "listing_key", keys, described["as_of"])
    version = version.assign(moment=described.index)
    before = _shown_before(facts.texts, facts.sellers)
    sellers = version.merge(before, on=["listing_key", "observed_at"]).groupby("moment")["other_seller_key"].nunique()
    return pd.DataFrame({"same_text_sellers": sellers.reindex(described.index, fill_value=0)})


def _shown_before(texts: pd.DataFrame, sellers: pd.DataFrame) -> pd.DataFrame:
    """Return which others had shown each version's text before its own seller first did, common texts left out."""
    band = ["listing_key", "observed_at", "band"]
    own = texts[texts["seller_key"] == texts["other_seller_key"]]
    firsts = own[[*band, "other_observed_at"]].rename(columns={"other_observed_at": "own_first_at"})
    # An own showing that is not told came after too many others for the text to be anybody's.
    others = texts[texts["seller_key"] != texts["other_seller_key"]].merge(firsts, on=band)
    earlier = others[others["other_observed_at"] < others["own_first_at"]]
    rare = earlier[earlier.groupby(band)["other_seller_key"].transform("size") <= COMMON_TEXT_SELLERS]
    return rare[
        ~AccountGroups.of(sellers).same_party(rare["seller_key"], rare["other_seller_key"], rare["own_first_at"])
    ]


def _phrases(words: NDArray[np.object_], text: NDArray[np.int64]) -> tuple[Hashes, NDArray[np.intp]]:
    """Return a hash of every phrase, and where each text's phrases begin; every text is longer than a phrase."""
    if not len(words):
        return np.empty(0, np.uint64), np.empty(0, np.intp)
    hashes = pd.util.hash_array(words)
    count = len(words) - WORDS_A_PHRASE + 1
    phrase = np.zeros(count, np.uint64)
    for place in range(WORDS_A_PHRASE):
        phrase = _mixed(phrase + hashes[place : place + count])
    inside = text[:count] == text[WORDS_A_PHRASE - 1 :]
    texts = text[:count][inside]
    return phrase[inside], np.flatnonzero(np.diff(texts, prepend=-1))


def _bands(phrases: Hashes, first: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return the bands of each text, shape (texts, bands)."""
    bands = np.zeros((len(first), len(BANDS)), np.uint64)
    if not len(first):
        return bands.view(np.int64)
    for number in range(len(BANDS) * HASHES_A_BAND):
        smallest = np.minimum.reduceat(_mixed(phrases ^ _mixed(np.array([number + 1], np.uint64))), first)
        column = number // HASHES_A_BAND
        bands[:, column] = _mixed(bands[:, column] + smallest)
    return bands.view(np.int64)


def _mixed(values: Hashes) -> Hashes:
    """Scramble 64-bit numbers, each step invertible (SplitMix, G. Steele et al. 2014, doi:10.1145/2660193.2660195)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
