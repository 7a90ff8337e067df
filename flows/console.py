"""How results are shown: tables and sentences for people on standard output, JSON lines for programs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

STDOUT = Console(soft_wrap=False)
STDERR = Console(stderr=True)
CELL_CHARACTERS = 60


def show_frame(frame: pd.DataFrame, *, title: str, as_json: bool) -> None:
    """Print a frame: a table for people, or one JSON object a line."""
    if as_json:
        for row in frame.to_dict("records"):
            sys.stdout.write(json.dumps({name: _jsonable(value) for name, value in row.items()}) + "\n")
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in frame.columns:
        table.add_column(str(name), justify="right" if pd.api.types.is_numeric_dtype(frame[name]) else "left")
    for row in frame.itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    STDOUT.print(table)


def show_summary(title: str, facts: Mapping[str, Any], *, next_steps: tuple[str, ...] = (), as_json: bool) -> None:
    """Print what a command did and what to do next."""
    if as_json:
        sys.stdout.write(json.dumps({name: _jsonable(value) for name, value in facts.items()}) + "\n")
        return
    STDOUT.print(f"[bold]{escape(title)}[/]")
    for name, value in facts.items():
        shown = f"{value:,}" if isinstance(value, int) else str(value)
        STDOUT.print(f"  {escape(name.replace('_', ' ')):<28} {escape(shown)}", highlight=False)
    for step in next_steps:
        STDOUT.print(f"[dim]→[/] {escape(step)}", highlight=False)


def _cell(value: Any) -> str:
    if value is None or (not isinstance(value, (list, dict)) and pd.isna(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    text = "".join(character if character.isprintable() else "·" for character in str(value))
    return escape(text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…")


def _jsonable(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, (list, dict, str)) or value is None:
        return value
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
