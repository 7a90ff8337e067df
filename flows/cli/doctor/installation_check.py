"""Python, the libraries this version needs, and the extras that settings ask for."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from data.errors import ExitCode
from flows.cli.doctor.finding import Finding, State, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.settings import Settings

OURS = "seenbefore"
OLDEST_PYTHON = (3, 11)
# Those that whoever reads a report of trouble wants to know.
SHOWN = ("prefect", "fastapi", "SQLAlchemy", "pandas", "numpy", "scikit-learn", "Pillow", "ImageHash")
EXTRAS = {"postgres": "psycopg", "s3": "s3fs", "dask": "prefect_dask", "ray": "prefect_ray"}


def python() -> Finding:
    """Check the version of Python."""
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info >= OLDEST_PYTHON:
        return ok("python", found)
    return Finding("python", State.BAD, found, "Install Python 3.11 or later.")


def libraries() -> list[Finding]:
    """Check every library against what this version of Seenbefore says it needs."""
    try:
        needed = [Requirement(text) for text in requires(OURS) or ()]
    except PackageNotFoundError:
        return [Finding("libraries", State.WARN, "this checkout is not installed", "Run `pip install -e .` in it.")]
    unmet = [finding for requirement in needed if _applies(requirement) for finding in _unmet(requirement)]
    shown = ", ".join(f"{name} {version(name)}" for name in SHOWN if find_version(name))
    return unmet or [ok("libraries", f"as needed: {shown}")]


def extras(settings: Settings) -> list[Finding]:
    """Check that the extras which the settings ask for are installed."""
    asked = {
        "postgres": settings.catalog_url.startswith("postgres") and "SEENBEFORE_CATALOG_URL is PostgreSQL",
        "s3": settings.images_url.startswith("s3:") and "SEENBEFORE_IMAGES_URL is S3",
        "dask": settings.engine == "dask" and "SEENBEFORE_ENGINE=dask",
        "ray": settings.engine == "ray" and "SEENBEFORE_ENGINE=ray",
    }
    return [_extra(extra, module, asked[extra] or "") for extra, module in EXTRAS.items()]


def find_version(name: str) -> str | None:
    """Return the installed version of a library; ``None`` if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def _unmet(requirement: Requirement) -> Iterator[Finding]:
    found = find_version(requirement.name)
    if found is not None and requirement.specifier.contains(found, prereleases=True):
        return
    needed = f"{requirement.name}{requirement.specifier}"
    says = f"{requirement.name} is {found or 'not installed'}, needed is {needed}"
    yield Finding("libraries", State.BAD, says, f"Run `pip install '{needed}'`, or install from requirements.lock.")


def _extra(extra: str, module: str, because: str) -> Finding:
    check = f"extra {extra}"
    if find_spec(module) is not None:
        return ok(check, "installed")
    if not because:
        return ok(check, "not installed, and no setting asks for it")
    advice = f"Run `pip install 'seenbefore[{extra}]'`."
    return Finding(check, State.BAD, f"not installed, but {because}", advice, ExitCode.CALLER)
