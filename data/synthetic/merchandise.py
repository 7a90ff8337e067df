"""What is sold: categories with prices, and the words people use for their things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

MAKERS = ("Nordvik", "Halden", "Orrel", "Casmo", "Tellura", "Brisk", "Monteba", "Kuro")
MODELS = ("R2", "R5", "Classic", "Mini", "Tour", "X40", "Studio", "Loft")
COLOURS = ("black", "white", "blue", "grey", "red", "green", "brown", "silver")
CONDITIONS = {"like new": 1.2, "very good": 1.05, "good condition": 0.95, "used": 0.8, "with small marks": 0.7}
OPENINGS = (
    "I am selling my {thing} because I moved.",
    "Up for sale: a {thing} from a smoke-free home.",
    "{thing}, bought two years ago, rarely used.",
    "My {thing} needs a new owner.",
    "Selling a {thing} that was a gift.",
)
BODIES = (
    "Everything works as it should.",
    "A few signs of wear, see the photos.",
    "The original box is still here.",
    "Bill and papers are there.",
    "Cleaned and checked last week.",
)
CLOSINGS = (
    "Pick-up or shipping.",
    "Price is fixed, please no swaps.",
    "Make me an offer.",
    "First come, first served.",
    "Private sale, no returns.",
)
PLACES = (
    "Leeds", "Porto", "Ghent", "Lyon", "Turin", "Graz", "Malmö", "Cork", "Bremen", "Brno", "Gdańsk", "Sevilla",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of goods.

    Parameters
    ----------
    name
        As it stands in the listing.
    thing
        As it stands in a title.
    median_price
        In the market's currency.
    """

    name: str
    thing: str
    median_price: float


CATEGORIES = (
    Category("bicycles", "bicycle", 420.0),
    Category("phones", "phone", 310.0),
    Category("cameras", "camera", 480.0),
    Category("sofas", "sofa", 350.0),
    Category("shoes", "pair of shoes", 60.0),
    Category("guitars", "guitar", 390.0),
    Category("watches", "watch", 240.0),
    Category("jackets", "jacket", 75.0),
)


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing for sale and what it is honestly worth.

    Parameters
    ----------
    category
        Position in `CATEGORIES`.
    worth
        A fair price.
    """

    category: int
    maker: str
    model: str
    colour: str
    condition: str
    worth: float

    @property
    def title(self) -> str:
        """The plainest title for it."""
        return f"{self.maker} {self.model} {CATEGORIES[self.category].thing}, {self.colour}"


def some_thing(rng: np.random.Generator, category: int) -> Thing:
    """Find a thing to sell in a category."""
    maker, model = int(rng.integers(len(MAKERS))), int(rng.integers(len(MODELS)))
    condition = str(rng.choice(list(CONDITIONS)))
    worth = (
        CATEGORIES[category].median_price
        * 1.12 ** (maker - len(MAKERS) / 2)
        * 1.15 ** (model - len(MODELS) / 2)
        * CONDITIONS[condition]
        * rng.lognormal(0.0, 0.22)
    )
    colour = COLOURS[int(rng.integers(len(COLOURS)))]
    return Thing(category, MAKERS[maker], MODELS[model], colour, condition, float(worth))


def title_for(thing: Thing, rng: np.random.Generator) -> str:
    """Word a title; two people may well choose the same words."""
    endings = ("", f", {thing.condition}", " - top", ", ready to go", f" ({thing.condition})")
    return thing.title + endings[int(rng.integers(len(endings)))]


def description_for(thing: Thing, rng: np.random.Generator) -> str:
    """Word a description."""
    opening, body, closing = (parts[int(rng.integers(len(parts)))] for parts in (OPENINGS, BODIES, CLOSINGS))
    text = f"{opening.format(thing=CATEGORIES[thing.category].thing)} {body} {closing}"
    return text[0].upper() + text[1:]


def rounded_price(price: float) -> float:
    """Round as people do: to ones below 50, to fives above."""
    step = 1.0 if price < 50 else 5.0
    return max(step, round(price / step) * step)
