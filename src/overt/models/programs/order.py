"""Whether presses come as a person's do: learned from people, and from what no person typed.

What a person types is shown to a network as it was; with its order taken away, in one of six
degrees; and as a program that was drawn at random would have typed it (`drawn`). The degrees: the
same presses, exchanged among those of one key class after the same class; among those of one class;
among those within words, and after them; among all; interval and hold together or each for itself.
What it learns to tell apart is how people's presses follow from each other, place in the word and
class by class, and what laws their times have. No judged program is needed for it. (Two kinds of
program do to somebody else's presses what is done here to a person's own: "person by key class" and
"shuffled person". To it these two are not as new as others; `drawn` says of which it is near.)

Nearly all it is shown is in the window's own scale (`strip`): pace and spread say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from overt.models.descent import Adam
from overt.models.neural.memory import initialise
from overt.models.programs.drawn import drawn
from overt.models.programs.strip import FEWEST, Strip
from overt.models.programs.typed import PAUSE_MAX_MS, Clock, Typed, clock_of, cut
from overt.models.repeatable import one_thread
from overt.models.tensors import Array
from overt.schema.event import KeyClass

DEGREES = 6
DRAWN = DEGREES + 1
"""Number of what a program typed that was drawn; 0 is as it was, those between are degrees."""

EXCHANGED_WEIGHT = 0.25
"""How much a program that exchanges presses counts, one that was drawn being 1. There is little in
a few seconds to find the former by, and to look for it finds people too."""

NO_TEXT = 0.2
"""From this share of keys that are no letter, space or backspace it is no running text, of which
alone it has learned how people's times are spread: then only their order says anything. Who types a
password over and over is quick at some keys and slow at others, as programs that are drawn are."""

LENGTHS_S = (5.0, 15.0, 60.0) * 4
"""Of the windows of each turn over all that people typed."""

_TOLD = (
    KeyClass.LETTER,
    KeyClass.DIGIT,
    KeyClass.PUNCTUATION,
    KeyClass.SPACE,
    KeyClass.BACKSPACE,
)
_OF_TEXT = [int(one) for one in (KeyClass.LETTER, KeyClass.SPACE, KeyClass.BACKSPACE)]
_CHANNELS = 6 + len(_TOLD)
_WIDTH, _REACH, _LAYERS = 32, 5, (1, 2, 4)
_BETWEEN = 64
_RATE, _DECAY, _WARM_TURNS = 4e-3, 1e-2, 0.5
_LEAST = 1e-5
_PRESSES = 12_000
"""Presses of a batch."""
_WHOLE = 0.7
"""Of its length a window that teaches has at least this share."""
_SEED = 7


@dataclass(frozen=True)
class Shown:
    """Windows as the network is shown them, laid end to end."""

    channels: Array
    """float32[presses, _CHANNELS]"""
    count: Array
    """int64[windows], presses of each."""

    def batches(self, rng: np.random.Generator | None = None) -> Iterator[tuple[Array, Tensor]]:
        """Yield which windows, and float32[windows, channels + 1, presses], by length.

        The last channel says where there is a press. With `rng` batches come in random order.
        """
        start = np.cumsum(self.count) - self.count
        jitter = 0.0 if rng is None else rng.uniform(0, 4, self.count.size)
        order = np.argsort(self.count + jitter, kind="stable")
        groups, at = [], 0
        while at < order.size:
            size = max(int(_PRESSES / max(int(self.count[order[at]]), 1)), 4)
            groups.append(order[at : at + size])
            at += size
        turns = range(len(groups)) if rng is None else rng.permutation(len(groups)).tolist()
        for group in (groups[turn] for turn in turns):
            place = np.arange(int(self.count[group].max()))
            there = place < self.count[group][:, None]
            found = self.channels[np.where(there, start[group][:, None] + place, 0)]
            made = np.concatenate([found, np.ones((*there.shape, 1), np.float32)], 2)
            yield group, torch.from_numpy((made * there[..., None]).transpose(0, 2, 1).copy())


def shown(windows: Sequence[Typed]) -> Shown:
    """Return windows as the network is shown them, each of at least `FEWEST` presses."""
    strip = Strip(windows)
    begins = np.isnan(strip.earlier(np.zeros(strip.window.size), 1))
    made = [
        strip.interval,
        np.isfinite(strip.interval),
        strip.hold,
        np.isfinite(strip.hold),
        begins,
    ]
    made += [strip.key_class == key_class for key_class in _TOLD]
    made.append(strip.after)
    channels = np.nan_to_num(np.stack(made, 1).astype(np.float32))
    return Shown(channels, np.bincount(strip.window, minlength=strip.count))


class _Layer(nn.Module):
    """Adds to each press what presses so far away from it show."""

    def __init__(self, far: int) -> None:
        super().__init__()
        self.near = nn.Conv1d(_WIDTH, _WIDTH, 3, padding=far, dilation=far)

    def forward(self, state: Tensor, there: Tensor) -> Tensor:
        found = self.near(state)
        # Of each press for itself: how long other windows are must change nothing.
        found = found * (found.square().mean(1, keepdim=True) + _LEAST).rsqrt()
        made: Tensor = (state + functional.gelu(found)) * there
        return made


class _Network(nn.Module):
    """Convolutions over presses, then what they show of the whole window."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(_CHANNELS, _WIDTH, _REACH, padding=_REACH // 2)
        self.layers = nn.ModuleList([_Layer(far) for far in _LAYERS])
        self.press = nn.Linear(_WIDTH, 1 + DRAWN)
        self.whole = nn.Sequential(
            nn.Linear(2 * _WIDTH + 1, _BETWEEN), nn.GELU(), nn.Linear(_BETWEEN, 1 + DRAWN)
        )
        initialise(self, _SEED)

    def forward(self, windows: Tensor) -> Tensor:
        """Return float32[windows, 1 + DRAWN], logits: as it was, each degree, drawn."""
        there = windows[:, -1:]
        state = functional.gelu(self.first(windows[:, :-1])) * there
        for layer in self.layers:
            state = layer(state, there)
        count = there.sum(2).clamp(min=1)
        mean = state.sum(2) / count
        spread = ((state * state).sum(2) / count - mean * mean).clamp(min=1e-4).sqrt()
        added = (self.press(state.transpose(1, 2)) * there.transpose(1, 2)).sum(1) / count.sqrt()
        made: Tensor = added + self.whole(torch.cat([mean, spread, count.log() - 3.5], 1))
        return made


class Order:
    """A network that knows how people's presses come."""

    def __init__(self, network: nn.Module) -> None:
        """Take one that has learned."""
        self._network = network

    def evidence(self, windows: Sequence[Typed]) -> Array:
        """Return float64[windows]: ln of how much likelier a program is than a person.

        NaN of too few presses.
        """
        enough = np.array([one.size >= FEWEST for one in windows], bool)
        found = np.full(enough.size, np.nan)
        if enough.any():
            several = [one for one in windows if one.size >= FEWEST]
            seen, text = shown(several), np.array([_is_text(one) for one in several], bool)
            with one_thread(), torch.no_grad():
                odds = np.zeros(seen.count.size)
                for at, batch in seen.batches():
                    logits = self._network(batch).double()
                    logits[:, 1:DRAWN] += math.log(EXCHANGED_WEIGHT)
                    logits[:, DRAWN][torch.from_numpy(~text[at])] = -math.inf
                    odds[at] = (torch.logsumexp(logits[:, 1:], 1) - logits[:, 0]).numpy()
            found[enough] = odds
        return found


def _is_text(one: Typed) -> bool:
    return bool((~np.isin(one.key_class, _OF_TEXT)).mean() < NO_TEXT)


def learned(people: Sequence[Typed], progress: Callable[[float], None]) -> Order:
    """Return what `people` teach; the same every time, on one thread."""
    with one_thread():
        return _learned(people, progress)


def _learned(people: Sequence[Typed], progress: Callable[[float], None]) -> Order:
    rng = np.random.Generator(np.random.PCG64(_SEED))
    clocks = [clock_of(one) for one in people]
    network = _Network()
    descent = Adam(network.parameters(), _DECAY)
    for turn, seconds in enumerate(LENGTHS_S):
        windows, named = _turn(people, clocks, seconds, rng)
        batches = list(shown(windows).batches(rng))
        for number, (at, batch) in enumerate(batches):
            done = turn + number / len(batches)
            progress(done / len(LENGTHS_S))
            loss = functional.cross_entropy(network(batch), torch.from_numpy(named[at]))
            loss.backward()  # type: ignore[no-untyped-call]
            rising = min(done / _WARM_TURNS + 0.05, 1.0)
            descent.step(_RATE * rising * (1 + math.cos(math.pi * done / len(LENGTHS_S))) / 2)
    network.eval()
    return Order(network)


def _turn(
    people: Sequence[Typed], clocks: Sequence[Clock], seconds: float, rng: np.random.Generator
) -> tuple[list[Typed], Array]:
    """Return windows of what people typed, disordered, and drawn; and the number of each."""
    windows: list[Typed] = []
    named: list[int] = []
    for one, clock in zip(people, clocks, strict=True):
        degree = int(rng.integers(1, DEGREES + 1))
        shown_as = (
            (one, 0),
            (disordered(one, degree, rng), degree),
            (drawn(one, clock, rng), DRAWN),
        )
        for made, number in shown_as:
            # Cut elsewhere each time.
            pieces = cut(made.at(slice(int(rng.integers(20)), None)), seconds, least=_WHOLE)
            pieces = [piece for piece in pieces if piece.size >= FEWEST]
            if number == DRAWN:
                # A slow program fills more windows than the person: no more of them are shown.
                most = len(cut(one, seconds, least=_WHOLE)) + 1
                pieces = [pieces[at] for at in rng.permutation(len(pieces))[:most].tolist()]
            windows += pieces
            named += [number] * len(pieces)
    return windows, np.array(named, np.int64)


def disordered(one: Typed, degree: int, rng: np.random.Generator) -> Typed:
    """Return the same keys with the same intervals and holds, exchanged; `degree` from 1."""
    size = one.size
    before = np.where(one.begins, 0, np.append(0, one.key_class[:-1])[:size]).astype(np.int64)
    own = one.key_class.astype(np.int64)
    everything = np.zeros(size, np.int64)
    among, holds_among = {
        1: (before * 32 + own, None),
        2: (before * 32 + own, own),
        3: (own, None),
        4: ((before == KeyClass.SPACE).astype(np.int64), everything),
        5: (everything, None),
        6: (everything, everything),
    }[degree]
    # Before the first press of a text there is no interval to exchange.
    first = one.begins | (np.arange(size) == 0)
    from_where = _exchanged(among * 2 + first, rng)
    held = from_where if holds_among is None else _exchanged(holds_among, rng)
    interval = np.append(PAUSE_MAX_MS, np.diff(one.down_ms))[:size]
    wait = np.where(first, PAUSE_MAX_MS, interval[from_where])
    return Typed(np.cumsum(wait), one.hold_ms[held], one.key_class, one.begins)


def _exchanged(among: Array, rng: np.random.Generator) -> Array:
    """Return for each place where to take from, each place once, from those that are alike."""
    to, of = (np.lexsort((rng.random(among.size), among)) for _ in range(2))
    found = np.empty(among.size, np.int64)
    found[to] = of
    return found
