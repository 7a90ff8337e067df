"""The command line's two conveniences: ``--home`` anywhere, and several pairs behind one ``--map``."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

END_OF_OPTIONS = "--"


def normalised(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with ``--home`` first and one ``--map`` for each pair.

    Examples
    --------
    >>> normalised(["ingest", "a.csv", "--map", "id=listing_id", "host=seller_id", "--home", "there"])
    ['--home', 'there', 'ingest', 'a.csv', '--map', 'id=listing_id', '--map', 'host=seller_id']
    """
    home: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    in_map = False
    for argument in waiting:
        if argument == END_OF_OPTIONS:
            return [*home, *rest, argument, *waiting]
        if argument == "--home" or argument.startswith("--home="):
            home = _with_value(argument, waiting)
            in_map = False
        elif argument == "--map" or argument.startswith("--map="):
            rest += _with_value(argument, waiting)
            in_map = True
        else:
            in_map = in_map and _is_pair(argument)
            rest += ["--map", argument] if in_map else [argument]
    return [*home, *rest]


def _with_value(option: str, waiting: Iterator[str]) -> list[str]:
    """Return an option with its value, which stands behind its ``=`` or is the next argument."""
    return [option] if "=" in option else [option, *islice(waiting, 1)]


def _is_pair(argument: str) -> bool:
    """Tell a further pair from an option, or from a table such as ``year=2026/a.csv`` or ``pg://db?ssl=on#table``."""
    theirs, _, ours = argument.rpartition("=")
    return bool(theirs) and ours.isidentifier() and not argument.startswith("-")
