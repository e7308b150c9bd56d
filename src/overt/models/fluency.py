"""Pauses as mixtures of fluent and disfluent states, by where in the text they stand.

The time before a key is the person's own pace times something that depends on which key it is and
where: within a word, before or after its end, at the beginning of a sentence, after a correction
(Wengelin 2006; Conijn, Roeser & van Zaanen 2019 for mixtures of log-normals). So ln ms is taken
against the mean of the person's own pauses so far, and a mixture of `STATES` log-normals is fitted
for each key, boundary, and whether the last pause was a fluent one; where there are too few pauses,
for less of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overt.datasets.tokens import START, VOCABULARY
from overt.models import boosted
from overt.models.predict import Predicted
from overt.models.stream import Stream
from overt.models.tensors import Array

NAME = "log-normal states by boundary"
STATES = 3
PAUSES_MIN = 200
"""With fewer pauses a place leans on less detailed ones."""

OWN_LEANS = 10.0
"""Pauses of their own that weigh as much as everybody's mean."""

SLOW = 1.0
"""A pause e times the person's own mean, or longer, is no fluent one."""

_SPACE, _BACK, _ENTER, _PUNCTUATION = (
    VOCABULARY.index(f"key:{name}") for name in ("space", "backspace", "enter", "punctuation")
)
INSIDE, AFTER_SPACE, SENTENCE, CORRECTING = range(4)


def boundary(known: boosted.Seen) -> Array:
    """Return int64[n], where in the text each event stands: by the two tokens before it."""
    one, two = known.before[:, 0], known.before[:, 1]
    made = np.full(one.size, INSIDE)
    made[one == _SPACE] = AFTER_SPACE
    made[(one == START) | (one == _ENTER) | ((one == _SPACE) & (two == _PUNCTUATION))] = SENTENCE
    made[one == _BACK] = CORRECTING
    return made


@dataclass(frozen=True, eq=False)
class Fluency:
    """Mixtures by place; float64[places, STATES] each."""

    mean: float
    """ln ms of everybody."""
    place: Array
    """int64[V, boundaries, 2], which mixture: by token, boundary, and whether the last was slow."""
    weight: Array
    offset: Array
    sigma: Array

    def predict(self, stream: Stream) -> Predicted:
        """Return the mixture of each pause of a person; tokens are not predicted."""
        known = boosted.seen(stream)
        own, slow = _own(known, self.mean)
        at = self.place[known.token, boundary(known), slow]
        flat = np.full((known.token.size, len(VOCABULARY)), 1 / len(VOCABULARY))
        return Predicted(
            known.token,
            flat,
            known.log_pause,
            self.weight[at],
            own[:, None] + self.offset[at],
            self.sigma[at],
        )


def _own(known: boosted.Seen, mean: float) -> tuple[Array, Array]:
    """Return ln ms of the person's own pace so far, and whether the last pause was a slow one."""
    own = known.before[:, boosted.OWN_MEAN].astype(np.float64)
    count = known.before[:, boosted.OWN_COUNT].astype(np.float64)
    own = np.where(np.isnan(own), mean, own)
    own = (own * count + OWN_LEANS * mean) / (count + OWN_LEANS)
    last = known.before[:, boosted.BACK].astype(np.float64)
    return own, (np.nan_to_num(last - own, nan=0.0) > SLOW).astype(np.int64)


def fit(streams: Sequence[Stream]) -> Fluency:
    """Return the mixtures fitted to people's streams."""
    people = [boosted.seen(stream) for stream in streams]
    pause = np.concatenate([known.log_pause for known in people])
    there = ~np.isnan(pause)
    mean = float(pause[there].mean())
    own, slow = (
        np.concatenate(one)[there] for one in zip(*(_own(k, mean) for k in people), strict=True)
    )
    token = np.concatenate([known.token for known in people])[there]
    where = np.concatenate([boundary(known) for known in people])[there]
    rest = pause[there] - own
    fitted = [boosted.mixture(rest, STATES)]
    place = np.zeros((len(VOCABULARY), 4, 2), np.int64)
    for t in range(len(VOCABULARY)):
        mine = token == t
        if mine.sum() < PAUSES_MIN:
            continue
        place[t] = len(fitted)
        fitted.append(boosted.mixture(rest[mine], STATES))
        for b in range(4):
            here = mine & (where == b)
            if here.sum() < PAUSES_MIN:
                continue
            place[t, b] = len(fitted)
            fitted.append(boosted.mixture(rest[here], STATES))
            for s in range(2):
                after = here & (slow == s)
                if after.sum() >= PAUSES_MIN:
                    place[t, b, s] = len(fitted)
                    fitted.append(boosted.mixture(rest[after], STATES))
    return Fluency(mean, place, *(np.stack(part) for part in zip(*fitted, strict=True)))
