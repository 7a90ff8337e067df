"""What a command does before a flow starts: whatever can be found wrong without Prefect is said at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from data.progress import advance
from data.settings import load_settings
from flows.cli.console import STDERR
from flows.cli.progress_bars import bars
from flows.runtime.environment import prepare_prefect
from flows.runtime.lock import hold
from models.serving.load_tables import check_tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.settings import Settings
    from models.serving.load_tables import Tables


@contextmanager
def started(home: Path | None, what: str, *, tables: Tables | None = None, quiet: bool = False) -> Iterator[Settings]:
    """Check the input, hold the home, open the catalog, and show progress while the block runs.

    Prefect takes seconds to import and more to start, so import flows inside the block.

    Parameters
    ----------
    home
        The ``--home`` option.
    what
        What others are told is going on.
    tables
        What is to be loaded.
    quiet
        Whether progress is kept to ourselves.

    Raises
    ------
    CallerError
        A setting or a table cannot be used, or another run holds the home.
    OutsideError
        A database does not answer.
    """
    settings = load_settings(home)
    if tables is not None:
        check_tables(tables, settings.batch_rows)
    from models.serving.context import open_context  # brings scikit-learn, whose import takes as long as all before it

    prepare_prefect(settings.home, quiet=True)
    with hold(settings.home, what), bars(STDERR, quiet=quiet):
        open_context(settings)
        advance("starting Prefect", 0)
        yield settings
