"""What makes the same come of the same, whatever else runs beside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

REPEATABLE: dict[str, Any] = {
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 0,
    "verbose": -1,
}
"""Settings of LightGBM with which the same rows give the same trees."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch add up on one thread: in one order.

    Threads that wait for each other on a busy machine also take minutes.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
