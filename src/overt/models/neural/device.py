"""Which processor a network is computed on: a graphics card where there is one. Chosen here alone.

Certified training never asks: `overt.models.config.Config.device` is `cpu` unless somebody says
otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from overt.models.shard import processor
from overt.schema.errors import InvalidInput

VARIABLE = "OVERT_DEVICE"
"""`cpu` or `cuda`, to choose by hand."""


def chosen() -> str:
    """Return `cuda` where torch can use a graphics card, else `cpu`; see `VARIABLE`."""
    import torch

    wanted = os.environ.get(VARIABLE, "")
    if wanted not in ("", "cpu", "cuda"):
        raise InvalidInput("is neither cpu nor cuda", where=VARIABLE)
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InvalidInput("torch finds no graphics card", where=VARIABLE, do="Leave it unset.")
    return wanted or ("cuda" if torch.cuda.is_available() else "cpu")


def machine() -> str:
    """Return in words what networks are computed on, to be said beside their figures."""
    import torch

    if chosen() == "cuda":
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    threads = torch.get_num_threads()
    return f"{processor()}, {threads} thread{'s' * (threads != 1)}, torch {torch.__version__}"


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Draw from `seed` alone, on one thread of the processor, and leave torch as it was found."""
    import torch

    threads = torch.get_num_threads()
    state = torch.random.get_rng_state()
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.random.set_rng_state(state)
