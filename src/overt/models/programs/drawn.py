"""Programs drawn at random, as many as there are texts, so that none is known and all are met.

What a network is to tell people from is not the programs that are judged: it is whatever types by
some rule and not by hand. So of a program that is drawn here all is chance but the keys, roughly
the pace (half to twice that of whose texts it types) and the clock through which it is seen: the
laws of its delays and its holds (curves of quantiles, with tails or without), on what both depend
(the classes of keys, the place in the word, how it went so far), and how they go together
(domain randomisation, Tobin et al. 2017).

None is a judged kind, but some come near one: where the curve has one piece and no tails, delays
are uniform, or log-uniform; and where the class of the key before matters, it may be slow at words.
Delays of a normal or log-normal law, and anything taken from people's presses, are not among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.signal import lfilter
from scipy.special import ndtr

from overt.models.programs.typed import PAUSE_MAX_MS, Clock, Typed, seen
from overt.models.tensors import Array
from overt.schema.event import KeyClass

_CLASSES = 32
_EDGE = 7
"""Places in a word, and keys to its end, are told apart up to here."""
_GRID = (np.arange(200) + 0.5) / 200
_LEAST = 0.02
"""No time is shorter than this part of its median."""
_UNKNOWN_MS = 100.0


def drawn(one: Typed, clock: Clock, rng: np.random.Generator) -> Typed:
    """Return the same keys as a program types them that was drawn just now.

    Args:
        one: somebody's texts, of which the keys and the medians are taken.
        clock: that person's.
        rng: draws the program, and what it does.
    """
    size = one.size
    first = one.begins | (np.arange(size) == 0)
    groups = _groups(one, first)
    wait_ms, held_ms = (
        _median(values) * np.exp2(rng.uniform(-1, 1)) for values in (one.interval_ms(), one.hold_ms)
    )
    latent = _latent(rng, groups, size)
    wait = _law(rng)(ndtr(latent))
    if rng.random() < 0.5:
        # What keys do to a delay goes on top of its law, or (as in `_latent`) within it.
        wait = wait * np.exp(_effects(rng, groups, size, rng.uniform(0.1, 0.6)))
    if rng.random() < 0.3:
        thoughts = rng.random(size) < rng.uniform(0, 0.08)
        wait = wait * np.where(thoughts, rng.uniform(1.5, 6), 1.0)
    wait = wait * wait_ms
    hold = _holds(rng, groups, latent, wait, held_ms)
    made = seen(np.where(first, PAUSE_MAX_MS, wait), hold, one.key_class, clock, rng)
    return Typed(made.down_ms, made.hold_ms, one.key_class, one.begins)


def _holds(
    rng: np.random.Generator, groups: Sequence[Array], latent: Array, wait: Array, held_ms: float
) -> Array:
    """Return holds in ms of a program whose delays are `wait`, made of `latent`."""
    size = wait.size
    if rng.random() < 0.15:
        # Released at once, or after some part of what it usually waits.
        return np.full(size, np.median(wait) * rng.uniform(0, 1) ** 2)
    own = _latent(rng, groups, size)
    if rng.random() < 0.3:
        together = rng.uniform(-0.8, 0.8)
        own = np.sqrt(1 - together**2) * own + together * latent
    spread = _between(rng, 0.03, 0.6)
    hold = held_ms * _law(rng, spread)(ndtr(own))
    if rng.random() < 0.15:
        # One key at a time.
        hold = np.minimum(hold, rng.uniform(0.3, 1) * np.append(wait[1:], PAUSE_MAX_MS))
    return np.asarray(hold)


def _groups(one: Typed, first: Array) -> tuple[Array, ...]:
    """Return, of each press, on what a program may make it depend, int64[presses] each.

    The key's class, how many keys it is to the end of the word, the class before, both classes,
    and the place in the word.
    """
    own = one.key_class.astype(np.int64)
    before = np.where(first, 0, np.append(0, own[:-1])[: one.size])
    at = np.arange(one.size)
    letter = own == KeyClass.LETTER
    place = np.minimum(at - np.maximum.accumulate(np.where(letter & ~first, 0, at)), _EDGE)
    ends = np.append(first[1:], True)[: one.size]
    stop = np.where(~letter | ends, at, one.size)
    left = np.minimum(np.minimum.accumulate(stop[::-1])[::-1] - at, _EDGE)
    return own, left, before, before * _CLASSES + own, place


def _effects(rng: np.random.Generator, groups: Sequence[Array], size: int, far: float) -> Array:
    made = np.zeros(size)
    for group in groups:
        if rng.random() < 0.35:
            made += rng.normal(0, far, _CLASSES * _CLASSES)[group]
    return made


def _latent(rng: np.random.Generator, groups: Sequence[Array], size: int) -> Array:
    """Return float64[size], standardised: noise, perhaps effects of keys, perhaps memory."""
    made = rng.normal(size=size)
    if rng.random() < 0.5:
        made += _effects(rng, groups, size, rng.uniform(0.2, 1.0))
    if rng.random() < 0.35:
        keeps = rng.uniform(-0.4, 0.95)
        weight = rng.uniform(0.2, 1.5)
        made += weight * lfilter([np.sqrt(1 - keeps**2)], [1, -keeps], rng.normal(size=size))
    return np.asarray((made - made.mean()) / max(float(made.std()), 1e-6))


def _law(rng: np.random.Generator, spread: float | None = None) -> Callable[[Array], Array]:
    """Return a random curve of quantiles: what a time is, over its median, at each share of all.

    `spread` is about the standard deviation, of the time or of its logarithm.
    """
    pieces = int(rng.integers(1, 7))
    at = np.concatenate([[0.0], np.sort(rng.random(pieces - 1)), [1.0]])
    up = np.append(0.0, np.cumsum(rng.gamma(rng.uniform(0.5, 4), size=pieces)))
    up /= max(float(up[-1]), 1e-9)
    right, left = (rng.uniform(0, 0.8) * (rng.random() < 0.5) for _ in range(2))
    bend = rng.uniform(0.6, 1.4)

    def curve(u: Array) -> Array:
        u = np.clip(u, 1e-4, 1 - 1e-4)
        tails = right * (-np.log(1 - u)) ** bend - left * (-np.log(u)) ** bend
        return np.asarray(np.interp(u, at, up) + tails)

    grid = curve(_GRID)
    middle, far = float(np.median(grid)), max(float(grid.std()), 1e-6)
    wide = _between(rng, 0.03, 0.9) if spread is None else spread
    logarithm = rng.random() < 0.6

    def law(u: Array) -> Array:
        off = (curve(u) - middle) / far * wide
        made = np.exp(np.clip(off, -4, 4)) if logarithm else 1 + off
        return np.asarray(np.maximum(made, _LEAST))

    return law


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a value of which the logarithm is even between both."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _median(values: Array) -> float:
    fine = values[np.isfinite(values)]
    return float(np.median(fine)) if fine.size else _UNKNOWN_MS
