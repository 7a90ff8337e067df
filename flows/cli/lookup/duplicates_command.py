"""``seenbefore duplicates``: photos posted more than once, and by whom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from data.errors import CallerError
from data.settings import load_settings
from flows.cli.lookup.similar_command import Kind, Sheet, Within
from flows.cli.options import Json

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from models.serving.pictures.search_pictures import SearchResult

EXAMPLE = "Example: `seenbefore duplicates --out duplicates.html`"
PRINTED_PHOTOS = 20
PRINTED_POSTINGS = 4
PRINTED = ["photo", "listing_id", "seller_id", "day", "edit", "same_photo", "sellers", "listings"]


def duplicates(
    context: typer.Context,
    kind: Kind = None,
    within: Within = None,
    out: Sheet = None,
    as_json: Json = False,
) -> None:
    """List the photos that were posted more than once, as the same file or another, and who posted them."""
    if within is not None and kind is None:
        raise CallerError("--within counts the bits of one hash: name it with --kind.")
    settings = load_settings(context.obj)
    from flows.cli.console import STDERR
    from flows.cli.lookup.lookup_output import check_out, write_findings
    from flows.cli.progress_bars import bars
    from models.serving.context import open_context
    from models.serving.pictures.search_pictures import find_duplicates
    from models.serving.pictures.search_sheets import duplicates_sheet

    check_out(out)
    opened = open_context(settings)
    with bars(STDERR, quiet=as_json):
        found = find_duplicates(opened, datetime.now(UTC), kind=kind, within=within or 0)
        write_findings(found.rows, out, lambda: duplicates_sheet(opened, found.rows))
    _show(found, out, as_json=as_json)


def _show(found: SearchResult, out: Path | None, *, as_json: bool) -> None:
    from flows.cli.console import show_frame, show_summary
    from flows.cli.lookup.lookup_output import NO_PICTURES, for_people, say
    from models.serving.pictures.search_pictures import spread

    rows = found.rows
    if rows.empty:
        none = f"None of the {found.known:,} known pictures shows a photo that was posted more than once."
        say(none if found.known else NO_PICTURES, as_json=as_json)
    elif as_json:
        show_frame(rows, title="", as_json=True)
    else:
        printed = _first_postings(rows)
        show_frame(for_people(printed, PRINTED), title="Photos posted more than once", as_json=False)
        if len(printed) < len(rows):
            say(f"Shown are some of {len(rows):,} postings; --out FILE.csv writes them all.")
        show_summary("Posted more than once", spread(rows), as_json=False)
    if out is not None:
        say(f"Written to {out}", as_json=as_json)


def _first_postings(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a few postings of the first photos: one of each seller before a second one of any."""
    first = rows[rows["photo"] <= PRINTED_PHOTOS]
    again = first.duplicated(["photo", "marketplace", "seller_id"])
    by_seller = first.assign(again=again).sort_values(["photo", "again"], kind="stable")
    return first.loc[by_seller.groupby("photo").head(PRINTED_POSTINGS).index.sort_values()]
