"""No query waits for the compiler, and who waits for it is told."""

from __future__ import annotations

import numpy as np
import pytest

from features.hamming import bucket_scan
from features.hamming.hamming_index import COMPILING, Index, warmup
from tests.features.announcements import announcements
from tests.full_run import FULL


def test_after_the_warmup_no_query_compiles_anything():
    warmup()
    kernels = (bucket_scan.probe, bucket_scan.join, bucket_scan.compare_all)
    before = [kernel.signatures for kernel in kernels]
    assert [len(signatures) for signatures in before] == [1, 1, 1]
    keys = np.random.default_rng(1).integers(0, 2**64, 5000, dtype=np.uint64)
    index = Index.of_keys(keys)
    keys.flags.writeable = False
    for radius_bits in (3, 40):
        index.within(keys[:50], radius_bits)
        index.within(keys[::100], radius_bits)
        index.pairs(min(radius_bits, 12))
        index.items_near(keys[:50], radius_bits, 1)
    assert [kernel.signatures for kernel in kernels] == before


@pytest.mark.slow
def test_compiling_is_announced_and_done_once_a_machine(tmp_path):
    warmup()
    first, later = announcements("features.hamming.hamming_index", tmp_path)
    assert first == f"{COMPILING}\n" + FULL * "None\n"
    assert later == "None\n"
