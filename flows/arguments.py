"""The command line's two conveniences: ``--home`` anywhere, and several pairs behind one ``--map``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    mapping = False
    for argument in waiting:
        if argument == "--home":
            home = [argument, *_next(waiting)]
        elif argument.startswith("--home="):
            home = [argument]
        elif argument == "--map":
            rest += [argument, *_next(waiting)]
            mapping = True
            continue
        elif mapping and "=" in argument and not argument.startswith("-"):
            rest += ["--map", argument]
            continue
        else:
            rest.append(argument)
        mapping = False
    return [*home, *rest]


def _next(waiting: object) -> list[str]:
    found = next(waiting, None)  # type: ignore[call-overload]
    return [] if found is None else [str(found)]
