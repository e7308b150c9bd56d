"""How long until the next key, given which it is and how the person typed so far."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from overt.datasets.reading import typed
from overt.datasets.tokens import sequences_of
from overt.models import boosted, typists
from overt.models.answers import Answer, Asker
from overt.models.answers.question import Question
from overt.models.predict import Predicted
from overt.models.scores import Progress
from overt.models.stream import Stream, stream_of
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput, Missing, TooFew
from overt.schema.event import SYMBOL_NAMED_BASE, KeyClass
from overt.schema.people import SubjectEvents

KEYS = tuple(
    one.name.lower()
    for one in KeyClass
    if one.name.lower()
    in ("letter", "digit", "punctuation", "space", "enter", "tab", "backspace", "delete", "shift")
)
"""Classes of key that are asked about."""

EXAMPLE: dict[str, Any] = {
    "presses": [
        {"key": "letter", "down_ms": 0, "up_ms": 90},
        {"key": "letter", "down_ms": 140, "up_ms": 215},
        {"key": "space", "down_ms": 300, "up_ms": 380},
    ],
    "next": "letter",
}
LEARNED_MAX = 150
"""People the trees are grown on; more hardly help and take minutes."""

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
MS_MAX = 1e9
_INSERTS = ("letter", "digit", "punctuation", "space")


def learn(data: Path | None, progress: Progress) -> Asker:
    """Learn from typing logs in `data`."""
    if data is None:
        raise Missing("needs recordings to learn from", where="pause", do="Say where with --data.")
    if not boosted.installed():
        raise Missing("LightGBM is not installed", where="pause", do="pip install 'overt[models]'.")
    people = typists.read(data, progress)
    learned = people.learned[:LEARNED_MAX]
    progress("growing trees", 0.6)
    model = boosted.fit([stream_of(person.sessions) for person in learned])
    if model is None:
        raise TooFew("has too few keys to learn from", where=str(data))
    return Asker(f"typing of {len(learned)} people", lambda raw: answer(model, raw))


class Predicts(Protocol):
    """A model of pauses."""

    def predict(self, stream: Stream) -> Predicted:
        """Return what it predicts for each event of a stream."""


def answer(model: Predicts, raw: Any) -> Answer:
    """Answer a question."""
    asked = Question(raw, ("presses", "next"))
    coming = asked.one_of("next", KEYS)
    presses = asked.questions("presses", ("key", "down_ms", "up_ms"))
    if not presses:
        raise InvalidInput("is empty: there is nothing to go by", where="presses")
    rows = []
    for one in presses:
        down, up = one.number("down_ms"), one.number("up_ms")
        if not 0 <= down <= up <= MS_MAX:
            raise InvalidInput("down_ms and up_ms are not in order", where=one.where)
        rows.append((down, up, one.one_of("key", KEYS)))
    downs = [down for down, *_ in rows]
    if downs != sorted(downs):
        raise InvalidInput("are not in order of time", where="presses")
    last = _predicted(model, [*rows, (downs[-1] + 100.0, downs[-1] + 150.0, coming)])
    return {
        "next": coming,
        "ms": {f"{share:g}": round(float(_quantile(last, share)), 1) for share in QUANTILES},
        "mixture": [
            {
                "weight": round(float(w), 4),
                "mean_ln_ms": round(float(m), 4),
                "sd_ln_ms": round(float(s), 4),
            }
            for w, m, s in zip(*last, strict=True)
        ],
    }


Mixture = tuple[Array, Array, Array]


def _predicted(model: Predicts, rows: list[tuple[float, float, str]]) -> Mixture:
    """Return weights, means and deviations of ln ms for the last press; its times tell nothing."""
    times = np.array([(down, up) for down, up, _ in rows]) * 1000
    keys = []
    for *_, name in rows:
        kind = KeyClass[name.upper()]
        keys.append((int(kind), SYMBOL_NAMED_BASE + int(kind), int(name in _INSERTS)))
    person = typed.person(times[:, 0], times[:, 1], np.array(keys), np.zeros(len(rows), np.int64))
    made = sequences_of(SubjectEvents(b"asked", "imported", person.sessions), 1)
    found: Predicted = model.predict(stream_of(made.sessions))
    there = np.flatnonzero(np.isfinite(found.log_pause))
    if not there.size:
        raise InvalidInput("hold no pause that could be told", where="presses")
    at = there[-1]
    return found.weight[at], found.mean[at], found.sigma[at]


def _quantile(mixture: Mixture, share: float) -> float:
    from scipy.stats import norm

    weight, mean, sigma = mixture
    low, high = float((mean - 8 * sigma).min()), float((mean + 8 * sigma).max())
    for _ in range(60):
        middle = (low + high) / 2
        below = float((weight * norm.cdf((middle - mean) / sigma)).sum()) / float(weight.sum())
        low, high = (middle, high) if below < share else (low, middle)
    return float(np.exp(low))
