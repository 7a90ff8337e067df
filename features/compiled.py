"""How a loop over pixels becomes machine code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")


def compiled(function: Function) -> Function:
    """Compile a function when it is first called, outside the interpreter lock, and keep the result on disk.

    The machine code is kept beside the source, or in the user's cache directory where that cannot be written
    (``NUMBA_CACHE_DIR`` overrides both). Without any such place every process compiles for itself. The code is made
    anew when the function's own file changes, and only then: so kernels call nothing outside their own file.
    """
    try:
        kernel: Any = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:
        kernel = numba.njit(nogil=True)(function)
    return cast("Function", kernel)


def was_compiled(kernel: Callable[..., Any]) -> bool:
    """Tell whether a kernel that has been called was compiled in this process rather than loaded."""
    return not cast("Any", kernel).stats.cache_hits
