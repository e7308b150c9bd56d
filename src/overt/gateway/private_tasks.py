"""What a study can learn with the privacy of people: by the same small learners as devices do.

A task says for which purpose people are read, what of each is learned from, and how well the result
does for people who taught nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.models.metrics import figures
from overt.models.predict import Predicted
from overt.models.private import hand, pauses
from overt.models.private.rounds import Rounds
from overt.models.scores import shares
from overt.models.stream import stream_of
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput

FIGURES = ("pause_nll", "pause_crps_ms", "pause_mae_ms", "pause_r2")
LEARNED, NOBODY = "learned privately", "nobody: before it learned"

Rows = dict[str, dict[str, dict[str, float | None]]]
"""Method → figure → value, low, high."""


@dataclass(frozen=True)
class Task:
    """One of `TASKS`."""

    name: str
    purpose: str
    words: str
    """What the model is, for its card."""
    rounds: Rounds
    start: Callable[[], Array]
    of: Callable[[Any], Any]
    """A person's sample (`overt.gateway.learner`) → what is learned from; falsy: nothing."""
    learn: Callable[[Array, Any], Array]
    judge: Callable[[Array, int, Sequence[Any]], Rows]
    """Weights, people planned for, and samples of people who taught nothing → figures."""
    nats: Callable[[Array, int, Sequence[Any]], Array]
    """Weights, people planned for, and what of each is learned from → mean nats an event of each,
    float64[people]."""


def task_of(name: str) -> Task:
    """Return a task. Raises `InvalidInput` naming those there are."""
    if name not in TASKS:
        raise InvalidInput(
            "cannot be learned privately", where=f"--task {name}", do=f"Known: {', '.join(TASKS)}."
        )
    return TASKS[name]


def _pauses_of(sample: Any) -> Any:
    timed = pauses.timed(stream_of(sample.sessions)) if sample.tokens else None
    return timed if timed is not None and timed.log_pause.size else None


def _nats_a_pause(weights: Array, _planned: int, timed: Sequence[Any]) -> Array:
    return np.array([pauses.gradient(weights, one)[0] for one in timed])


def _judged_pauses(weights: Array, _planned: int, unseen: Sequence[Any]) -> Rows:
    streams = [stream_of(one.sessions) for one in unseen]
    return {
        name: _figures([pauses.predict(made, stream) for stream in streams])
        for name, made in ((LEARNED, weights), (NOBODY, pauses.start()))
    }


def _figures(predicted: list[Predicted]) -> dict[str, dict[str, float | None]]:
    found = figures(predicted)
    return {name: _plain(found[name]) for name in FIGURES}


def _pairs_of(sample: Any) -> Any:
    return sample.pairs


def _learned_hand(weights: Array, pairs: Any) -> Array:
    return np.asarray(weights + hand.counted(pairs))


def _nats_a_slip(weights: Array, planned: int, pairs: Sequence[Any]) -> Array:
    made = hand.channel(weights, planned)
    return np.array([hand.bits_of(made, one) * np.log(2) / len(one) for one in pairs])


def _judged_hands(weights: Array, planned: int, unseen: Sequence[Any]) -> Rows:
    slips = [one.pairs for one in unseen if one.pairs]
    if not slips:
        return {}
    many = np.array([float(len(pairs)) for pairs in slips])
    methods = {LEARNED: hand.channel(weights, planned), NOBODY: hand.channel(0 * weights, planned)}
    return {
        name: {
            "bits_a_slip": _plain(
                shares("", "", np.array([hand.bits_of(made, pairs) for pairs in slips]), many)
            )
        }
        for name, made in methods.items()
    }


def _plain(figure: Any) -> dict[str, float | None]:
    values = {key: float(getattr(figure, key)) for key in ("value", "low", "high")}
    return {key: value if np.isfinite(value) else None for key, value in values.items()}


TASKS = {
    task.name: task
    for task in (
        Task(
            "pause",
            "typing-assist",
            f"three log-normal states of pauses, {pauses.SIZE} weights, learned privately",
            Rounds(),
            pauses.start,
            _pauses_of,
            pauses.learn,
            _judged_pauses,
            _nats_a_pause,
        ),
        Task(
            "slips",
            "text-assist",
            f"how hands slip, {hand.SIZE} weights, learned privately",
            hand.ROUNDS,
            lambda: np.zeros(hand.SIZE),
            _pairs_of,
            _learned_hand,
            _judged_hands,
            _nats_a_slip,
        ),
    )
}
