"""``seenbefore similar``: tell whether a picture is known."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import CallerError
from data.settings import load_settings
from flows.cli.options import Json

if TYPE_CHECKING:
    from models.serving.pictures.search_pictures import SearchResult

EXAMPLE = "Example: `seenbefore similar suspicious.jpg https://example.com/photo.jpg --out hits.html`"
MOST_BITS = 64
PRINTED_ROWS = 40
PRINTED = ["query", "rank", "listing_id", "seller_id", "day", "bits", "edit", "same_photo"]


class Hash(StrEnum):
    """A kind of hash, by the name it has in tables."""

    ahash = "ahash"
    phash = "phash"
    dhash = "dhash"
    whash = "whash"
    colorhash = "colorhash"


Kind = Annotated[Hash | None, typer.Option(help="Compare by this hash only, as ImageHash does.")]
Within = Annotated[int | None, typer.Option(min=0, max=MOST_BITS, help="Maximum number of differing bits.")]
Sheet = Annotated[
    Path | None,
    typer.Option(help="Output file: .csv, .jsonl or .parquet, or .html with the images.", dir_okay=False),
]


def similar(
    context: typer.Context,
    images: Annotated[list[str], typer.Argument(metavar="IMAGE", help="Files, folders or http(s) addresses.")],
    kind: Kind = None,
    within: Within = None,
    min_probability: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Minimum probability of the same photo; 0 lists every candidate."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum number of hits per image.")] = None,
    out: Sheet = None,
    as_json: Json = False,
) -> None:
    """Find known images like these, most likely first, each with the listing and seller that showed it first."""
    if within is not None and kind is None:
        raise CallerError("--within counts the bits of one hash: name it with --kind.")
    settings = load_settings(context.obj)
    from flows.cli.console import STDERR
    from flows.cli.lookup.lookup_output import check_out, warn, write_findings
    from flows.cli.progress_bars import bars
    from models.serving.context import open_context
    from models.serving.pictures.query_pictures import read_queries
    from models.serving.pictures.search_pictures import SearchOptions, find_similar
    from models.serving.pictures.search_sheets import similar_sheet

    check_out(out)
    opened = open_context(settings)
    sought = SearchOptions(kind=kind, within=within, min_probability=min_probability, limit=limit)
    with bars(STDERR, quiet=as_json), read_queries(opened, images) as queries:
        found = find_similar(opened, queries, sought, datetime.now(UTC))
        write_findings(found.rows, out, lambda: similar_sheet(opened, queries, found.rows))
    for name, reason in queries.unread:
        warn(name, reason)
    _show(found, len(queries.prints), out, as_json=as_json)


def _show(found: SearchResult, asked: int, out: Path | None, *, as_json: bool) -> None:
    from flows.cli.console import show_frame
    from flows.cli.lookup.lookup_output import BITS, NO_PICTURES, for_people, say

    rows = found.rows
    if rows.empty:
        asked_about = "this one" if asked == 1 else f"any of these {asked:,}"
        none = f"None of the {found.known:,} known pictures is like {asked_about}."
        say(none if found.known else NO_PICTURES, as_json=as_json)
    elif as_json:
        show_frame(rows, title="", as_json=True)
    else:
        title = f"Known pictures like {'this one' if asked == 1 else f'these {asked:,}'}, of {found.known:,}"
        columns = PRINTED if asked > 1 else PRINTED[1:]
        show_frame(for_people(rows.head(PRINTED_ROWS), columns), title=title, as_json=False)
        say(BITS)
        if len(rows) > PRINTED_ROWS:
            say(f"Shown are the first {PRINTED_ROWS} of {len(rows):,} hits; --out FILE.csv writes them all.")
    if out is not None:
        say(f"Written to {out}", as_json=as_json)
