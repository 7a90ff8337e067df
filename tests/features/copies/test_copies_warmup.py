"""Warming loads the kernels that comparing pictures takes."""

from __future__ import annotations

import subprocess
import sys

COMPARE = """
import numba
from features.copies.near_duplicates import warmup
warmup(print)
from features.copies import hough_kernels
from features.hamming import bucket_scan
from features.registration import affine_fit, correlation_kernels
modules = hough_kernels, bucket_scan, affine_fit, correlation_kernels
kernels = [value for module in modules for value in vars(module).values()
           if isinstance(value, numba.core.registry.CPUDispatcher)]
loaded = {kernel.py_func.__qualname__: len(kernel.signatures) for kernel in kernels}
wanted = (
    "largest_consistent_sets repeated_hits supported_matches fit_affine count_visible block_correlations probe compare"
)
assert all(loaded[name] for name in wanted.split())
print("warm")
"""


def test_warming_loads_what_comparing_takes():
    done = subprocess.run([sys.executable, "-c", COMPARE], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "warm"
