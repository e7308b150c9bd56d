"""States from which no linear probe of a mean can tell the source: its directions are taken out.

After least-squares concept erasure (Belrose et al., LEACE, 2023): of the states of people learned
from, each source weighed alike, the smallest change after which the mean of every source is the
same. It is exact for the people it was worked out on, and for what is linear in a state; what
sources still differ in (how much states vary, and in what order) it leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from overt.models.tensors import Array

RIDGE = 1e-4


def erasure(states: Sequence[Array]) -> Callable[[Array], Array]:
    """Return what takes the source out of states; `states` are float[n, width], by source.

    >>> take_out = erasure([np.array([[0.0, 1], [0, 3]]), np.array([[2.0, 1], [2, 3]])])
    >>> take_out(np.array([[0.0, 1], [2, 1]])).round(3).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    means = np.array([one.mean(axis=0, dtype=np.float64) for one in states])
    middle = means.mean(axis=0)
    spread = np.mean([np.cov(one.T, bias=True) for one in states], axis=0)
    away = means - middle
    spread = np.atleast_2d(spread) + away.T @ away / len(states)
    value, axes = np.linalg.eigh(spread)
    kept = np.sqrt(np.maximum(value, RIDGE * value.max()))
    white, coloured = (axes / kept) @ axes.T, (axes * kept) @ axes.T
    left, size, _ = np.linalg.svd(white @ away.T, full_matrices=False)
    left = left[:, size > 1e-9 * max(size.max(initial=0.0), 1e-12)]
    taken = coloured @ left @ left.T @ white

    def take_out(of: Array) -> Array:
        return np.asarray(of - (of - middle) @ taken.T, of.dtype)

    return take_out
