"""Compiled loops: one decorator for every kernel, so that caching is decided in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., object])


def kernel(loop: Loop) -> Loop:
    """Compile `loop` at its first call, and keep the machine code for the next process.

    The cache lies beside the source where that can be written, else in the user's cache folder
    (`NUMBA_CACHE_DIR` overrides both). Where neither can be written, every process compiles anew.
    """
    try:
        return cast(Loop, numba.njit(cache=True, nogil=True)(loop))
    except RuntimeError:
        return cast(Loop, numba.njit(nogil=True)(loop))
