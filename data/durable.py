"""Files that are there whole, on the disk itself, or not at all."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from data.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

UNFINISHED = ".unfinished"


def write_flushed(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Write a file under another name, have the disk keep it, and only then give it its name.

    Parameters
    ----------
    path
        In a folder that is there; a file of this name is replaced.
    pieces
        What to write, in order.

    Raises
    ------
    WriteError
        The disk is full or refuses; under this name is what was there before.
    """
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        with unfinished.open("xb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)  # noqa: PTH105  faults are put in here by tests, as elsewhere
        _flush_folder(path.parent)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise WriteError(str(path), str(error)) from error


def _flush_folder(folder: Path) -> None:
    """Have the disk keep the names in a folder too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
