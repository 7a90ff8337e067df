"""How often the slowest tests show what they show: always, but less often than in a full run."""

from __future__ import annotations

import os

FULL = os.environ.get("SEENBEFORE_FULL") == "1"


def often(*, in_full: int, otherwise: int) -> int:
    """Return a number of draws, photos or rows: that of a full run if this is one."""
    return in_full if FULL else otherwise
