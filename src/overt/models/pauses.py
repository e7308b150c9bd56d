"""`overt evaluate pause`: the time to the next key, given which key it is, on unseen people.

Beside the encoder stand LightGBM of all people and of each shard (`overt.models.peers`), encoder
and LightGBM together (half each), states of typing by where in the text a key stands
(`overt.models.fluency`), a linear regression over the inputs of LightGBM, the median of the pair of
keys (digraph), two states by the key that comes, and one log-normal for everything. Where
bursts of typing end (`overt.models.bursts`) is asked of the same predictions. How long a key is
held is told in `overt.models.holds`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from overt.datasets.tokens import VOCABULARY
from overt.models import boosted, bursts, fluency, holds, peers, typists
from overt.models.baselines import baselines, tables
from overt.models.metrics import figures_of, sums
from overt.models.predict import Predicted, pooled, predict_baselines
from overt.models.repeatable import one_thread
from overt.models.scores import Progress, Scores
from overt.models.stream import Stream, stream_of
from overt.models.tensors import Array
from overt.models.train import Trained

METRICS = {
    "pause_nll": "nll",
    "pause_crps_ms": "crps_ms",
    "pause_mae_ms": "mae_ms",
    "pause_r2": "r2",
    "burst_auc": "burst end AUC",
    "burst_nll": "burst end log loss",
}
STATES = 2
STATE_PAUSES_MIN = 200
"""With fewer pauses before a key, the states are those of all keys."""
_RIDGE = 1.0
TOGETHER = "encoder and LightGBM, half each"
NOTES = (
    *peers.NOTES,
    (
        f"A burst ends with a pause of {bursts.END_MS / 1000:.0f} s or more: how probable one is, "
        "is what each method's distribution has beyond; nothing is fitted for it."
    ),
    "All are given the key that came. nll and r2 are of ln ms. Intervals are over people.",
    holds.NOTE,
    "Encoder, LightGBM and regression are given running means of the person's earlier pauses.",
)


def evaluate(path: Path, progress: Progress) -> Scores:
    """Return the figures of the encoder beside every baseline."""
    people = typists.read(path, progress)
    trained = typists.fitted(people, progress)
    with one_thread():
        predicted, notes = _predicted(people, trained, progress)
        summed = {name: sums(made) for name, made in predicted.items()}
        rows = [
            row
            for name, made in predicted.items()
            for row in typists.scores(
                name, figures_of(summed[name]) | bursts.figures(made), METRICS
            )
        ]
        rows += peers.differences(summed, METRICS)
        progress("how long keys are held", 0.95)
        learned, unseen = (
            [stream_of(one.sessions) for one in some] for some in (people.learned, people.unseen)
        )
        rows += holds.rows(learned, unseen, typists.scores)
    return Scores(
        "pause", people.protocol, people.counts, tuple(rows), (*NOTES, *notes, *people.left_out)
    )


def _predicted(
    people: typists.Typists, trained: Trained, progress: Progress
) -> tuple[dict[str, list[Predicted]], list[str]]:
    """Return every method's predictions for the unseen people, and what is to be said of them."""
    learned = [stream_of(person.sessions) for person in people.learned]
    unseen = [stream_of(person.sessions) for person in people.unseen]
    made, missing = peers.predicted(people, trained, progress)
    if boosted.NAME in made:
        both = zip(made[peers.ENCODER], made[boosted.NAME], strict=True)
        made[TOGETHER] = [pooled(one, other) for one, other in both]
    progress("fitting the plain baselines", 0.9)
    line, states, fluent = linear(learned), two_states(learned), fluency.fit(learned)
    counted = baselines([tables(learned, len(VOCABULARY))], len(VOCABULARY))
    plain = [predict_baselines(counted, stream) for stream in unseen]
    made[fluency.NAME] = [fluent.predict(stream) for stream in unseen]
    made["linear regression"] = [line.predict(stream) for stream in unseen]
    made["digraph median"] = [rows["digraph"] for rows in plain]
    made["two log-normal states"] = [states.predict(stream) for stream in unseen]
    made["one log-normal"] = [rows["most frequent"] for rows in plain]
    return made, missing


def _inputs(known: boosted.Seen) -> Array:
    """Return float64[n, c]: numbers, whether each is known, and the three tokens around."""
    tokens = [*range(boosted.BACK), known.before.shape[1]]
    numbers = np.delete(known.given, tokens, axis=1).astype(np.float64)
    there = ~np.isnan(numbers)
    names = known.given[:, [0, 1, known.before.shape[1]]]
    one_hot = [
        np.nan_to_num(column, nan=0.0).astype(int)[:, None] == np.arange(len(VOCABULARY))
        for column in names.T
    ]
    parts = [np.ones((len(numbers), 1)), np.where(there, numbers, 0.0), there, *one_hot]
    return np.concatenate([np.asarray(part, np.float64) for part in parts], axis=1)


@dataclass(frozen=True, eq=False)
class Linear:
    """Least squares of ln(pause), and the deviation of what is left."""

    slope: Array
    sigma: float

    def predict(self, stream: Stream) -> Predicted:
        """Return a log-normal a pause; tokens are not predicted."""
        known = boosted.seen(stream)
        mean = (_inputs(known) @ self.slope)[:, None]
        return _only_pauses(known, np.ones_like(mean), mean, np.full_like(mean, self.sigma))


def linear(streams: Sequence[Stream]) -> Linear:
    """Return the regression fitted to people's streams, a person at a time."""
    size = _inputs(boosted.seen(streams[0])).shape[1]
    squares, products = _RIDGE * np.eye(size), np.zeros(size)
    whole, count = 0.0, 0
    for stream in streams:
        known = boosted.seen(stream)
        timed = ~np.isnan(known.log_pause)
        inputs, aim = _inputs(known)[timed], known.log_pause[timed]
        squares += inputs.T @ inputs
        products += inputs.T @ aim
        whole, count = whole + float(aim @ aim), count + len(aim)
    slope = np.linalg.solve(squares, products)
    explained = 2 * slope @ products - slope @ (squares - _RIDGE * np.eye(size)) @ slope
    left = whole - float(explained)
    return Linear(slope, max(left / max(count, 1), 1e-4) ** 0.5)


@dataclass(frozen=True, eq=False)
class States:
    """Mixtures of two log-normals, by the token that comes: float64[V, STATES] each."""

    weight: Array
    mean: Array
    sigma: Array

    def predict(self, stream: Stream) -> Predicted:
        """Return the mixture of the token that came; tokens are not predicted."""
        known = boosted.seen(stream)
        at = known.token
        return _only_pauses(known, self.weight[at], self.mean[at], self.sigma[at])


def two_states(streams: Sequence[Stream]) -> States:
    """Return the mixtures fitted to people's streams: fluent typing, and what interrupts it."""
    people = [boosted.seen(stream) for stream in streams]
    token = np.concatenate([known.token for known in people])
    pause = np.concatenate([known.log_pause for known in people])
    token, pause = token[~np.isnan(pause)], pause[~np.isnan(pause)]
    often = np.bincount(token, minlength=len(VOCABULARY)) >= STATE_PAUSES_MIN
    everything = boosted.mixture(pause, STATES)
    fitted = [
        boosted.mixture(pause[token == t], STATES) if often[t] else everything
        for t in range(len(VOCABULARY))
    ]
    return States(*(np.stack(part) for part in zip(*fitted, strict=True)))


def _only_pauses(known: boosted.Seen, weight: Array, mean: Array, sigma: Array) -> Predicted:
    n = len(known.token)
    flat = np.full((n, len(VOCABULARY)), 1 / len(VOCABULARY))
    return Predicted(known.token, flat, known.log_pause, weight, mean, sigma)
