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
    with ProcessPoolExecutor(count, get_context("spawn"), _begin) as pool:
        running = [pool.submit(work, *part) for part in parts]
        for done, _future in enumerate(as_completed(running)):
            progress((done + 1) / len(parts))
        return [future.result() for future in running]


def _begin() -> None:
    """Set the environment before anything that reads it is loaded."""
    os.environ.update(ENVIRONMENT)
