"""The entries a party makes in the market: its accounts, its listings, and a plan of each picture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data.synthetic.merchandise import Thing
    from data.synthetic.picture_edits import Edit
    from data.synthetic.schemes import Origin, Scheme


class PictureKind(StrEnum):
    """How a picture file comes about."""

    PHOTO = "photo"
    STOCK = "stock"
    PLACEHOLDER = "placeholder"
    COPY = "copy"


class Fate(StrEnum):
    """What a download of the picture meets."""

    SERVED = "served"
    DEAD = "dead"
    TRUNCATED = "truncated"
    PAGE = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturePlan:
    """Everything needed to make one picture file.

    Parameters
    ----------
    path
        Below the market's folder; the URL ends in it.
    category, setting, item, view
        As in `data.synthetic.drawn_pictures.Scene`; ``item`` is the number of a stock picture or placeholder.
    banner
        Seed of the dealer's banner; 0 for none.
    source
        Path of the picture this one is a copy of; empty for a new one.
    beside
        Path of the picture laid beside that one in a collage; empty for none.
    depth
        Copies between this picture and a new one: those of less depth must be made first.
    quality
        JPEG quality.
    """

    path: str
    listing_id: str
    position: int
    kind: PictureKind
    category: int
    setting: int
    item: int
    view: int
    banner: int
    source: str
    beside: str
    depth: int
    edit: Edit
    quality: int
    fate: Fate


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One seller account; days count from the market's start.

    Parameters
    ----------
    rating
        1 … 5 stars; NaN without feedback.
    group_id
        The business it is known to belong to; empty for none.
    """

    seller_id: str
    joined_day: float
    feedback_count: int
    rating: float
    country: str
    location: str
    group_id: str
    setting: int
    banner: int
    habit: Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Ad:
    """One listing and what is true of it; days count from the market's start.

    Parameters
    ----------
    price, description, location
        NaN and empty where left out.
    labelled_day
        When its label arrives; NaN if never.
    stolen_from
        The catalogued listings its pictures were taken from.
    lent_by
        The catalogued listings of others whose pictures it shows with their leave.
    called_fraud
        What its label says, if it gets one; people err.
    edit
        What was done to pictures used again.
    """

    listing_id: str
    account: Account
    created_day: float
    observed_day: float
    thing: Thing
    title: str
    description: str
    location: str
    price: float
    pictures: tuple[PicturePlan, ...]
    labelled_day: float
    scheme: Scheme
    origin: Origin
    fraud: bool
    low_price: bool
    edit: Edit
    stolen_from: tuple[str, ...]
    lent_by: tuple[str, ...]
    called_fraud: bool

    @property
    def served(self) -> tuple[PicturePlan, ...]:
        """The pictures somebody else could take."""
        return tuple(picture for picture in self.pictures if picture.fate is Fate.SERVED)


def opaque_id(prefix: str, *numbers: int) -> str:
    """Name something so that the name tells nothing of it; the same numbers give the same name."""
    return prefix + blake2b(repr(numbers).encode(), digest_size=6, person=prefix.encode()).hexdigest()
