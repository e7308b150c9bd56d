"""How people slip, from their own corrections: what they typed, and what they put in its place.

Learned is the error channel of the corrector (`overt.models.typos.channel`): which key is hit for
which, left out, doubled, swapped. Told is the slip, given the word that was put in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from overt.models.enough.typed import IDLE_US
from overt.models.tensors import Array
from overt.models.typos.channel import Edits, Pair, edits, ways
from overt.models.typos.letters import codes
from overt.models.typos.mined import mine

NAME = "slips"
TITLE = "How people slip"
UNIT = "bits saved a slip, against a hand nobody has watched (neighbouring keys and sounds)"
NOTE = (
    "Slips are people's own corrections, and exist at level keys alone: rhythm does not say which "
    "key it was. A better channel ranks what was meant better; overt evaluate slips says how much."
)
SLIPS_MIN = 1


@dataclass(frozen=True, eq=False)
class Slips:
    """One person's corrections; n of them."""

    pairs: tuple[Pair, ...] = field(repr=False)
    """What was typed, and what of the word put in its place it stood for; lower case."""
    minute: Array
    """float64[n], minutes of input up to each."""
    minutes: float
    """Minutes of the person's input."""


def slips_of(sessions: Sequence[pa.Table]) -> Slips | None:
    """Return a person's own corrections; None without any."""
    pairs: list[Pair] = []
    at: list[float] = []
    passed = 0.0
    for events in sessions:
        t_us = events.column("t_us").to_numpy()
        input_us = np.cumsum(np.minimum(np.diff(t_us, prepend=t_us[:1]), IDLE_US))
        for found in mine(events):
            typed, meant = found.correction.slip, found.correction.matched
            if typed != meant and found.press_us:
                place = min(int(np.searchsorted(t_us, found.press_us[-1])), input_us.size - 1)
                pairs.append((typed, meant))
                at.append(passed + float(input_us[place]))
        passed += float(input_us[-1]) if input_us.size else 0.0
    if len(pairs) < SLIPS_MIN:
        return None
    order = np.argsort(at, kind="stable")
    return Slips(tuple(pairs[i] for i in order.tolist()), np.array(at)[order] / 60e6, passed / 60e6)


def bits(channel: Edits, pair: Pair) -> float:
    """Return minus log2 of how probable the channel holds the slip, by its cheapest way."""
    typed, meant = (codes(word) for word in pair)
    put_in = channel.put_in_costs(typed)
    nats, i, j = 0.0, 0, 0
    for a, b in ways(channel, meant, typed):
        if a == 2:
            nats += channel.swap
        elif a and b:
            nats += float(channel.change[0 if i == 0 else 1, meant[i], typed[j]])
        elif a:
            nats += float(channel.leave_out[meant[i - 1] if i else 0, meant[i]])
        else:
            nats += float(put_in[j])
        i, j = i + a, j + b
    return nats / float(np.log(2))


@dataclass(eq=False)
class Watched:
    """Whose slips have been seen so far, and the channel they make when it is asked for."""

    pairs: list[Pair] = field(default_factory=list)
    channel: Edits | None = None


@dataclass(frozen=True, eq=False)
class Slipped:
    """Channels as the grid wants them (`overt.models.enough.grid.Additive`)."""

    people: list[Slips]
    unwatched: Edits = field(default_factory=edits)

    def start(self) -> Watched:
        """Return what nobody has taught yet."""
        return Watched()

    def add(self, state: Watched, people: Sequence[int], minutes: float) -> Watched:
        """Return it with the slips in the first minutes of some people."""
        for person in people:
            one = self.people[person]
            kept = int(np.searchsorted(one.minute, minutes, "right"))
            state.pairs.extend(one.pairs[:kept])
        state.channel = None
        return state

    def parts(self, state: Watched, whole: Watched, person: int) -> tuple[float, float]:
        """Return bits saved, and slips."""
        del whole
        if state.channel is None:
            state.channel = edits(state.pairs)
        pairs = self.people[person].pairs
        saved = sum(bits(self.unwatched, pair) - bits(state.channel, pair) for pair in pairs)
        return saved, float(len(pairs))
