"""Training curves: the loss of each shard as it went down, and their mean for a card.

A shard's curve comes from the people in it and lives and dies with its weights: it is kept beside
them, is not part of any hash, and is made again when the shard is trained again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

Curve = tuple[tuple[int, float], ...]
"""(steps done, mean loss since the point before), in nats an event: next event plus pause."""

POINTS = 32
"""Points of a mean curve: enough to see its shape, and no more."""


def mean_curve(curves: Iterable[Curve]) -> dict[str, Any] | None:
    """Return the mean of several curves over the share of training done, or None without any.

    `steps` are the fewest and the most steps of a shard; `loss` has `POINTS` values at even shares
    of the training from `start`, where every shard has a loss, to its end. Every curve counts
    alike, whatever the number of its people.

    >>> mean_curve([((10, 4.0), (20, 2.0)), ((30, 2.0), (60, 1.0))])["loss"][-1]
    1.5
    """
    known = [[p for p in curve if np.isfinite(p[1])] for curve in curves]
    known = [curve for curve in known if curve]
    if not known:
        return None
    start = max(curve[0][0] / curve[-1][0] for curve in known)
    at = np.linspace(start, 1.0, POINTS)
    each = []
    for curve in known:
        steps, loss = np.array(curve, np.float64).T
        each.append(np.interp(at, steps / steps[-1], loss))
    last = [curve[-1][0] for curve in known]
    loss = np.round(np.mean(each, axis=0), 4).tolist()
    return {"steps": [min(last), max(last)], "start": round(start, 4), "loss": loss}
