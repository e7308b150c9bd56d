"""What the times of keys tell of the letters, to somebody who does not see these.

Both times of a key are compared with the person's own: ln of the time since the press before, and
ln of how long the key was down, less the person's medians. Of other people is learned how each pair
of keys differs in the first and each key in the second; both are bells of one width, a pair that
is rare takes its mean from its keys. At `rhythm/1` presses are known to the second and releases are
not: what is learned then is how often a pair takes 0, 1, … seconds.

Letters are numbered 0 to 25 and the space 26. What a class of key tells is known: that a key was a
letter, and so how long each word is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from overt.models.tensors import Array
from overt.models.text.typed import Written

KEYS = 27
SPACE = 26
INTERVAL_MS_MAX = 2000.0
"""A longer time is a pause, and told of as unknown."""

SHRINK = 10.0
"""A pair seen so often is believed half, its two keys half."""

SECONDS_MAX = 3
_FIRST = ord("a")


@dataclass(frozen=True)
class Timed:
    """The keys of one text, and how each was pressed for this person. NaN where unknown."""

    key: Array = field(repr=False)
    """int64[n]: 0–25 letters, 26 the space, -1 anything else."""
    into: Array = field(repr=False)
    """float64[n], ln of the time from the press before, less the person's median."""
    held: Array = field(repr=False)
    """float64[n], ln of the time the key was down, less the person's median."""
    seconds: Array = field(repr=False)
    """int64[n], whole seconds between the two presses as `rhythm/1` has them, -1 unknown."""


def timed(texts: Iterable[Written]) -> list[Timed]:
    """Return the texts of one person whose times are known (others have no keys)."""
    texts = list(texts)
    raw = [_raw(one) for one in texts]
    middle = [_median(np.concatenate([of[at] for of in raw] or [np.zeros(0)])) for at in (1, 2)]
    return [
        Timed(key, into - middle[0], held - middle[1], seconds) for key, into, held, seconds in raw
    ]


def _median(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else 0.0


def _raw(one: Written) -> tuple[Array, Array, Array, Array]:
    lower = one.text.lower()
    if len(lower) != len(one.text):
        lower = one.text
    code = np.frombuffer(lower.encode("utf-32-le"), np.uint32).astype(np.int64) - _FIRST
    key = np.where((code >= 0) & (code < SPACE), code, np.where(code == 32 - _FIRST, SPACE, -1))
    apart = np.diff(one.press_ms, prepend=np.nan)
    down = one.release_ms - one.press_ms
    with np.errstate(invalid="ignore", divide="ignore"):
        into = np.where((apart > 0) & (apart < INTERVAL_MS_MAX), np.log(apart), np.nan)
        held = np.where((down > 0) & (down < INTERVAL_MS_MAX), np.log(down), np.nan)
        whole = np.diff(np.floor(one.press_ms / 1000), prepend=np.nan)
    seconds = np.where(np.isfinite(whole), np.clip(np.nan_to_num(whole), 0, SECONDS_MAX), -1)
    return key, into, held, seconds.astype(np.int64)


@dataclass(frozen=True)
class Hands:
    """How pairs of keys and keys differ from each other."""

    into: Array = field(repr=False)
    """float64[KEYS, KEYS], mean by pair."""
    into_sigma: float
    held: Array = field(repr=False)
    """float64[KEYS]"""
    held_sigma: float
    seconds: Array = field(repr=False)
    """float64[KEYS, KEYS, SECONDS_MAX + 1], share."""

    def pairs(self, one: Timed) -> Array:
        """Return float64[n, KEYS, KEYS]: ln of how well each pair explains each interval."""
        return _bell(one.into[:, None, None], self.into, self.into_sigma)

    def keys(self, one: Timed) -> Array:
        """Return float64[n, KEYS]: ln of how well each key explains how long it was down."""
        return _bell(one.held[:, None], self.held, self.held_sigma)

    def coarse(self, one: Timed) -> Array:
        """Return what `pairs` does, of whole seconds alone."""
        log = np.log(self.seconds)[:, :, np.maximum(one.seconds, 0)].transpose(2, 0, 1)
        return np.where((one.seconds >= 0)[:, None, None], log, 0.0)


def _bell(value: Array, mean: Array, sigma: float) -> Array:
    """Return the log density up to a constant; unknown and far-off values tell nothing more."""
    apart = np.clip((value - mean) / sigma, -3.0, 3.0)
    return np.nan_to_num(-0.5 * apart * apart)


def hands(texts: Sequence[Timed], base: Hands | None = None) -> Hands:
    """Return what texts tell of how keys differ; with `base`, of one person, who is like others."""
    key = np.concatenate([one.key for one in texts] or [np.zeros(0, np.int64)])
    last = np.concatenate([np.append(-1, one.key[:-1]) for one in texts] or [key])
    into, held, seconds = (
        np.concatenate([getattr(one, name) for one in texts] or [np.zeros(0)])
        for name in ("into", "held", "seconds")
    )
    pair = (key >= 0) & (last >= 0)
    good = pair & np.isfinite(into)
    flat = last[good] * KEYS + key[good]
    count = np.bincount(flat, minlength=KEYS * KEYS).reshape(KEYS, KEYS)
    total = np.bincount(flat, into[good], KEYS * KEYS).reshape(KEYS, KEYS)
    before = base.into if base else _of_keys(count, total)
    mean = (total + SHRINK * before) / (count + SHRINK)
    down = (key >= 0) & np.isfinite(held)
    held_count = np.bincount(key[down], minlength=KEYS)
    held_total = np.bincount(key[down], held[down], KEYS)
    held_mean = (held_total + SHRINK * (base.held if base else 0.0)) / (held_count + SHRINK)
    if base:
        return Hands(mean, base.into_sigma, held_mean, base.held_sigma, base.seconds)
    whole = pair & (seconds >= 0)
    table = np.bincount(
        (last[whole] * KEYS + key[whole]) * (SECONDS_MAX + 1) + seconds[whole].astype(np.int64),
        minlength=KEYS * KEYS * (SECONDS_MAX + 1),
    ).reshape(KEYS, KEYS, SECONDS_MAX + 1)
    prior = (table.sum(axis=(0, 1)) + 1) / (table.sum() + SECONDS_MAX + 1)
    share = (table + SHRINK * prior) / (table.sum(axis=2, keepdims=True) + SHRINK)
    return Hands(
        mean,
        _deviation(into[good] - mean[last[good], key[good]]),
        held_mean,
        _deviation(held[down] - held_mean[key[down]]),
        share,
    )


def _of_keys(count: Array, total: Array) -> Array:
    """Return float64[KEYS, KEYS], the mean of each pair if its two keys alone made it."""
    whole = total.sum() / max(1, count.sum())
    second = (total.sum(axis=0) + SHRINK * whole) / (count.sum(axis=0) + SHRINK)
    first = (total.sum(axis=1) + SHRINK * whole) / (count.sum(axis=1) + SHRINK)
    return np.asarray(first[:, None] + second[None, :] - whole)


def _deviation(left: Array) -> float:
    return max(float(np.std(left)), 1e-3) if len(left) else 1.0


def words(one: Timed) -> Iterator[tuple[int, int]]:
    """Yield where each word of nothing but letters begins and ends, between spaces or ends."""
    inside = np.flatnonzero(np.diff(np.concatenate([[0], (one.key != SPACE), [0]])))
    for start, end in zip(inside[::2].tolist(), inside[1::2].tolist(), strict=True):
        if (one.key[start:end] >= 0).all() and np.isfinite(one.held[start:end]).any():
            yield start, end
