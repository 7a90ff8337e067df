"""The input tables: which columns they have, what these hold, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["id", "text", "name", "currency", "time", "number", "urls", "label"]

MAX_ID_CHARS = 512
MAX_URL_CHARS = 2_048
MAX_URLS = 100
MAX_ATTRIBUTES_CHARS = 200_000
LABELS_ALLOWED = ("fraud", "legit")
DEFAULT_MARKETPLACE = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of an input table.

    Parameters
    ----------
    name
        As the table must call it, or as a mapping calls it.
    kind
        ``id`` (text, blanks around it dropped), ``text`` (kept as it is), ``name`` (text, blanks around it dropped),
        ``currency``, ``time``, ``number``, ``urls`` (a list of picture addresses) or ``label``.
    meaning
        As printed in the documentation.
    required
        Whether the table must have it.
    may_be_empty
        Whether a row is kept without a value; optional columns always may.
    max_chars
        Longest value of a text kind; a row with a longer one is rejected, nothing is ever cut.
    minimum
        Smallest value of a number.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    may_be_empty: bool = True
    max_chars: int = MAX_ID_CHARS
    minimum: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Table:
    """An input table.

    Parameters
    ----------
    name
        As it is called in messages.
    columns
        In their order.

    Attributes
    ----------
    names
        Of all columns.
    required
        Names of the columns the table must have.
    """

    name: str
    columns: tuple[Column, ...]
    names: frozenset[str] = field(init=False)
    required: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(column.name for column in self.columns))
        object.__setattr__(self, "required", frozenset(column.name for column in self.columns if column.required))


def _id(name: str, meaning: str) -> Column:
    return Column(name=name, kind="id", meaning=meaning, required=True, may_be_empty=False)


_MARKETPLACE = Column(
    name="marketplace", kind="name", max_chars=128, meaning=f"where it is sold; default `{DEFAULT_MARKETPLACE}`"
)

LISTINGS = Table(
    "listings",
    (
        _id("listing_id", "unique within a marketplace"),
        _id("seller_id", "who posted it"),
        Column(
            name="created_at",
            kind="time",
            meaning="when the seller posted it, by the marketplace's clock: who posted first copied nothing",
            required=True,
            may_be_empty=False,
        ),
        Column(
            name="image_urls",
            kind="urls",
            meaning=f"JSON list, or separated by `|`: http(s) URLs, or paths below `--images-root`; at most {MAX_URLS}",
            required=True,
        ),
        Column(
            name="observed_at",
            kind="time",
            meaning="when it became known to us; default: `created_at` for the first bulk load, else now",
        ),
        _MARKETPLACE,
        Column(name="title", kind="text", max_chars=2_000, meaning="headline"),
        Column(name="description", kind="text", max_chars=100_000, meaning="what the seller writes"),
        Column(name="category", kind="name", max_chars=512, meaning="prices are compared within it"),
        Column(name="location", kind="name", max_chars=512, meaning="where the thing is"),
        Column(
            name="url", kind="name", max_chars=MAX_URL_CHARS, meaning="address of the listing itself; never fetched"
        ),
        Column(name="price", kind="number", minimum=0, meaning="a number, also as people write it: `$5,000`"),
        Column(
            name="currency",
            kind="currency",
            max_chars=16,
            meaning="code or sign; default: the one that stands in the price",
        ),
    ),
)

SELLERS = Table(
    "sellers",
    (
        _id("seller_id", "unique within a marketplace"),
        Column(name="joined_at", kind="time", meaning="when the account was opened"),
        Column(
            name="feedback_count", kind="number", meaning="ratings received; may be negative where a market nets them"
        ),
        Column(name="rating", kind="number", meaning="average rating, in the marketplace's own scale"),
        Column(name="country", kind="name", max_chars=128, meaning="where the account says it is"),
        Column(
            name="observed_at",
            kind="time",
            meaning="when this became known to us; default: `joined_at` or now, as documented below",
        ),
        Column(name="group_id", kind="name", meaning="accounts with the same one are known to be one business"),
        _MARKETPLACE,
    ),
)

LABELS = Table(
    "labels",
    (
        _id("listing_id", "the listing judged; it may come later"),
        Column(name="label", kind="label", meaning="`fraud` or `legit`", required=True, may_be_empty=False),
        Column(
            name="labelled_at",
            kind="time",
            meaning="when it was judged; the label counts only from then on",
            required=True,
            may_be_empty=False,
        ),
        Column(name="source", kind="name", max_chars=200, meaning="who or what judged"),
        Column(name="observed_at", kind="time", meaning="when the label became known to us; default: `labelled_at`"),
        _MARKETPLACE,
    ),
)

TABLES = {table.name: table for table in (LISTINGS, SELLERS, LABELS)}
