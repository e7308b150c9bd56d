"""The fourteen detectors of Killourhy and Maxion (DSN 2009): is this the owner's typing?

Each is fitted to one person's vectors of timings alone and returns a function that scores others:
higher is less like the owner. Settings are those of the paper as far as it names them; where it
names none, the defaults of the library of its time stand here, and the docstring says which.
Nothing is chosen by looking at error rates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Score = Callable[[Any], Any]
"""From float64[n, timings] to float64[n]: how unlike the owner each typing is."""
Detector = Callable[[Any], Score]
"""From the owner's float64[n, timings] to their `Score`."""

OUTLIER_DEVIATIONS = 1.96
FILTER_DEVIATIONS = 3.0
CLUSTERS = 3
EPOCHS, RATE, MOMENTUM, WEIGHT = 500, 1e-4, 3e-4, 0.1
"""Back-propagation: passes, step, momentum of the auto-associative net, first weights."""
FUZZY_HALF_S = 0.04
"""A set reaches this far to either side, as in the paper's one example (210 to 290 ms)."""
_TINY = 1e-9


def euclidean(owner: Any) -> Score:
    """Squared distance to the mean."""
    mean = owner.mean(0)
    return lambda typed: ((typed - mean) ** 2).sum(1)


def _lengths(typed: Any, mean: Any) -> Any:
    return np.maximum(np.linalg.norm(typed, axis=1) * np.linalg.norm(mean), _TINY)


def euclidean_normed(owner: Any) -> Score:
    """Squared distance to the mean, divided by the lengths of both vectors (Bleha et al. 1990)."""
    mean = owner.mean(0)
    return lambda typed: ((typed - mean) ** 2).sum(1) / _lengths(typed, mean)


def manhattan(owner: Any) -> Score:
    """City-block distance to the mean."""
    mean = owner.mean(0)
    return lambda typed: np.abs(typed - mean).sum(1)


def manhattan_filtered(owner: Any) -> Score:
    """City-block distance to the mean without timings over three deviations (Joyce, Gupta 1990)."""
    mean, spread = owner.mean(0), owner.std(0, ddof=1)
    kept = np.abs(owner - mean) <= FILTER_DEVIATIONS * spread
    robust = (owner * kept).sum(0) / np.maximum(kept.sum(0), 1)
    return lambda typed: np.abs(typed - robust).sum(1)


def manhattan_scaled(owner: Any) -> Score:
    """City-block distance to the mean in mean absolute deviations (Araújo et al. 2004)."""
    mean = owner.mean(0)
    spread = np.maximum(np.abs(owner - mean).mean(0), _TINY)
    return lambda typed: (np.abs(typed - mean) / spread).sum(1)


def _precision(owner: Any) -> Any:
    """Return the pseudo-inverse of the covariance: UD is DD minus H, so it has no inverse."""
    return np.linalg.pinv(np.cov(owner, rowvar=False).reshape(owner.shape[1], owner.shape[1]))


def mahalanobis(owner: Any) -> Score:
    """Squared distance to the mean in the owner's covariance."""
    mean, precision = owner.mean(0), _precision(owner)

    def score(typed: Any) -> Any:
        return np.einsum("ij,jk,ik->i", typed - mean, precision, typed - mean)

    return score


def mahalanobis_normed(owner: Any) -> Score:
    """`mahalanobis` divided by the lengths of both vectors (Bleha et al. 1990)."""
    mean, distance = owner.mean(0), mahalanobis(owner)
    return lambda typed: distance(typed) / _lengths(typed, mean)


def nearest_neighbour(owner: Any) -> Score:
    """Squared Mahalanobis distance to the nearest of the owner's typings (Cho et al. 2000)."""
    precision = _precision(owner)
    squares = np.einsum("ij,jk,ik->i", owner, precision, owner)

    def score(typed: Any) -> Any:
        turned = typed @ precision
        cross = turned @ owner.T
        return (np.einsum("ij,ij->i", turned, typed)[:, None] - 2 * cross + squares).min(1)

    return score


def outlier_count(owner: Any) -> Score:
    """How many timings lie more than 1.96 deviations from their mean (Haider et al. 2000)."""
    mean, spread = owner.mean(0), np.maximum(owner.std(0, ddof=1), _TINY)
    return lambda typed: (np.abs(typed - mean) / spread > OUTLIER_DEVIATIONS).sum(1).astype(float)


def one_class_svm(owner: Any) -> Score:
    """Distance to the wrong side of a one-class SVM's boundary (Yu and Cho 2003).

    ν = .5, radial kernel with γ = 1 / timings, timings standardised: what `svm` of the R package
    e1071 (libsvm) does when it is only told `type = "one-classification"`.
    """
    from sklearn.svm import OneClassSVM

    mean, spread = owner.mean(0), np.maximum(owner.std(0, ddof=1), _TINY)
    fitted = OneClassSVM(kernel="rbf", nu=0.5, gamma=1 / owner.shape[1])
    fitted.fit((owner - mean) / spread)
    return lambda typed: -fitted.decision_function((typed - mean) / spread)


def k_means(owner: Any) -> Score:
    """Distance to the nearest of three cluster centres (Kang et al. 2007)."""
    from sklearn.cluster import KMeans

    fitted = KMeans(min(CLUSTERS, len(owner)), n_init=1, random_state=0).fit(owner)
    return lambda typed: fitted.transform(typed).min(1)


def fuzzy(owner: Any) -> Score:
    """How little, on average, timings belong to the set the owner's belong to most.

    Sets are triangles of ±40 ms, one every 40 ms, so that memberships of a time add up to one. The
    paper gives one set as an example (210 to 290 ms, strongest in the middle) and not the others.
    """
    low, high = np.floor(owner.min() / FUZZY_HALF_S), np.ceil(owner.max() / FUZZY_HALF_S)
    centres = np.arange(low, high + 1) * FUZZY_HALF_S
    chosen = np.empty(owner.shape[1])
    for timing in range(owner.shape[1]):
        away = np.abs(owner[:, timing, None] - centres) / FUZZY_HALF_S
        chosen[timing] = centres[np.clip(1 - away, 0, 1).mean(0).argmax()]
    return lambda typed: np.clip(np.abs(typed - chosen) / FUZZY_HALF_S, 0, 1).mean(1)


def _logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


class _Net:
    """Timings → logistic hidden nodes → linear outputs, by back-propagation over all typings.

    All hidden nodes begin with the same weights and therefore stay alike: one is computed for all.
    """

    def __init__(self, timings: int, hidden: int, outputs: int) -> None:
        self.alike = hidden
        self.inward = np.full(timings, WEIGHT)
        self.outward = np.full(outputs, WEIGHT)
        self.bias_in, self.bias_out = 1.0, np.ones(outputs)

    def run(self, typed: Any) -> tuple[Any, Any]:
        """Return the hidden node, float64[n], and the outputs, float64[n, outputs]."""
        hidden = _logistic(typed @ self.inward + self.bias_in)
        return hidden, self.alike * hidden[:, None] * self.outward + self.bias_out

    def fit(self, typed: Any, wanted: Any, momentum: float) -> None:
        """Descend the squared error for `EPOCHS` passes."""
        moved: list[Any] = [0.0, 0.0, 0.0, 0.0]
        for _ in range(EPOCHS):
            hidden, out = self.run(typed)
            error = out - wanted
            back = (error @ self.outward) * hidden * (1 - hidden)
            slopes = (back @ typed, back.sum(), hidden @ error, error.sum(0))
            moved = [momentum * m - RATE * slope for m, slope in zip(moved, slopes, strict=True)]
            self.inward = self.inward + moved[0]
            self.bias_in += moved[1]
            self.outward = self.outward + moved[2]
            self.bias_out = self.bias_out + moved[3]


def network(owner: Any) -> Score:
    """One minus the output of a net trained to say one to the owner (Haider et al. 2000).

    Two thirds as many hidden nodes as timings, all weights .1 at first. It has seen no one else, so
    it learns to say one to everyone, and more of it to whoever types more slowly.
    """
    timings = owner.shape[1]
    net = _Net(timings, max(2 * timings // 3, 1), 1)
    net.fit(owner, np.ones((len(owner), 1)), 0.0)
    return lambda typed: 1 - net.run(typed)[1][:, 0]


def network_auto_associative(owner: Any) -> Score:
    """Distance of a typing to what a net trained to repeat the owner makes of it (Cho et al. 2000).

    As many hidden nodes as timings.
    """
    timings = owner.shape[1]
    net = _Net(timings, timings, timings)
    net.fit(owner, owner, MOMENTUM)
    return lambda typed: np.linalg.norm(typed - net.run(typed)[1], axis=1)


DETECTORS: dict[str, tuple[Detector, float]] = {
    "Manhattan (scaled)": (manhattan_scaled, 0.096),
    "Nearest neighbour (Mahalanobis)": (nearest_neighbour, 0.100),
    "Outlier count (z-score)": (outlier_count, 0.102),
    "SVM (one-class)": (one_class_svm, 0.102),
    "Mahalanobis": (mahalanobis, 0.110),
    "Mahalanobis (normed)": (mahalanobis_normed, 0.110),
    "Manhattan (filtered)": (manhattan_filtered, 0.136),
    "Manhattan": (manhattan, 0.153),
    "Neural network (auto-associative)": (network_auto_associative, 0.161),
    "Euclidean": (euclidean, 0.171),
    "Euclidean (normed)": (euclidean_normed, 0.215),
    "Fuzzy logic": (fuzzy, 0.221),
    "k-means": (k_means, 0.372),
    "Neural network (standard)": (network, 0.828),
}
"""Each detector with the equal error rate published for it: the mean over subjects of their own."""
