"""The output tables: what the catalog holds, in the columns that other programs rely on."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
from sqlalchemy import case, select

from data.catalog.database.frames import read_batches, read_by_keys
from data.catalog.database.schema import (
    cases,
    features,
    fetches,
    image_links,
    images,
    listings,
    matches,
    rejects,
    scores,
    verdicts,
)
from data.catalog.market.matches import DISTANCES
from data.catalog.market.photo_sightings import with_names
from data.catalog.scores.scores import VECTOR, unpack
from data.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from sqlalchemy import Connection, Select

Exported = Literal["listings", "images", "matches", "features", "scores", "verdicts", "cases", "rejects"]
EXPORTED: tuple[str, ...] = get_args(Exported)
BATCH_ROWS = 20_000
DESCRIBED = ("listing_id", "seller_id", "as_of")
MARKETPLACE = "marketplace"
HASHES = ("ahash", "phash", "dhash", "whash", "colorhash")
HEX_DIGITS = dict.fromkeys((*HASHES, "untransposed_phash"), 16) | {"colorhash": 11}


@dataclass(frozen=True, slots=True)
class _Output:
    """An output table: its columns, the query behind it, and what makes the one of the other, batch by batch."""

    columns: tuple[str, ...]
    query: Select[Any]
    finish: Callable[[Connection, pd.DataFrame], pd.DataFrame]


def exported_columns(what: Exported, *, feature_names: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the columns of an output table, in their order."""
    if what == "features":
        return (*DESCRIBED, *feature_names, MARKETPLACE)
    return _OUTPUTS[what].columns


def export_frame(
    connection: Connection, what: Exported, *, feature_names: Sequence[str] = (), spec: str | None = None
) -> pd.DataFrame:
    """Return a whole output table; see `export_batches`."""
    batches = export_batches(connection, what, feature_names=feature_names, spec=spec)
    return pd.concat(list(batches), ignore_index=True)


def export_batches(
    connection: Connection,
    what: Exported,
    *,
    feature_names: Sequence[str] = (),
    spec: str | None = None,
    run_id: str | None = None,
    rows: int = BATCH_ROWS,
) -> Generator[pd.DataFrame]:
    """Yield an output table in parts of at most ``rows`` rows, always at least one, in an order that stays the same.

    Parameters
    ----------
    what
        ``listings``: one row for each version, with the picture addresses known by then as a JSON list.
        ``images``: one row for each picture address in each listing. ``image_id`` is missing unless it was fetched;
        ``status`` is that of the fetch until there is a picture, and from then on that of the picture.
        ``matches``: ``other_observed_at`` is the later of the two times where the other side had posted the photo
        earlier but was observed only afterwards; such a match is known from then on.
        ``features``: ``listing_id, seller_id, as_of``, the features, ``marketplace``.
        ``rejects``: ``line`` counts as the reader of that table counts.
    feature_names
        For ``features``: the names in the order in which the vectors were kept.
    spec
        For ``features``: fingerprint of the feature list; ``None`` takes every vector, and they must all fit.
    run_id
        For ``scores``: only those of this run, in the order of their rank.

    Raises
    ------
    ExportError
        If there are feature vectors of another length than ``feature_names``.
    """
    if what == "features":
        yield from _features(connection, list(feature_names), spec, rows)
        return
    output = _OUTPUTS[what]
    query = output.query if run_id is None else _ranked(output.query, run_id)
    with closing(read_batches(connection, query, rows)) as batches:
        for batch in batches:
            yield output.finish(connection, batch)[list(output.columns)]


def _features(connection: Connection, names: list[str], spec: str | None, rows: int) -> Generator[pd.DataFrame]:
    query = select(features).order_by(features.c.as_of, features.c.listing_key, features.c.spec)
    if spec is not None:
        query = query.where(features.c.spec == spec)
    with closing(read_batches(connection, query, rows)) as batches:
        for batch in batches:
            lengths = set(batch["vector"].map(len) // VECTOR.itemsize) - {len(names)}
            if lengths:
                raise ExportError(
                    "features", f"{len(names)} names were given for vectors of {sorted(lengths)} features"
                )
            named = with_names(connection, batch)
            values = unpack(named["vector"], names)
            yield pd.concat([named[list(DESCRIBED)], values, named[[MARKETPLACE]]], axis=1)


def _ranked(all_scores: Select[Any], run_id: str) -> Select[Any]:
    return all_scores.where(scores.c.run_id == run_id).order_by(None).order_by(scores.c.rank)


def _with_image_urls(connection: Connection, versions: pd.DataFrame) -> pd.DataFrame:
    linked_at = image_links.c.observed_at.label("linked_at")
    query = select(image_links.c.listing_key, image_links.c.position, linked_at, fetches.c.image_url)
    query = query.join(fetches, fetches.c.url_id == image_links.c.url_id)
    links = read_by_keys(connection, query, image_links.c.listing_key, versions["listing_key"])
    known = versions[["listing_key", "observed_at"]].reset_index(names="version").merge(links, on="listing_key")
    known = known[known["linked_at"] <= known["observed_at"]].sort_values(["version", "linked_at", "position"])
    lists = known.groupby("version")["image_url"].agg(list).map(lambda urls: json.dumps(urls, ensure_ascii=False))
    return versions.assign(image_urls=lists.reindex(versions.index).astype("str").fillna("[]"))


def _with_hex(connection: Connection, pictures: pd.DataFrame) -> pd.DataFrame:
    return with_names(connection, pictures.assign(**{kind: _hex(pictures[kind], n) for kind, n in HEX_DIGITS.items()}))


def _hex(hashes: pd.Series, digits: int) -> pd.Series:
    """Return unsigned hashes as ImageHash prints them, missing where they are."""
    big_endian = hashes.to_numpy(np.uint64, na_value=0).astype(">u8").tobytes().hex()
    whole = np.frombuffer(big_endian.encode(), dtype="S16").astype("U16")
    return pd.Series(whole, index=hashes.index, dtype="str").str[-digits:].mask(hashes.isna())


def _with_both_sides(connection: Connection, found: pd.DataFrame) -> pd.DataFrame:
    return with_names(connection, with_names(connection, found), "other_")


def _with_first_poster(connection: Connection, scored: pd.DataFrame) -> pd.DataFrame:
    named = with_names(connection, with_names(connection, scored), "first_")
    itself = named["first_listing_id"].notna() & (named["first_listing_key"] == named["listing_key"]).fillna(False)
    return named.assign(**{name: named[name].mask(itself) for name in ("first_listing_id", "first_seller_id")})


def _as_read(_connection: Connection, rows: pd.DataFrame) -> pd.DataFrame:
    return rows


_PICTURE = ("image_id", "width", "height", "format", *HEX_DIGITS, "recipe")
_PICTURE_OR_FETCH = [
    case((images.c.image_id.is_not(None), images.c[name]), else_=fetches.c[name]).label(name)
    for name in ("status", "reason")
]
_OUTPUTS = {
    "listings": _Output(
        (
            "listing_id", "seller_id", "created_at", "image_urls", "observed_at", "marketplace", "title",
            "description", "category", "location", "url", "price", "currency", "attributes",
        ),
        select(listings).order_by(listings.c.observed_at, listings.c.listing_key),
        _with_image_urls,
    ),
    "images": _Output(
        (
            "image_id", "image_url", "listing_id", "status", "reason", "width", "height", "format", *HASHES,
            "recipe", "position", "seller_id", "marketplace", "untransposed_phash",
        ),
        select(image_links.c.listing_key, image_links.c.position, fetches.c.image_url)
        .add_columns(*(images.c[name] for name in _PICTURE), *_PICTURE_OR_FETCH)
        .join(fetches, fetches.c.url_id == image_links.c.url_id)
        .join(images, images.c.image_id == fetches.c.image_id, isouter=True)
        .order_by(image_links.c.listing_key, image_links.c.position, image_links.c.url_id),
        _with_hex,
    ),
    "matches": _Output(
        (
            "listing_id", "image_id", "seller_id", "observed_at", "other_listing_id", "other_image_id",
            "other_seller_id", "other_observed_at", *DISTANCES, "edit", "same_photo", "sellers_sharing", "sightings",
            "other_created_at", "marketplace", "other_marketplace",
        ),
        select(matches).order_by(
            *(matches.c[name] for name in ("observed_at", "listing_key", "image_id", "other_image_id"))
        ),
        _with_both_sides,
    ),
    "scores": _Output(
        (
            "listing_id", "seller_id", "observed_at", "as_of", "score", "rank", "band", "model_id", "reasons",
            "first_seller_id", "first_listing_id", "matched_images", "images", "marketplace",
        ),
        select(scores).order_by(scores.c.as_of, scores.c.listing_key, scores.c.model_id),
        _with_first_poster,
    ),
    "verdicts": _Output(
        (
            "verdict_id", "listing_id", "seller_id", "image_id", "other_image_id", "kind", "said", "verdict", "problem",
            "note", "about_id", "actor", "decided_at", "until_at", "seconds", "marketplace",
        ),
        select(verdicts).order_by(verdicts.c.decided_at, verdicts.c.verdict_id),
        with_names,
    ),
    "cases": _Output(
        (
            "listing_id", "seller_id", "state", "as_of", "score", "band", "value", "priority", "category", "price",
            "currency", "edit", "reason", "copied_images", "posted_at", "snoozed_until_at", "model_id", "marketplace",
        ),
        select(cases).order_by(cases.c.priority.desc(), cases.c.listing_key),
        with_names,
    ),
    "rejects": _Output(
        ("file", "line", "column", "reason", "value", "table"),
        select(
            rejects.c.source.label("file"),
            rejects.c.line,
            rejects.c.column_name.label("column"),
            rejects.c.reason,
            rejects.c.value,
            rejects.c.table_name.label("table"),
        ).order_by(rejects.c.source, rejects.c.line, rejects.c.reject_key),
        _as_read,
    ),
}  # fmt: skip
