"""Have the machine code of the search at hand before the first query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from features.compiled import was_compiled
from features.hamming.bucket_scan import count_bits
from features.hamming.hamming_index import Index

if TYPE_CHECKING:
    from collections.abc import Callable

COMPILING = "Compiling the search functions, once on this machine: about 10 seconds."
ALL_BITS = 64


def warm(say: Callable[[str], None] = lambda _: None) -> None:
    """Load the kernels of the search, so that no later query waits for them.

    The first time on a machine this compiles for about ten seconds, later it loads for less than one.

    Parameters
    ----------
    say
        Told in a sentence when there is something to wait for.
    """
    count_bits(np.uint64(1))
    if was_compiled(count_bits):
        say(COMPILING)
    some = np.arange(4096, dtype=np.uint64) << np.uint64(40)
    index = Index.of_keys(some)
    index.pairs(0)
    for radius_bits in (0, ALL_BITS):
        index.within(some[:2], radius_bits)
