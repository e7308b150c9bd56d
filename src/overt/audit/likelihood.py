"""Tests of membership: from a person's loss under a model, and under others with and without them.

Each takes

- `seen`: float64[S, people], losses under the model attacked, each shard by itself
- `reference`: float64[n, people], losses under the attacker's
- `inside`: bool[n, people], which of those learned from whom

and returns float64[people]; higher says member.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

OWN_VARIANCE_MIN = 32
"""With fewer models on a side a person's own variance is noise: everybody's is used."""
GAMMA = 1.0
"""RMIA's threshold of a ratio: of two people the one with the larger counts as more of a member."""


def _sides(reference: Any, inside: Any) -> list[tuple[Any, Any]]:
    """Return mean and deviation of each person's losses with them and without, float64[people]."""
    made = []
    for side in (inside, ~inside):
        count = np.maximum(side.sum(0), 1)
        mean = np.where(side, reference, 0).sum(0) / count
        square = (np.where(side, reference - mean, 0) ** 2).sum(0)
        own = square / np.maximum(count - 1, 1)
        everybody = square.sum() / max(float((count - 1).sum()), 1.0)
        variance = np.where(count >= OWN_VARIANCE_MIN, own, everybody)
        made.append((mean, np.sqrt(np.maximum(variance, 1e-12))))
    return made


def _log_density(at: Any, mean: Any, deviation: Any) -> Any:
    return -0.5 * ((at - mean) / deviation) ** 2 - np.log(deviation)


def lira_online(seen: Any, reference: Any, inside: Any) -> Any:
    """Return the log likelihood ratio of having been learned from.

    Of several shards exactly one would have met the person, and which is not known: the ratio is
    the mean of the shards'.
    """
    (mean_in, dev_in), (mean_out, dev_out) = _sides(reference, inside)
    ratio = _log_density(seen, mean_in, dev_in) - _log_density(seen, mean_out, dev_out)
    most = ratio.max(0)
    return most + np.log(np.exp(ratio - most).mean(0))


def lira_offline(seen: Any, reference: Any, inside: Any) -> Any:
    """Return by how many deviations the lowest loss lies below those of models without them."""
    _, (mean, deviation) = _sides(reference, inside)
    return ((mean - seen) / deviation).max(0)


def rmia(seen: Any, reference: Any, inside: Any) -> Any:
    """Return of how many other people the likelihood ratio is no larger, as a share.

    A person's likelihood is the geometric mean over their events; what it is without knowing the
    model is the mean of the attacker's models with and without them.
    """
    shift = float(np.median(reference))
    likelihood = np.exp(shift - reference)
    known = sum(
        np.where(side, likelihood, 0).sum(0) / np.maximum(side.sum(0), 1)
        for side in (inside, ~inside)
    )
    ratio = (np.exp(shift - seen) / np.maximum(known / 2, 1e-300)).max(0)
    ordered = np.sort(ratio)
    return (np.searchsorted(ordered, ratio / GAMMA, "right") - 1) / max(len(ratio) - 1, 1)


ATTACKS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "LiRA online": lira_online,
    "LiRA offline": lira_offline,
    "RMIA": rmia,
}
"""Name → test: (losses under the model attacked, under the attacker's, who was in those)."""
