"""Find fraudulent marketplace listings by their photos: the one import for notebooks and scripts.

The wheel and the editable install put this package beside ``data``, ``features``, ``models``, ``flows`` and ``review``,
whose names are common: where somebody else's file of such a name comes first on Python's path, importing this one says
so in a sentence, and nothing of ours runs on strangers' code.

Examples
--------
>>> import seenbefore  # doctest: +SKIP
>>> home = seenbefore.open("var/demo")  # doctest: +SKIP
>>> home.search(["suspicious.jpg"])  # doctest: +SKIP
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike

    from PIL.Image import Image

    from features.hashing.fingerprint import Fingerprint
    from models.serving.api.home import Home

__all__ = ["fingerprint", "main", "open"]

COMMAND = "seenbefore"
CALLERS_MISTAKE = 2
OURS = {"data": "catalog", "features": "point_in_time", "models": "serving", "flows": "runtime", "review": "access"}
"""Our packages, and a folder of each by which it is told from another of the same name."""


def open(home: str | PathLike[str] | None = None) -> Home:  # noqa: A001  read as `seenbefore.open`
    """Open a home: what was loaded, found and scored there, and what can be asked of it.

    Parameters
    ----------
    home
        Folder that holds everything a run writes; without one ``SEENBEFORE_HOME`` counts, else ``./var``.

    Raises
    ------
    SeenbeforeError
        A setting is wrong, or the catalog cannot be used.
    """
    _refuse_strangers()
    from datetime import UTC, datetime

    from flows.runtime.lock import hold
    from models.serving.api.home import open_home

    return open_home(None if home is None else Path(home), lambda: datetime.now(UTC), hold)


def fingerprint(picture: str | PathLike[str] | Image) -> Fingerprint:
    """Return the hashes of a picture, bit for bit those of ImageHash for the picture as a person sees it.

    Parameters
    ----------
    picture
        A file, or an image that Pillow has opened. A stranger's file is better looked up with ``home.search``, which
        opens it in a process of its own.

    Raises
    ------
    SourceError
        The file holds no picture that can be opened.
    """
    _refuse_strangers()
    from models.serving.api.home import fingerprint_of

    return fingerprint_of(picture)


def main() -> None:
    """Run the command line and end the process."""
    from flows.cli.app import main as run_command

    run_command()


def __getattr__(name: str) -> Any:
    """Import what is wanted only by some: the version, the class behind `open`, and the flow that a schedule fires.

    Prefect imports the module of a flow with the present folder first on Python's path, and asks it for the flow when
    that is over: so a schedule can stand in any folder.
    """
    if name == "__version__":
        return version(COMMAND)
    if name == "Home":
        from models.serving.api.home import Home

        return Home
    if name == "run_flow":
        _refuse_strangers()
        from flows.run import run

        return run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _foreign_packages() -> list[str]:
    """Return a sentence about each package of ours that another one stands in the way of."""
    problems = []
    for package, folder in OURS.items():
        loaded = sys.modules.get(package)
        spec = None if loaded is not None else find_spec(package)
        places = getattr(loaded, "__path__", None) if spec is None else spec.submodule_search_locations
        places = list(places or ())
        if any((Path(place) / folder / "__init__.py").is_file() for place in places):
            continue
        origin = getattr(loaded, "__file__", None) if spec is None else spec.origin
        where = origin or next(iter(places), None)
        if where is None:
            problems.append(f"Seenbefore's own package `{package}` is missing: install seenbefore again.")
        else:
            found = f"{where} stands in the way of its own package `{package}`"
            advice = "Rename that file or folder, take its folder out of PYTHONPATH, or start Python elsewhere."
            problems.append(f"Seenbefore cannot be used here: {found}. {advice}")
    return problems


def _refuse_strangers() -> None:
    """Raise `ImportError` where somebody else's package stands in the way; the command says it and ends."""
    problems = _foreign_packages()
    if problems and Path(sys.argv[0]).name == COMMAND:
        sys.stderr.write(f"Error: {problems[0]}\n")
        sys.exit(CALLERS_MISTAKE)
    if problems:
        raise ImportError(problems[0])


if not ("prefect" in sys.modules and sys.path[0] == str(Path.cwd())):  # else `run_flow` looks, see `__getattr__`
    _refuse_strangers()
