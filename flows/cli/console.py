"""How results are shown: tables and sentences for people on standard output, JSON lines for programs.

Nothing that stands in a result is broken over lines: paths and commands are there to be copied.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from data.visible_text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

STDOUT = Console(soft_wrap=True)
STDERR = Console(stderr=True, soft_wrap=True)
CELL_CHARACTERS = 60
UNBOUNDED_CHARACTERS = 10_000
"""Width of what is no terminal: a table in a file or a pipe is as wide as its cells."""
NUMBER_KINDS = "iufb"  # of numpy: signed, unsigned, floating point, boolean


def show_frame(frame: pd.DataFrame, *, title: str, as_json: bool) -> None:
    """Print a frame: a table for people, or one JSON object a line."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    if as_json:
        for row in rows:
            write_json(row)
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for name, dtype in frame.dtypes.items():
        table.add_column(str(name), justify="right" if dtype.kind in NUMBER_KINDS else "left")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    show_table(table)


def show_table(table: Table) -> None:
    """Print a table, as wide as the terminal is, or as its cells are where there is none."""
    console = STDOUT if STDOUT.is_terminal else Console(width=UNBOUNDED_CHARACTERS)
    console.print(table)


def show_summary(title: str, facts: Mapping[str, Any], *, next_steps: tuple[str, ...] = (), as_json: bool) -> None:
    """Print what a command did and what to do next."""
    if as_json:
        write_json(facts)
        return
    STDOUT.print(f"[bold]{escape(title)}[/]")
    for name, value in facts.items():
        shown = f"{value:,}" if isinstance(value, int) else str(value)
        STDOUT.print(f"  {escape(name.replace('_', ' ')):<28} {escape(shown)}", highlight=False)
    for step in next_steps:
        STDOUT.print(f"[dim]→[/] {escape(step)}", highlight=False)


def show_error(error: Exception | str, *, advice: str = "") -> None:
    """Print what went wrong on standard error."""
    STDERR.print(f"[bold red]Error:[/] {escape(str(error))}{advice}", highlight=False)


def write_json(row: Mapping[Any, Any]) -> None:
    """Write one JSON object in a line, for programs."""
    sys.stdout.write(json.dumps(row, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    """Return a time as ISO 8601 and numpy's numbers as Python's."""
    return value.isoformat() if hasattr(value, "isoformat") else value.item()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    text = visible(str(value))
    return escape(text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…")
