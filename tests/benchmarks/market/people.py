"""Who was found and who was accused: what only a market with a known truth can say of single people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.point_in_time.feature_frame import first_owner
from models.serving.scoring.score_listings import describe

if TYPE_CHECKING:
    from models.serving.context import Context

CRAWL_LAG = pd.Timedelta(days=1)
"""We come by within hours mostly; who is observed a day before somebody else was there first."""
KINDS = {
    "dealers": "dealer",
    "re-listers": "relister",
    "stock users": "stock_user",
    "second accounts": "second_account",
    "agents": "agent",
    "borrowers": "borrower",
}
VICTIMS = "victims"
HONEST = "all of them"


@dataclass(frozen=True, slots=True)
class Count:
    """So many of so many."""

    part: int
    whole: int

    @property
    def share(self) -> float:
        """Return the part's share, NaN of nothing."""
        return self.part / self.whole if self.whole else float("nan")

    def __add__(self, other: Count) -> Count:
        return Count(self.part + other.part, self.whole + other.whole)

    @classmethod
    def of(cls, flags: pd.Series) -> Count:
        return cls(int(flags.sum()), len(flags))


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Counts over listings.

    Parameters
    ----------
    found
        By edit kind: thefts of known listings' photos in the band ``high``.
    seen
        By edit kind: such thefts of which a photo counts as copied.
    accused
        By kind of honest people: those in the band ``high``.
    named
        Thefts observed more than `CRAWL_LAG` after their victim with a copied photo: those where the first seller
        named is the victim.
    """

    found: dict[str, Count]
    seen: dict[str, Count]
    accused: dict[str, Count]
    named: Count


def people(context: Context, scored: pd.DataFrame, truth: pd.DataFrame, *, high: float) -> People:
    """Count over listings that were scored by a model that had not learned from them.

    Parameters
    ----------
    scored
        ``listing_key, as_of, score``.
    truth
        The market's truth with ``listing_id, seller_key, observed_at``, by ``listing_key``.
    high
        Least score of the band.
    """
    known = scored.join(truth, on="listing_key")
    known["high"] = known["score"] >= high
    thefts = known[known["fraud"] & (known["stolen_from"] != "[]")].reset_index(drop=True)
    owners = _owners(context, thefts)
    thefts = thefts.assign(seen=owners["matched_images"] > 0, named=owners["first_seller_key"])
    victims = set(truth["stolen_from"].map(json.loads).explode().dropna())
    honest = known[~known["fraud"]]
    return People(
        found=_by_edit(thefts, "high"),
        seen=_by_edit(thefts, "seen"),
        accused={
            VICTIMS: Count.of(honest.loc[honest["listing_id"].isin(victims), "high"]),
            **{name: Count.of(honest.loc[honest["scheme"] == scheme, "high"]) for name, scheme in KINDS.items()},
            HONEST: Count.of(honest["high"]),
        },
        named=_rightly_named(thefts, truth),
    )


def _by_edit(thefts: pd.DataFrame, flag: str) -> dict[str, Count]:
    return {str(edit): Count.of(rows[flag]) for edit, rows in thefts.groupby("edit")}


def _owners(context: Context, thefts: pd.DataFrame) -> pd.DataFrame:
    moments = thefts[["listing_key", "as_of"]]
    _, facts = describe(context, moments)
    return first_owner(moments, facts)


def _rightly_named(thefts: pd.DataFrame, truth: pd.DataFrame) -> Count:
    by_id = truth.set_index("listing_id")
    victim = by_id.reindex(thefts["stolen_from"].map(json.loads).str[0]).set_index(thefts.index)
    clear = thefts["seen"] & (victim["observed_at"] + CRAWL_LAG < thefts["as_of"])
    right = (thefts["named"] == victim["seller_key"]).fillna(value=False).astype(bool)
    return Count.of(right[np.asarray(clear)])
