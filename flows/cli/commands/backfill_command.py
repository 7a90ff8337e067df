"""``seenbefore backfill``: score past times again."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.options import Json, in_home, moment

EXAMPLE = "Example: `seenbefore backfill --since 2026-03-01 --until 2026-04-01`"
AFTER_BACKFILL = (
    "seenbefore export scores --out scores.csv    writes all scores, those of other models too",
    "seenbefore monitor    compares the last days with what was before",
)


def backfill(
    context: typer.Context,
    since: Annotated[str, typer.Option(metavar="TIME", help="First moment, ISO 8601; UTC if no zone is given.")],
    until: Annotated[str, typer.Option(metavar="TIME", help="Last moment, included.")],
    model: Annotated[
        str | None, typer.Option(metavar="ID", help="Model to score with; default: the one in use.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Score past times again, from what is known now and could have been seen then.

    Unchanged scores stay. Changed ones are replaced, and the old ones kept in `past_scores`.
    """
    first, last = moment(since), moment(until)
    if first > last:
        found = f"expected a time not before --since, found {until!r} before {since!r}"
        raise typer.BadParameter(found, param_hint="--until")
    from flows.cli.console import show_summary
    from flows.start import started

    with started(context.obj, "backfill", quiet=as_json) as settings:
        from flows.backfill import backfill as flow

        summary = flow(since=first, until=last, model=model, home=str(settings.home))
    show_summary("Scored again", summary, next_steps=in_home(context, AFTER_BACKFILL), as_json=as_json)
