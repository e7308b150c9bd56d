"""Compiled loops: one decorator for every kernel, so that caching is decided in one place."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., object])

_njit: Any = numba.njit
_PACKAGE = Path(__file__).parents[1]


def kernel(loop: Loop) -> Loop:
    """Compile `loop` at its first call, and keep the machine code for the next process.

    The cache lies beside the source where that can be written, else in the user's cache folder
    (`NUMBA_CACHE_DIR` overrides both). Where neither can be written, every process compiles anew.
    """
    return _compiled(loop, from_python=True)


def part(loop: Loop) -> Loop:
    """Compile a loop that only other kernels call: without an entry from Python, so sooner."""
    return _compiled(loop, from_python=False)


def typed(signature: str) -> Callable[[Loop], Loop]:
    """Return a decorator for a small `part` that others call, compiled for these types alone.

    Without it numba compiles such a part once for each constant that it is called with.
    """

    def decorate(loop: Loop) -> Loop:
        made: Any = part(loop)
        made.compile(signature)
        made.disable_compile()
        return cast(Loop, made)

    return decorate


def _compiled(loop: Loop, *, from_python: bool) -> Loop:
    made: Any = _njit(
        nogil=True,
        error_model="numpy",
        no_cpython_wrapper=not from_python,
        no_cfunc_wrapper=True,
    )(loop)
    try:
        made.enable_caching()
    except RuntimeError:
        return cast(Loop, made)
    _stamp_more(made)
    return cast(Loop, made)


def _stamp_more(made: Any) -> None:
    """Let what is cached expire with all sources of kernels, not only with the file of its own.

    Machine code holds the kernels it calls and the constants it reads from other modules, but numba
    looks at the one file alone: after a change elsewhere the old figures would come out.
    """
    file = made._cache._cache_file  # noqa: SLF001 - numba offers no other way
    file._source_stamp = (file._source_stamp, _sources())  # noqa: SLF001


@cache
def _sources() -> str:
    found = sha256()
    for folder in ("features", "schema"):
        for path in sorted((_PACKAGE / folder).glob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()
