"""Whom a seller took photos from, and who took the same ones: a small picture that the server draws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

MOST_ACCOUNTS = 24
WIDTH, HEIGHT = 640, 360
CENTRE = WIDTH / 2, HEIGHT / 2
INNER, OUTER = 0.52, 0.92
"""Radii of the two circles, as shares of half the sides: victims within, others who took the same photos without."""
MARGIN = 46


@dataclass(frozen=True, slots=True)
class Account:
    """A circle of the picture: who, what it is to the seller, and where it stands, in pixels."""

    seller_key: int
    name: str
    kind: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Tie:
    """A line: who took so many photos from whom."""

    taker: Account
    owner: Account
    photos: int


@dataclass(frozen=True, slots=True)
class Ring:
    """All of them, and how many accounts were left out."""

    accounts: tuple[Account, ...]
    ties: tuple[Tie, ...]
    left_out: int


def ring_of(seller_key: int, taken: pd.DataFrame, names: Mapping[int, str]) -> Ring:
    """Draw the accounts around a seller.

    Parameters
    ----------
    seller_key
        Whose.
    taken
        ``seller_key, other_seller_key, other_image_id``: who took which photo from whom.
    names
        Of the accounts, by key.
    """
    counts = taken.groupby(["seller_key", "other_seller_key"])["other_image_id"].nunique().reset_index(name="photos")
    own = counts.loc[counts["seller_key"] == seller_key, "other_seller_key"].tolist()
    thieves = counts.loc[counts["other_seller_key"] == seller_key, "seller_key"].tolist()
    beside = counts.loc[counts["other_seller_key"].isin(own), "seller_key"].tolist()
    victims = list(dict.fromkeys(own))
    others = [key for key in dict.fromkeys([*thieves, *beside]) if key != seller_key and key not in victims]
    shown_victims = victims[: MOST_ACCOUNTS // 2]
    shown_others = others[: MOST_ACCOUNTS - len(shown_victims)]
    accounts = {
        seller_key: Account(seller_key, names.get(seller_key, ""), "own", *CENTRE),
        **_circle(shown_victims, names, "copied", INNER),
        **_circle(shown_others, names, "beside", OUTER),
    }
    ties = tuple(
        Tie(accounts[taker], accounts[owner], int(photos))
        for taker, owner, photos in counts.itertuples(index=False)
        if taker in accounts and owner in accounts
    )
    left_out = len(victims) + len(others) - len(shown_victims) - len(shown_others)
    return Ring(tuple(accounts.values()), ties, left_out)


def _circle(keys: list[int], names: Mapping[int, str], kind: str, radius: float) -> dict[int, Account]:
    """Place accounts evenly on a circle, the two circles turned against each other so that few lines meet."""
    begin = -math.pi / 2 if radius == INNER else -math.pi / 2 + math.pi / max(len(keys), 1)
    placed = {}
    for number, key in enumerate(keys):
        angle = begin + 2 * math.pi * number / len(keys)
        x = CENTRE[0] + radius * (WIDTH / 2 - MARGIN) * math.cos(angle)
        y = CENTRE[1] + radius * (HEIGHT / 2 - MARGIN / 2) * math.sin(angle)
        placed[key] = Account(key, names.get(key, ""), kind, round(x, 1), round(y, 1))
    return placed
