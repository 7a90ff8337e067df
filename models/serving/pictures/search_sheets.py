"""Turn what a search found into strips of pictures for a sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data.errors import LostPicture
from data.progress import advance
from features.facts import DISTANCE_COLUMNS, HASH_KINDS
from models.reports.contact_sheet import Photo, Strip, contact_sheet
from models.serving.pictures.search_pictures import spread
from models.serving.pictures.thumbnails import thumbnail

if TYPE_CHECKING:
    import pandas as pd

    from models.serving.context import Context
    from models.serving.pictures.query_pictures import Queries

# A picture takes some 20 kB: the largest sheet stays below 15 MB.
STRIPS_SHOWN = 60
TILES_SHOWN = 8
POSTINGS_SHOWN = 6

Row = dict[Any, Any]


def similar_sheet(context: Context, queries: Queries, rows: pd.DataFrame) -> str:
    """Return a page that shows each query beside the known pictures like it; queries without any are only counted."""
    asked = queries.prints.drop_duplicates("query").set_index("query")["image_id"]
    hit = rows["query"].drop_duplicates()
    strips = [
        _hits_strip(context, queries.context, str(query), asked[query], hits.to_dict("records"))
        for query, hits in rows[rows["query"].isin(hit.head(STRIPS_SHOWN))].groupby("query", sort=False)
    ]
    summary = (
        f"{_counted(len(queries.prints), 'picture')} asked about; known pictures are like {len(hit):,} of them. "
        f"{_left_out(len(hit), 'picture')}"
    )
    return contact_sheet("Seen before?", summary, strips)


def duplicates_sheet(context: Context, rows: pd.DataFrame) -> str:
    """Return a page that shows each photo that was posted more than once, in which bytes and by whom."""
    counts = spread(rows)
    strips = [_photo_strip(context, postings) for _, postings in rows[rows["photo"] <= STRIPS_SHOWN].groupby("photo")]
    summary = (
        f"{_counted(counts['photos'], 'photo')} in {_spread(counts['listings'], counts['sellers'])}, "
        f"{counts['photos_of_several_sellers']:,} of them under more than one seller. "
        f"{_left_out(counts['photos'], 'photo')}"
    )
    return contact_sheet("Posted more than once", summary, strips)


def _hits_strip(context: Context, aside: Context, query: str, image_id: str, hits: list[Row]) -> Strip:
    tiles = tuple(_hit_tile(context, hit) for hit in hits[:TILES_SHOWN])
    advance("drawing the sheet", 1)
    return Strip(query, tiles, Photo(_picture(aside, image_id), "asked about"), _more(len(hits)))


def _hit_tile(context: Context, hit: Row) -> Photo:
    lines = (*_likeness(hit), *_posting(hit), f"in {_spread(hit['sightings'], hit['sellers'])}")
    return Photo(_picture(context, hit["image_id"]), f"{hit['rank']}. same photo: {hit['same_photo']:.1%}", lines)


def _photo_strip(context: Context, postings: pd.DataFrame) -> Strip:
    pictures = [seen.to_dict("records") for _, seen in postings.groupby("image_id", sort=False)]
    tiles = tuple(_posted_tile(context, seen) for seen in pictures[:TILES_SHOWN])
    first = pictures[0][0]
    advance("drawing the sheet", 1)
    heading = f"Photo {first['photo']} in {_spread(first['listings'], first['sellers'])}"
    return Strip(heading, tiles, note=_more(len(pictures)))


def _posted_tile(context: Context, seen: list[Row]) -> Photo:
    is_earliest = seen[0]["edit"] == "none"
    title = "the earliest" if is_earliest else f"same photo: {seen[0]['same_photo']:.1%}"
    postings = [" · ".join(_posting(posting)) for posting in seen[:POSTINGS_SHOWN]]
    if len(seen) > POSTINGS_SHOWN:
        postings.append(f"and {_counted(len(seen) - POSTINGS_SHOWN, 'more listing')}")
    likeness = () if is_earliest else _likeness(seen[0])
    return Photo(_picture(context, seen[0]["image_id"]), title, (*likeness, *postings))


def _picture(context: Context, image_id: str) -> bytes | None:
    try:
        return thumbnail(context, image_id)
    except LostPicture:  # leaves a gap on the sheet
        return None


def _likeness(row: Row) -> tuple[str, ...]:
    bits = " ".join(f"{kind} {row[column]}" for kind, column in zip(HASH_KINDS, DISTANCE_COLUMNS, strict=True))
    return "the same bytes" if row["edit"] == "none" else row["edit"], f"bits: {bits}"


def _posting(row: Row) -> tuple[str, ...]:
    when_and_who = f"{row['observed_at']:%Y-%m-%d} in {row['listing_id']} of {row['seller_id']}"
    address = row["image_url"]
    return (when_and_who, address) if isinstance(address, str) else (when_and_who,)


def _spread(listings: int, sellers: int) -> str:
    return f"{_counted(listings, 'listing')} of {_counted(sellers, 'seller')}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _more(pictures: int) -> str:
    return f"and {_counted(pictures - TILES_SHOWN, 'more picture')}" if pictures > TILES_SHOWN else ""


def _left_out(count: int, noun: str) -> str:
    return f"Shown are the first {_counted(STRIPS_SHOWN, noun)}." if count > STRIPS_SHOWN else ""
