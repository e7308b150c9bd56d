"""Interpolated Kneser-Ney with three discounts, for characters or words, on arrays.

Chen & Goodman, An empirical study of smoothing techniques for language modeling, 1998: counts of
the longest runs, further down the number of different symbols before a run (its count where it
begins a text), minus a discount for counts of one, two, and more; what is taken off goes to the
next shorter run, and at the end to all symbols alike.

A run of symbols is one integer, `bits` for each symbol, so that all runs of one length are one
sorted array, all that follows a context lies side by side, and every position of a text is looked
up at once. Order × bits must stay below 64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from overt.models.tensors import Array
from overt.models.text.alphabet import BITS, SIZE

FALLBACK = (0.5, 1.0, 1.5)
"""Discounts where there are too few runs to estimate them."""


@dataclass(frozen=True)
class _Level:
    """Runs of one length: for each context where its followers are, and what is left for others."""

    context: Array = field(repr=False)
    first: Array = field(repr=False)
    """int64[contexts + 1]"""
    left: Array = field(repr=False)
    """float64[contexts]"""
    symbol: Array = field(repr=False)
    share: Array = field(repr=False)
    """float64[runs], after the discount."""

    def find(self, context: Array) -> tuple[Array, Array]:
        """Return the place of each context, and whether it is there."""
        at = np.minimum(np.searchsorted(self.context, context), max(0, len(self.context) - 1))
        known = self.context[at] == context if len(self.context) else np.zeros(len(at), np.bool_)
        return at, known


@dataclass(frozen=True)
class KneserNey:
    """A fitted model. Symbol 0 begins each text and is never predicted."""

    order: int
    symbols: int
    bits: int
    levels: tuple[_Level, ...] = field(repr=False)

    def everything(self, texts: Sequence[Array]) -> Array:
        """Return float64[positions, symbols]: the distribution at each symbol but the first.

        Args:
            texts: as in `fit`. Positions of all follow each other.
        """
        contexts = [_contexts(texts, length, self.bits) for length in range(self.order)]
        rows = len(contexts[0][0])
        share = np.full((rows, self.symbols), 1 / (self.symbols - 1))
        share[:, 0] = 0
        for level, (context, there) in zip(self.levels, contexts, strict=True):
            at, known = level.find(context)
            row = np.flatnonzero(known & there)
            at = at[row]
            share[row] *= level.left[at][:, None]
            many = level.first[at + 1] - level.first[at]
            run = _runs(level.first[at], many)
            share[np.repeat(row, many), level.symbol[run]] += level.share[run]
        return share

    def after(self, context: Sequence[int]) -> Array:
        """Return float64[symbols], the distribution after one context, which may be empty."""
        last: Array = self.everything([np.array([*(context or (0,)), 0], np.int64)])[-1]
        return last


def _runs(first: Array, many: Array) -> Array:
    """Return first[0], first[0] + 1, … (many[0] of them), first[1] and so on."""
    ends = np.cumsum(many)
    start = np.repeat(first - (ends - many), many)
    return np.asarray(np.arange(len(start)) + start)


def _contexts(texts: Sequence[Array], length: int, bits: int) -> tuple[Array, Array]:
    """Return the `length` symbols before each position, packed, and whether there are so many."""
    packed, there = [], []
    for text in texts:
        run = np.zeros(len(text) - 1, np.int64)
        for back in range(length, 0, -1) if len(text) > length else ():
            run[length - 1 :] = (run[length - 1 :] << bits) | text[length - back : len(text) - back]
        packed.append(run)
        there.append(np.arange(1, len(text)) >= length)
    if not texts:
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    return np.concatenate(packed), np.concatenate(there)


def fit(texts: Sequence[Array], order: int, symbols: int = SIZE, bits: int = BITS) -> KneserNey:
    """Count texts.

    Args:
        texts: int64 each, symbols from 1 on after a first 0.
        order: symbols in the longest run that is counted.
        symbols: how many there are, with 0.
        bits: that a symbol takes.
    """
    if order * bits > 63:
        raise ValueError("order * bits must be below 64")
    counted: list[tuple[Array, Array]] = []
    for length in range(order, 0, -1):
        runs = np.concatenate([_packed(text, length, bits) for text in texts] or [np.zeros(0)])
        run, count = np.unique(runs.astype(np.int64), return_counts=True)
        if counted:
            longer = counted[-1][0]
            inner, before = np.unique(longer & ((1 << bits * length) - 1), return_counts=True)
            begins = (run >> bits * (length - 1)) == 0
            different = (
                before[np.minimum(np.searchsorted(inner, run), len(inner) - 1)]
                if len(inner)
                else count
            )
            count = np.where(begins, count, different)
        counted.append((run, count))
    levels = [_level(run, count, bits) for run, count in reversed(counted)]
    return KneserNey(order, symbols, bits, tuple(levels))


def _packed(text: Array, length: int, bits: int) -> Array:
    """Return all runs of a length in a text, without the 0 alone."""
    if len(text) < length:
        return np.zeros(0, np.int64)
    run = np.zeros(len(text) - length + 1, np.int64)
    for at in range(length):
        run = (run << bits) | text[at : len(text) - length + 1 + at]
    return run[1:] if length == 1 else run


def _level(run: Array, count: Array, bits: int) -> _Level:
    context, symbol = run >> bits, run & ((1 << bits) - 1)
    known, first, many = np.unique(context, return_index=True, return_counts=True)
    off = np.concatenate([[0.0], discounts(count)])[np.minimum(count, 3)]
    total = np.add.reduceat(count, first).astype(np.float64) if len(first) else np.zeros(0)
    taken = np.add.reduceat(off, first) if len(first) else np.zeros(0)
    share = (count - off) / np.repeat(total, many)
    return _Level(known, np.append(first, len(run)), taken / total, symbol, share)


def discounts(count: Array) -> Array:
    """Return float64[3], what is taken off counts of one, two and more."""
    n = [float((count == times).sum()) for times in (1, 2, 3, 4)]
    if min(n) == 0:
        return np.array(FALLBACK)
    y = n[0] / (n[0] + 2 * n[1])
    found = [k - (k + 1) * y * n[k] / n[k - 1] for k in (1, 2, 3)]
    return np.clip(found, 0.0, (1.0, 2.0, 3.0))
