"""Work in parts over processes of one thread each, under the environment of certified training.

Parts go through pipes: nothing of a person is in a file or an argument.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any

from overt.models.shard import ENVIRONMENT


def spread(
    work: Callable[..., Any],
    parts: Sequence[tuple[Any, ...]],
    workers: int | None = None,
    progress: Callable[[float], None] = lambda _done: None,
) -> list[Any]:
    """Return what `work`, a function of a module, makes of each part's arguments, in order.

    `workers` processes run side by side (default: one a core); with one, everything happens here.
    """
    count = min(workers or len(os.sched_getaffinity(0)), len(parts))
    if count <= 1:
        made = []
        for done, part in enumerate(parts):
            progress(done / len(parts))
            made.append(work(*part))
        return made
    # What the work holds goes to each process once, what a part holds with the part.
    with ProcessPoolExecutor(count, get_context("spawn"), _begin, (work,)) as pool:
        running = [pool.submit(_do, *part) for part in parts]
        for done, _future in enumerate(as_completed(running)):
            progress((done + 1) / len(parts))
        return [future.result() for future in running]


_work: list[Callable[..., Any]] = []


def _begin(work: Callable[..., Any]) -> None:
    """Set the environment before anything that reads it is loaded, and take the work."""
    os.environ.update(ENVIRONMENT)
    _work[:] = [work]


def _do(*part: Any) -> Any:
    return _work[0](*part)
