"""The cast of the synthetic market: who posts, how often, with whose pictures, and what they do to them.

Shares are of listings, not of people. The numbers are set so that neither account, price, volume nor number of
pictures tells thieves from honest people by itself; a tenth of all listings is fraud.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from data.synthetic.picture_edits import Edit

if TYPE_CHECKING:
    from collections.abc import Mapping


class Scheme(StrEnum):
    """What somebody is up to."""

    PRIVATE = "private"
    DEALER = "dealer"
    RELISTER = "relister"
    STOCK_USER = "stock_user"
    PLACEHOLDER_USER = "placeholder_user"
    SECOND_ACCOUNT = "second_account"
    AGENT = "agent"
    BORROWER = "borrower"
    THIEF = "thief"
    RING = "ring"
    TAKEOVER = "takeover"
    OWN_PHOTOS = "own_photos"


class Origin(StrEnum):
    """Where a listing's pictures come from."""

    CAMERA = "camera"
    OWN_EARLIER = "own_earlier"
    STOCK = "stock"
    PLACEHOLDER = "placeholder"
    LENT = "lent"
    BORROWED = "borrowed"
    STOLEN = "stolen"
    OUTSIDE = "outside"


HONEST_HABITS: Mapping[Edit, float] = {
    Edit.NONE: 0.58, Edit.RECOMPRESSED: 0.2, Edit.RESIZED: 0.12, Edit.CROP: 0.06, Edit.TONE: 0.04,
}  # fmt: skip
THIEF_HABITS: Mapping[Edit, float] = {
    Edit.NONE: 0.16, Edit.RECOMPRESSED: 0.19, Edit.RESIZED: 0.09, Edit.MIRROR: 0.12, Edit.CROP: 0.13,
    Edit.FRAME: 0.06, Edit.OVERLAY: 0.06, Edit.TONE: 0.06, Edit.TILT: 0.05, Edit.SCREENSHOT: 0.05, Edit.COLLAGE: 0.03,
}  # fmt: skip

_SHOWN = {Origin.CAMERA: 0.94, Origin.OWN_EARLIER: 0.02, Origin.STOCK: 0.02, Origin.PLACEHOLDER: 0.02}
_LOOT = {Origin.STOLEN: 0.9, Origin.OUTSIDE: 0.05, Origin.STOCK: 0.02, Origin.CAMERA: 0.02, Origin.PLACEHOLDER: 0.01}


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """How one kind of people behaves.

    Parameters
    ----------
    share
        Expected share of the market's listings.
    accounts, ads
        Fewest and most accounts of one party, and listings of one account.
    origins
        Weights of where the pictures come from.
    fraud
        Whether the listings are fraud; with ``honest_ads``, the later ones.
    honest_ads
        Fewest and most listings posted before the account fell into other hands.
    habits
        Weights of what is done to pictures that are used again; thieves keep to one of them.
    young_account
        Share of accounts opened only weeks ago.
    feedback_rate
        Feedback gathered against a private person's of the same age.
    burst
        Share of parties that post everything within two days.
    span_days
        Longest time from a party's first listing to its last.
    low_price
        Share of listings well below their worth.
    grouped
        Whether the accounts are known to be one business, which also lays its banner over every picture.
    """

    share: float
    accounts: tuple[int, int] = (1, 1)
    ads: tuple[int, int] = (1, 5)
    origins: Mapping[Origin, float]
    fraud: bool = False
    honest_ads: tuple[int, int] = (0, 0)
    habits: Mapping[Edit, float]
    young_account: float = 0.34
    feedback_rate: float = 1.0
    burst: float = 0.3
    span_days: float = 60.0
    low_price: float = 0.14
    grouped: bool = False

    @property
    def expected_ads(self) -> float:
        """Listings one party posts on average."""
        return sum(self.accounts) / 2 * sum(self.ads) / 2 + sum(self.honest_ads) / 2


CAST: Mapping[Scheme, Role] = {
    Scheme.PRIVATE: Role(share=0.5, origins=_SHOWN, habits=HONEST_HABITS),
    Scheme.DEALER: Role(
        share=0.17, accounts=(1, 3), ads=(4, 12), habits=HONEST_HABITS, young_account=0.1, feedback_rate=5.0,
        burst=0.1, span_days=170.0, grouped=True,
        origins={Origin.CAMERA: 0.84, Origin.OWN_EARLIER: 0.08, Origin.STOCK: 0.08},
    ),
    Scheme.RELISTER: Role(
        share=0.08, ads=(2, 6), habits=HONEST_HABITS, burst=0.1,
        origins={Origin.CAMERA: 0.45, Origin.OWN_EARLIER: 0.55},
    ),
    Scheme.STOCK_USER: Role(
        share=0.05, habits=HONEST_HABITS, origins={Origin.CAMERA: 0.2, Origin.STOCK: 0.8},
    ),
    Scheme.PLACEHOLDER_USER: Role(
        share=0.025, habits=HONEST_HABITS, origins={Origin.CAMERA: 0.3, Origin.PLACEHOLDER: 0.7},
    ),
    Scheme.SECOND_ACCOUNT: Role(
        share=0.02, accounts=(2, 2), ads=(1, 4), habits=HONEST_HABITS, span_days=90.0, burst=0.0,
        origins={Origin.CAMERA: 0.35, Origin.OWN_EARLIER: 0.65},
    ),
    Scheme.AGENT: Role(
        share=0.025, ads=(2, 8), habits=HONEST_HABITS, young_account=0.2, feedback_rate=2.5, burst=0.15,
        span_days=120.0, origins={Origin.LENT: 0.75, Origin.CAMERA: 0.25},
    ),
    Scheme.BORROWER: Role(
        share=0.025, habits=HONEST_HABITS, origins={Origin.BORROWED: 0.5, Origin.CAMERA: 0.5},
    ),
    Scheme.THIEF: Role(
        share=0.05, ads=(1, 6), origins=_LOOT, fraud=True, habits=THIEF_HABITS, young_account=0.5, burst=0.45,
        span_days=40.0, low_price=0.4,
    ),
    Scheme.RING: Role(
        share=0.025, accounts=(3, 5), ads=(1, 3), fraud=True, habits=THIEF_HABITS, young_account=0.55, burst=0.3,
        span_days=40.0, low_price=0.35,
        origins={Origin.STOLEN: 0.42, Origin.OUTSIDE: 0.04, Origin.OWN_EARLIER: 0.54},
    ),
    Scheme.TAKEOVER: Role(
        share=0.025, ads=(2, 4), honest_ads=(1, 4), origins=_LOOT, fraud=True, habits=THIEF_HABITS,
        young_account=0.1, burst=0.0, span_days=80.0, low_price=0.35,
    ),
    Scheme.OWN_PHOTOS: Role(
        share=0.01, ads=(1, 3), origins=_SHOWN, fraud=True, habits=HONEST_HABITS, young_account=0.5, burst=0.4,
        low_price=0.4,
    ),
}  # fmt: skip
