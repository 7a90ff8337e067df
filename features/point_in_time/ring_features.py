"""Accounts that work together: tied by rare photos that both took, as of a moment.

A tie has a direction. A seller is tied to another by an act of its own, the later of two: by taking a photo that the
other had taken already, or by taking a photo of somebody who had taken one of the seller's victims' or its own. Whoever
is copied is tied to nobody by it, and nothing that others do later ties a seller to them: a victim's thief, or the next
thief of a photo, changes neither the victim's ring nor that of the thieves before.

Only rare photos tie, and how rare a photo is counts as of the tie, when the seller took it: as many as were known to
have shown it by then, and as many parties as were known to have taken it. Were it judged later, a ring could untie
itself by handing its loot to some further accounts. A placeholder or a maker's picture ties none of those who come once
it is known to be common. The few who came before stay tied, each to those before it, as a ring's accounts do: at that
time nothing told them apart. So a tie accuses nobody by itself, it is counted beside all else that a row says.

What is looked at is bounded for every seller, whatever it took and whoever else did: its earliest `MOST_PHOTOS` photos,
of these the first takers, and its earliest `MOST_TIES` ties, over `HOPS` steps. All bounds keep the earliest, so that
they cut off nothing that a past moment had seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from features.facts import LOW_INFORMATION
from features.sightings.evidence import SAME_PHOTO
from features.sightings.parties import AccountGroups
from features.spec import FeatureSpec

if TYPE_CHECKING:
    from features.facts import Facts

RARE_SELLERS = 3
"""A photo that more sellers than this had shown, or more parties had taken, ties nobody who takes it then.

Accounts known by then to be one business are one party of takers; of those who showed it, every seller counts.

A judgement like `features.sightings.evidence.COMMON_SELLERS`, and stricter: to be accused together takes more than to
be accused, and a tie is for good. Of the listings of the synthetic market with a maker's picture 27 % are tied when
they are posted, at a limit of four 37 %; of those of its rings 39 %, and 43 % at four.
"""

MOST_TAKERS = 8
"""A photo that more accounts than this had taken ties nobody either, whatever parties they are: no more are read."""

MOST_PHOTOS = 32
MOST_TIES = 16
HOPS = 2
"""From a seller to those it is tied to, and to those they are tied to."""


class RingLimits(NamedTuple):
    """All bounds of ties together, for whoever reads the photos that were taken (`Facts.taken`)."""

    same_photo: float = SAME_PHOTO
    low_information: float = LOW_INFORMATION
    rare_sellers: int = RARE_SELLERS
    most_takers: int = MOST_TAKERS
    most_photos: int = MOST_PHOTOS
    hops: int = HOPS


TIE_LIMITS = RingLimits()
TIE = ["seller_key", "tied_key", "other_image_id", "since_at"]
TAKING = ["seller_key", "other_image_id"]
NO_TIE = "the seller is tied to nobody"

RING_SPECS = (
    FeatureSpec(
        name="ring_sellers", block="ring", unit="count", direction=1,
        meaning=f"Other accounts of the seller's ring: those of other parties reached within {HOPS} ties. A tie is a "
        f"photo that this account took after the other had taken it, while no more than {RARE_SELLERS} parties were "
        f"known to have taken it and {RARE_SELLERS} others to have shown it; or photos taken from each other.",
        reason="Other accounts that took the same rare photos before, or share them in a chain: {value}.",
    ),
    FeatureSpec(
        name="ring_photos", block="ring", unit="count", direction=1,
        meaning="Distinct photos, rare when the seller took them, that tie it to others.",
        reason="Rare photos taken from others that further accounts had taken already: {value}.",
    ),
    FeatureSpec(
        name="ring_cohesion", block="ring", unit="share", missing=NO_TIE,
        meaning="Share of tied pairs among all pairs of the seller and the accounts directly tied to it.",
        reason="{value} of the pairs among these accounts are tied by photos they took.",
    ),
    FeatureSpec(
        name="ring_confirmed_fraud", block="ring", unit="count", direction=1,
        meaning="Other accounts of the ring with a listing that was labelled fraud at the moment.",
        reason="Accounts of the same ring with a listing confirmed as fraud: {value}.",
    ),
)  # fmt: skip


def ring_block(described: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Compute the features of `RING_SPECS`.

    Parameters
    ----------
    described
        ``seller_key, as_of``; its index numbers the moments.
    facts
        ``taken``, ``sellers`` and ``labels`` are read.

    Returns
    -------
    pandas.DataFrame
        One row for each moment, in the order of ``described``.
    """
    groups = AccountGroups.of(facts.sellers)
    ties = ties_of(facts.taken, groups)
    moments = described[["seller_key", "as_of"]].rename_axis("moment").reset_index()
    found = _active(moments, ties)
    direct = _earliest_ties(found)
    steps = direct[["moment", "as_of", "tied_key"]].rename(columns={"tied_key": "seller_key"})
    further = _earliest_ties(_active(steps, ties))
    members = _members(moments, pd.concat([direct, further]), groups)
    counts = {
        "ring_sellers": members.groupby("moment").size(),
        "ring_photos": found.groupby("moment")["other_image_id"].nunique(),
        "ring_confirmed_fraud": _confirmed(members, facts.labels).groupby("moment")["member"].nunique(),
    }
    columns = {name: count.reindex(described.index, fill_value=0) for name, count in counts.items()}
    return pd.DataFrame({**columns, "ring_cohesion": _cohesion(direct, further).reindex(described.index)})


def ties_of(taken: pd.DataFrame, groups: AccountGroups) -> pd.DataFrame:
    """Return who is tied to whom by which photo, and since when.

    Parameters
    ----------
    taken
        As in `features.facts.Facts`.
    groups
        Which accounts were known to be one business.

    Returns
    -------
    pandas.DataFrame
        ``seller_key, tied_key, other_image_id, since_at``. The ties of a seller are complete if all it took is known,
        and who first took these photos, and what those took from whom the seller took them.
    """
    by_age = taken.sort_values(["known_at", "seller_key", "other_image_id"], ignore_index=True)
    # One more than may have taken a photo tells that it is common.
    first = by_age[by_age.groupby("other_image_id").cumcount() <= MOST_TAKERS]
    rare = by_age[by_age["sellers_showing"] <= RARE_SELLERS]
    own = rare[rare.groupby("seller_key").cumcount() < MOST_PHOTOS].rename(columns={"known_at": "since_at"})
    shared = _rare_by_then(own, first, groups)
    early = shared.loc[shared["tied_key"] == shared["seller_key"], own.columns]
    ties = pd.concat([shared[shared["tied_showing"] <= RARE_SELLERS], _each_other(early, own)])
    ties = ties[ties["seller_key"] != ties["tied_key"]]
    kin = groups.same_party(ties["seller_key"], ties["tied_key"], ties["since_at"])
    return ties.loc[~kin, TIE]


def _rare_by_then(own: pd.DataFrame, first: pd.DataFrame, groups: AccountGroups) -> pd.DataFrame:
    """Pair what each seller took while few had taken it with those who had by then, the seller among them."""
    theirs = first[[*TAKING, "known_at", "sellers_showing"]].rename(
        columns={"seller_key": "tied_key", "sellers_showing": "tied_showing"}
    )
    pairs = own.merge(theirs, on="other_image_id")
    pairs = pairs[pairs["known_at"] <= pairs["since_at"]]
    pairs = pairs[pairs.groupby(TAKING)["tied_key"].transform("size") <= MOST_TAKERS]
    group = pd.Series(groups.number(pairs["tied_key"], pairs["since_at"]), index=pairs.index)
    takers = pairs.assign(group=group.where(group >= 0), alone=group < 0).groupby(TAKING)
    return pairs[takers["group"].transform("nunique") + takers["alone"].transform("sum") <= RARE_SELLERS]


def _each_other(early: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Pair what each seller took from somebody with an earlier time that one took from the seller."""
    back = own.groupby(["other_seller_key", "seller_key"])["since_at"].min().rename("known_at")
    pairs = early.merge(back.rename_axis(["seller_key", "other_seller_key"]).reset_index())
    pairs = pairs[pairs["known_at"] <= pairs["since_at"]]
    return pairs.assign(tied_key=pairs["other_seller_key"])


def _active(nodes: pd.DataFrame, ties: pd.DataFrame) -> pd.DataFrame:
    """Return the ties of each node (``moment, as_of, seller_key``) as of its moment."""
    found = nodes.merge(ties, on="seller_key")
    return found[found["since_at"] <= found["as_of"]]


def _earliest_ties(active: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each node and account it is tied to, of each node the earliest `MOST_TIES`."""
    node = ["moment", "seller_key"]
    ties = active.sort_values([*node, "since_at", "tied_key"]).drop_duplicates([*node, "tied_key"])
    return ties[ties.groupby(node).cumcount() < MOST_TIES]


def _members(moments: pd.DataFrame, ties: pd.DataFrame, groups: AccountGroups) -> pd.DataFrame:
    """Return each ring's other accounts (``moment, as_of, seller_key, member``), its own party left out."""
    reached = ties[["moment", "tied_key"]].drop_duplicates().rename(columns={"tied_key": "member"})
    members = moments.merge(reached, on="moment")
    members = members[members["member"] != members["seller_key"]]
    return members[~groups.same_party(members["seller_key"], members["member"], members["as_of"])]


def _cohesion(direct: pd.DataFrame, further: pd.DataFrame) -> pd.Series[float]:
    """Return by moment the tied ones of all pairs among a seller and those it is tied to directly."""
    inner = further.merge(direct[["moment", "tied_key"]], on=["moment", "tied_key"])
    ends = np.sort(inner[["seller_key", "tied_key"]].to_numpy(np.int64), axis=1)
    pairs = inner[["moment"]].assign(low=ends[:, 0], high=ends[:, 1]).drop_duplicates()
    spokes = direct.groupby("moment").size()
    tied = spokes.add(pairs.groupby("moment").size(), fill_value=0)
    return tied / (spokes * (spokes + 1) / 2)


def _confirmed(members: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return the members, once for each of their listings whose latest label by the moment is fraud."""
    ordered = labels.sort_values(["listing_key", "known_at", "label"])
    ordered = ordered.assign(until_at=ordered.groupby("listing_key")["known_at"].shift(-1))
    fraud = ordered.loc[ordered["label"] == "fraud", ["seller_key", "known_at", "until_at"]]
    decided = members.merge(fraud.rename(columns={"seller_key": "member"}), on="member")
    return decided[(decided["known_at"] <= decided["as_of"]) & ~(decided["until_at"] <= decided["as_of"])]
