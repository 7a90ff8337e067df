"""``seenbefore models``: the registry."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from flows.cli.options import Json, in_home, settings_of

EXAMPLE = "Example: `seenbefore models promote hgb-0123456789abcdef --why 'trusted after two weeks of shadow scores'`"

app = typer.Typer(help="The model registry: list, show, promote, roll back.", epilog=EXAMPLE, no_args_is_help=True)

ModelId = Annotated[str, typer.Argument(help="Model id from `seenbefore models list`.")]
Why = Annotated[str, typer.Option(help="Reason, stored in the audit trail.")]


@app.command("list", epilog="Example: `seenbefore models list --json`")
def list_models(context: typer.Context, as_json: Json = False) -> None:
    """List all models: when each was trained, how good it was, and which is in use."""
    settings = settings_of(context)
    from flows.cli.console import STDOUT, show_frame
    from models.serving.context import open_context
    from models.serving.learning.kept_models import kept_models

    frame = kept_models(open_context(settings))
    if frame.empty and not as_json:
        STDOUT.print("No model is kept yet: the documented rule scores. Learn one with `seenbefore train`.")
        return
    show_frame(frame, title="Models", as_json=as_json)


@app.command("show", epilog="Example: `seenbefore models show hgb-0123456789abcdef`")
def show_model(context: typer.Context, model_id: ModelId, as_json: Json = False) -> None:
    """Print the card of a model, or what the rule does."""
    settings = settings_of(context)
    import json

    from rich.markdown import Markdown

    from flows.cli.console import STDOUT
    from models.serving.context import open_context
    from models.serving.learning.kept_models import described_model

    text, card = described_model(open_context(settings), model_id)
    if as_json:
        typer.echo(json.dumps(card))
    else:
        STDOUT.print(Markdown(text))


@app.command("promote", epilog=EXAMPLE)
def promote_model(context: typer.Context, model_id: ModelId, why: Why = "by hand", as_json: Json = False) -> None:
    """Put a model into use."""
    _use(context, model_id, why, as_json=as_json)


@app.command("rollback", epilog="Example: `seenbefore models rollback --why 'too many alarms since Monday'`")
def roll_back(context: typer.Context, why: Why = "by hand", as_json: Json = False) -> None:
    """Go back to the model that was in use before the current one."""
    _use(context, None, why, as_json=as_json)


def _use(context: typer.Context, model_id: str | None, why: str, *, as_json: bool) -> None:
    settings = settings_of(context)
    from flows.cli.console import show_summary
    from models.serving.context import open_context
    from models.serving.learning.kept_models import promote, roll_back_champion

    opened, now = open_context(settings), datetime.now(UTC)
    summary = roll_back_champion(opened, why, now) if model_id is None else promote(opened, model_id, why, now)
    steps = in_home(context, ["seenbefore score    scores what is new with it"])
    show_summary("In use", summary, next_steps=steps, as_json=as_json)
