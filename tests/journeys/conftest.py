"""What the journeys share: one home with its database, settings in the environment, and everything closed again."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from data.catalog.export import export_frame
from data.settings import load_settings
from features.point_in_time.feature_frame import SPEC_FINGERPRINT, SPECS
from models.serving.context import Context, open_context
from tests.data.catalog.catalog_digest import KNOWLEDGE
from tests.flows.conftest import OURS, _environment_put_back  # noqa: F401  starts each test without our variables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

FEATURES = [spec.name for spec in SPECS]


@dataclass(frozen=True, slots=True)
class Home:
    """A home that flows run in, and what can be read there."""

    path: Path
    context: Context

    def table(self, what: str) -> pd.DataFrame:
        """An output table."""
        with self.context.catalog.read() as connection:
            return export_frame(connection, what, feature_names=FEATURES, spec=SPEC_FINGERPRINT)

    def knowledge(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table that is not a log, whole."""
        with self.context.catalog.read() as connection:
            return {
                table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
                for table in KNOWLEDGE
            }

    def stored_files(self) -> dict[str, int]:
        """Every file of the image store, and when it was last written, in ns."""
        folder = self.path / "images"
        return {str(file.relative_to(folder)): file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}


@contextmanager
def opened_home(path: Path, **variables: str) -> Iterator[Home]:
    """Set variables, yield a home, and close its catalog."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(OURS)}
    for name in kept:
        del os.environ[name]
    os.environ.update(variables)
    context = open_context(load_settings(path))
    try:
        yield Home(path, context)
    finally:
        context.catalog.close()
        for name in [name for name in os.environ if name.startswith(OURS)]:
            del os.environ[name]
        os.environ.update(kept)
