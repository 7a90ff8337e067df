"""Read, validate and keep the input tables, and what is read of the words in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from data.catalog.market.listings import Saved, save_labels, save_listings, save_sellers
from data.catalog.market.loads import Load, begin_load, finish_load, save_rejects
from data.catalog.market.texts import VERSION, save_texts, unread_texts
from data.errors import TableError
from data.progress import advance
from data.sources import DEFAULT_ENCODING, open_source
from data.tables.column_mapping import Mapping, check_columns
from data.tables.columns import TABLES
from data.tables.validation import validate
from data.tables.value_parsing import parse_timezone
from features.point_in_time.listing_features import text_bands
from features.point_in_time.price_features import product_models_of, stated

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from data.catalog.database.engine import Connection
    from data.sources import Batch, Source
    from data.tables.validation import Valid
    from models.serving.context import Context

Counts = dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What to load and how to read it.

    Parameters
    ----------
    listings, sellers, labels
        Files, folders or ``sqlalchemy-url#table-or-query``; the last two may be missing.
    images_root
        Folder below which picture paths lie.
    mapping
        ``THEIRS=ours`` each.
    encoding, timezone
        How texts are encoded, and the zone of times that state none.
    """

    listings: str
    sellers: str | None = None
    labels: str | None = None
    images_root: str | None = None
    mapping: tuple[str, ...] = ()
    encoding: str | None = None
    timezone: str | None = None

    @property
    def identity(self) -> str:
        """What an interrupted load is found again by."""
        return repr(sorted(asdict(self).items()))

    def named(self) -> list[tuple[str, str]]:
        """Return (table name, where it is) of each table, listings first."""
        given = (("listings", self.listings), ("sellers", self.sellers), ("labels", self.labels))
        return [(name, where) for name, where in given if where is not None]


def load_tables(context: Context, tables: Tables, now: datetime) -> tuple[Load, Counts]:
    """Load all tables; rows that cannot be kept land in ``rejects``.

    Raises
    ------
    TableError
        Columns are missing or wrong in any of the tables; nothing was written.
    """
    rows = context.settings.batch_rows
    reading, sources = _checked(tables, rows)
    with context.catalog.write() as connection:
        load = begin_load(connection, tables.identity, now)
    counts: Counter[str] = Counter()
    for name, source in sources:
        for batch in source.batches(rows):
            valid = reading.typed(name, batch)
            with context.catalog.write() as connection:
                counts.update(_keep(connection, load, name, batch.source, valid))
            advance(f"reading {name}", len(batch.frame))
    read_listing_texts(context)
    return load, dict(counts)


def end_load(context: Context, load: Load, now: datetime) -> None:
    """Note that all that a load brought is downloaded and matched; until then the same tables go on with it."""
    with context.catalog.write() as connection:
        finish_load(connection, load, now)


def check_tables(tables: Tables, rows: int) -> None:
    """Check that all tables can be read and have the columns they must have, on their first ``rows`` rows.

    Raises
    ------
    SourceError
        One of them cannot be opened.
    TableError
        Columns are missing or wrong in any of them.
    """
    _checked(tables, rows)


def read_listing_texts(context: Context) -> int:
    """Read the texts of all versions that were not read yet, also of those kept by an older version; say how many."""
    read = 0
    rows = context.settings.batch_rows
    with context.catalog.read() as connection:
        unread = unread_texts(connection, rows)
    while not unread.empty:
        found = listing_texts(unread)
        with context.catalog.write() as connection:
            save_texts(connection, found)
        read += len(unread)
        advance("reading texts", len(unread))
        with context.catalog.read() as connection:
            unread = unread_texts(connection, rows)
    return read


def listing_texts(versions: pd.DataFrame) -> pd.DataFrame:
    """Read the words of versions of listings.

    Parameters
    ----------
    versions
        `data.catalog.market.texts.READ`.

    Returns
    -------
    pandas.DataFrame
        What `data.catalog.market.texts.save_texts` keeps, a row for each version. A model of goods is named only
        where a price is stated for it.
    """
    price = pd.Series(stated(versions["price"]), index=versions.index)
    bands = text_bands(versions["title"], versions["description"])
    goods = product_models_of(versions).where(price.notna())
    return versions[list(VERSION)].join(bands).assign(goods=goods, price=price.where(goods.notna()))


def _checked(tables: Tables, rows: int) -> tuple[_Reading, list[tuple[str, Source]]]:
    reading = _Reading.of(tables)
    sources = [(name, open_source(where, encoding=reading.encoding)) for name, where in tables.named()]
    reading.check(sources, rows)
    return reading, sources


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the texts of all tables become values."""

    mapping: Mapping
    encoding: str
    timezone: tzinfo | None
    images_root: Path | None

    @classmethod
    def of(cls, tables: Tables) -> _Reading:
        return cls(
            Mapping.parse(tables.mapping),
            tables.encoding or DEFAULT_ENCODING,
            parse_timezone(tables.timezone) if tables.timezone else None,
            Path(tables.images_root) if tables.images_root else None,
        )

    def typed(self, name: str, batch: Batch) -> Valid:
        return validate(batch, TABLES[name], mapping=self.mapping, timezone=self.timezone, images_root=self.images_root)

    def check(self, sources: list[tuple[str, Source]], rows: int) -> None:
        """Check the columns and the first rows of every table before any of them is loaded."""
        problems: list[str] = []
        advice = ""
        every_column: set[str] = set()
        for name, source in sources:
            try:
                columns = source.columns()
                every_column.update(columns)
                check_columns(columns, TABLES[name], mapping=self.mapping, source=source.name)
                for batch in islice(source.batches(rows), 1):
                    self.typed(name, batch)
            except TableError as error:
                problems += [f"{error.source}: {problem}" for problem in error.problems]
                advice = error.advice
        # A pair may be meant for one table alone, but for one of them it must be.
        if not problems and (unknown := self.mapping.unknown(every_column)):
            problems = [f"--map {theirs}={ours}: no table has a column {theirs}" for theirs, ours in unknown]
            advice = f"They have: {', '.join(sorted(every_column))}."
        if problems:
            raise TableError(" and ".join(source.name for _, source in sources), problems, advice)


def _keep(connection: Connection, load: Load, name: str, source: str, valid: Valid) -> Counts:
    saved = _save(connection, load, name, valid.rows)
    refused = saved.rejects.rename(columns={"_line": "line"}).assign(source=source, table_name=name)
    rejects = pd.concat([valid.rejects, refused], ignore_index=True)
    save_rejects(connection, load, rejects)
    return {
        f"{name}_read": len(valid.rows) + valid.rejected_rows,
        f"{name}_new": saved.new,
        "rejected": int(rejects["line"].nunique()),
    }


def _save(connection: Connection, load: Load, name: str, rows: pd.DataFrame) -> Saved:
    if name == "listings":
        return save_listings(connection, load, rows)
    if name == "sellers":
        return save_sellers(connection, load, rows)
    return save_labels(connection, rows)
