"""The data set of typing: windows of people, and of programs in their place at the keyboard.

A program types the key classes of the person's own texts, corrections and all, one text after the
other, and is seen through that person's clock. It knows recordings of others on the same side of a
split only, never of the person in whose place it types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from overt.models.programs.rhythm import NAMES, TRIVIAL, row_of, trivial_of
from overt.models.programs.typed import (
    PAUSE_MAX_MS,
    Clock,
    Typed,
    clock_of,
    cut,
    in_a_row,
    seen,
    typing_ms,
)
from overt.models.programs.typists import FROM_PEOPLE, TYPISTS, Pace, Typist
from overt.models.programs.windows import (
    BLOCK_S,
    LEAST,
    PERSON,
    SECONDS,
    Row,
    Windows,
    columns,
    seed_of,
)
from overt.models.programs.writers import Writer
from overt.models.tensors import Array

PROGRAMS_A_BLOCK = 3
PIECES_A_BLOCK = 4
"""Of the twelve windows of 5 s every third: more people say more than more of the same ones."""

LIBRARY_KEYS_MIN = 60
"""Someone with fewer presses than this is not worth replaying."""

_KEYS_MIN = 30
_PRESSES_MAX = 20_000
"""A program without a delay could fill a window with more than a page; it never needs so many."""


def windows_of(
    writers: list[Writer],
    sides: Callable[[Writer], int],
    progress: Callable[[str, float], None],
    look: Callable[[Typed], None] = lambda _piece: None,
) -> Windows:
    """Return windows of one block of `BLOCK_S` a person, and of programs in that person's place.

    `sides` says on which side of a split someone is. `look` is shown what each window is of, in
    order.
    """
    gathered: list[Row] = []
    for number, writer in enumerate(writers):
        progress("programs at people's keyboards", number / len(writers))
        person = f"{writer.source}/{writer.person}"
        blocks = cut(writer.typed, BLOCK_S, least=0.1)
        rng = seed_of("typing", person)
        if not blocks:
            continue
        block = blocks[int(rng.integers(len(blocks)))]
        gathered += [(*row, PERSON, writer.source, person, person) for row in _pieces(block, look)]
        pace = pace_of(writer.typed)
        if pace is None or block.size < _KEYS_MIN:
            continue
        others = [
            one.typed
            for one in writers
            if one is not writer
            and sides(one) == sides(writer)
            and one.typed.size >= LIBRARY_KEYS_MIN
        ]
        kinds = [kind for kind in TYPISTS if others or kind not in FROM_PEOPLE]
        clock = clock_of(writer.typed)
        for kind in rng.permutation(kinds)[:PROGRAMS_A_BLOCK].tolist():
            draw = seed_of(kind, "typing", person)
            typist = TYPISTS[kind](draw, pace, others)
            done = performed(typist, block, clock, draw, until_ms=float(typing_ms(block)[-1]))
            unit = f"{kind}/{person}"
            gathered += [(*row, kind, writer.source, person, unit) for row in _pieces(done, look)]
    return columns(gathered, len(NAMES), len(TRIVIAL))


def pace_of(typed: Typed) -> Pace | None:
    """Return how fast someone types; None where no interval or no hold is known."""
    interval = typed.interval_ms()
    if not np.isfinite(interval).any() or not np.isfinite(typed.hold_ms).any():
        return None
    return Pace(float(np.nanmedian(interval)), float(np.nanmedian(typed.hold_ms)))


def performed(
    typist: Typist, block: Typed, clock: Clock, rng: np.random.Generator, *, until_ms: float
) -> Typed:
    """Return what a program is seen to type: the texts over and over, until `until_ms` of it."""
    texts = [text.key_class for text in block.texts()]
    done: list[Typed] = []
    passed = presses = 0.0
    while passed < until_ms and presses < _PRESSES_MAX:
        key_class = texts[len(done) % len(texts)]
        text = seen(*typist(key_class), key_class, clock, rng)
        done.append(text)
        passed += float(typing_ms(text)[-1]) + PAUSE_MAX_MS
        presses += text.size
    return in_a_row(done)


def _pieces(block: Typed, look: Callable[[Typed], None]) -> Iterator[tuple[Array, Array, float]]:
    for seconds in SECONDS:
        found = cut(block, seconds, least=LEAST)
        for piece in found[:: -(-len(found) // PIECES_A_BLOCK)] if found else []:
            look(piece)
            yield row_of(piece), trivial_of(piece), seconds
