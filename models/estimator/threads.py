"""How many threads number crunching may take: one."""

from __future__ import annotations

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

THREADS = 1
"""OpenMP's and BLAS's threads spin while they wait: beside another busy process two are ten times slower than one."""


def one_thread() -> threadpool_limits:
    """Return a context in which scikit-learn and NumPy compute in one thread; entering it takes 10 ms."""
    return threadpool_limits(limits=THREADS)
