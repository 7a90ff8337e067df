"""Options that several commands share, and how their texts become values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints, overload

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from data.settings import Settings
    from models.serving.load_tables import Tables

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Out = Annotated[Path | None, typer.Option(help="Output file: .csv, .jsonl or .parquet.")]
Moment = Annotated[str | None, typer.Option(metavar="TIME", help="ISO 8601; UTC if no zone is given.")]


def settings_of(context: typer.Context, *, quiet: bool = True) -> Settings:
    """Read the settings for a command and prepare Prefect for its home."""
    from data.settings import load_settings
    from flows.runtime.environment import prepare_prefect

    settings = load_settings(context.obj)
    prepare_prefect(settings.home, quiet=quiet)
    return settings


@overload
def moment(text: str) -> datetime: ...


@overload
def moment(text: str | None) -> datetime | None: ...


def moment(text: str | None) -> datetime | None:
    """Return a time given on the command line, aware UTC; a time without a zone is UTC.

    Raises
    ------
    typer.BadParameter
        It is not ISO 8601.

    Examples
    --------
    >>> moment("2026-01-02").isoformat()
    '2026-01-02T00:00:00+00:00'
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        expected = f"expected a time such as 2026-01-31 or 2026-01-31T12:00Z, found {text!r}"
        raise typer.BadParameter(expected, param_hint="--since or --until") from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def instant(when: datetime | str) -> datetime:
    """Return a time as a flow takes it: a text, as deployments hold it, is read as on the command line."""
    return moment(when) if isinstance(when, str) else when


@dataclass(frozen=True, slots=True)
class TableOptions:
    """The tables that a command loads: its argument, and the seven options that say how to read them."""

    listings: Annotated[
        str,
        typer.Argument(
            metavar="LISTINGS",
            help="CSV, JSON Lines or Parquet (also .gz, .zst), a folder of such files, or SQL-URL#table.",
        ),
    ]
    sellers: Annotated[str | None, typer.Option(help="Table of seller accounts.")] = None
    labels: Annotated[str | None, typer.Option(help="Table of labels: listing_id, label, labelled_at.")] = None
    images_root: Annotated[
        Path | None, typer.Option(help="Folder that relative image paths start from.", exists=True, file_okay=False)
    ] = None
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="THEIRS=ours", help="Map one of your columns to ours; may be repeated."),
    ] = None
    encoding: Annotated[str | None, typer.Option(help="Encoding of text files; default: UTF-8.")] = None
    timezone: Annotated[
        str | None, typer.Option(help="Time zone of times without one, for example `Europe/Berlin`.")
    ] = None

    def tables(self) -> Tables:
        """Return what is to be loaded, every path absolute."""
        from models.serving.load_tables import Tables

        return Tables(
            listings=absolute(self.listings),
            sellers=absolute(self.sellers),
            labels=absolute(self.labels),
            images_root=str(self.images_root.resolve()) if self.images_root else None,
            mapping=tuple(self.mapping or ()),
            encoding=self.encoding,
            timezone=self.timezone,
        )


def takes_tables(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `TableOptions`, which it is handed as ``given``."""
    shared = _parameters(TableOptions)
    own = [parameter for parameter in _parameters(command) if parameter.name != "given"]

    @wraps(command)
    def run(**values: Any) -> None:
        given = TableOptions(**{parameter.name: values.pop(parameter.name) for parameter in shared})
        command(given=given, **values)

    parameters = [*shared, *own]
    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # what Typer makes options of
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _parameters(function: Callable[..., object]) -> list[Parameter]:
    """Return the parameters of a function or a dataclass, all by name, with annotations in place of their texts."""
    hints = get_type_hints(function, include_extras=True)
    return [
        parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[parameter.name])
        for parameter in signature(function).parameters.values()
    ]


@overload
def absolute(where: str) -> str: ...


@overload
def absolute(where: str | None) -> str | None: ...


def absolute(where: str | None) -> str | None:
    """Return a path as absolute, so that it still holds for a run started elsewhere; a URL stays as it is."""
    return where if where is None or "://" in where else str(Path(where).resolve())


def in_home(context: typer.Context, steps: Sequence[str]) -> tuple[str, ...]:
    """Return the commands that are advised next, for the home that this one was given."""
    if context.obj is None:
        return tuple(steps)
    return tuple(step.replace("seenbefore ", f"seenbefore --home {quote(str(context.obj))} ", 1) for step in steps)
