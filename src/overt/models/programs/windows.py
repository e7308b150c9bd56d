"""The data set: windows of people, and of programs in the place of each of these people."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np

from overt.models.programs import grain, pixels
from overt.models.programs.altered import ALTERATIONS, ALTERED, LIKE, again
from overt.models.programs.features import NAMES, row_of
from overt.models.programs.generators import MAKERS, Library
from overt.models.programs.learned import learned
from overt.models.programs.sessions import (
    FAST_PX,
    channel_of,
    errand_strokes,
    errands_of,
    performed,
    strokes_of,
)
from overt.models.programs.sources import Recording
from overt.models.programs.trace import GAP_MS, Trace, cut, input_ms
from overt.models.programs.varied import VARIED, varied
from overt.models.tensors import Array

SECONDS = (5.0, 15.0, 60.0)
"""Lengths of input that are judged."""

LEAST = 0.75
"""A last window counts from this share of its length; a shorter recording is one window of 60 s
only if it has so much."""

BLOCK_S = 60.0
"""A person's input is taken in blocks; for each, some programs do the same errands."""

BLOCKS_A_PERSON = 15
PROGRAMS_A_BLOCK = 3
LIBRARY_MIN, LIBRARY_MAX = 20, 1000
"""Strokes of real people that a program replays or learns from."""

TINY = 5
"""A block needs this many errands to be done by a program."""

LEARNED = "learned"
KINDS = (*MAKERS, LEARNED)
"""All kinds of program that are judged."""

WITHOUT_PEOPLE = tuple(kind for kind in MAKERS if kind != "noisy replay")
"""Those that need no recordings of people."""


@dataclass(frozen=True)
class Windows:
    """One window a row. All arrays have the same length."""

    x: Array
    """float64[windows, features]: `COLUMNS`, or `rhythm.NAMES` for typing."""
    trivial: Array
    """float64[windows, `TRIVIAL` or `rhythm.TRIVIAL`]: what sampling and length alone give away."""
    seconds: Array
    kind: Array
    """Name of the program, or "person"; "altered …" is a person's own movement, computed anew."""
    source: Array
    person: Array
    """Whose input it is, or in whose place the program was."""
    unit: Array
    """Recordings or programs that are independent of each other: the unit of the bootstrap."""

    @property
    def program(self) -> Array:
        """Whether a program did it."""
        return np.asarray(self.kind != PERSON)

    @property
    def base(self) -> Array:
        """Kinds, those of varied programs as what they were made of."""
        return np.array([kind.removeprefix(VARIED) for kind in self.kind.tolist()], np.str_)

    @property
    def asked(self) -> Array:
        """Whether it may be asked about, and is not there to be learned from alone."""
        return np.asarray((self.base == self.kind) & ~self.altered)

    @property
    def altered(self) -> Array:
        """Whether it is a person's own movement, altered; it counts as a program's."""
        return np.array([kind.startswith(ALTERED) for kind in self.kind.tolist()], bool)

    def akin(self, kind: str) -> Array:
        """Return which are of a kind of program, varied too, or altered much as it does it."""
        names = [ALTERED + name for name, kinds in LIKE.items() if kind in kinds]
        return np.asarray((self.base == kind) | np.isin(self.kind, names))

    def where(self, mask: Array) -> Windows:
        """Return some of the windows."""
        return Windows(**{f.name: getattr(self, f.name)[mask] for f in fields(self)})


PERSON = "person"
COLUMNS = (*NAMES, *grain.NAMES, *pixels.NAMES)
"""Order of the numbers in a row of `Windows.x` of the pointer."""

TRIVIAL = ("interval_median_ms", "interval_mode_share", "interval_grain", "whole_ms", "took_ms")


def measured(trace: Trace) -> Array:
    """Return float64[len(COLUMNS)] for one window."""
    return np.concatenate([row_of(trace), grain.row_of(trace), pixels.row_of(trace)])


def trivial_of(trace: Trace) -> Array:
    """Return what the sampling alone gives away: intervals in fast movement, their grain, length.

    In slow movement intervals grow because nothing moves: that is motion, not sampling.
    """
    dt = np.diff(trace.t_ms)
    fast = np.hypot(np.diff(trace.x_px), np.diff(trace.y_px)) >= FAST_PX
    dt = np.round(dt[fast & (dt < GAP_MS)], 1)
    took = float(trace.t_ms[-1] - trace.t_ms[0]) if trace.size else 0.0
    if not dt.size:
        return np.array([np.nan, np.nan, np.nan, np.nan, took])
    values, counts = np.unique(dt, return_counts=True)
    whole = float((dt == np.round(dt)).mean())
    return np.array([np.median(dt), counts.max() / dt.size, values.size / dt.size, whole, took])


def seed_of(*parts: object) -> np.random.Generator:
    """Return a generator of random numbers that depends on these words alone."""
    return np.random.Generator(np.random.PCG64(zlib.crc32(repr(parts).encode())))


def windows_of(
    recordings: list[Recording],
    sides: Callable[[Recording], int],
    progress: Callable[[str, float], None],
    look: Callable[[Trace], None] = lambda _piece: None,
    *,
    vary: bool = False,
) -> Windows:
    """Return the windows of people and of the programs in their place.

    `sides` says on which side of a split a recording lies: a program that replays or has learned
    from people knows people of that side only. `look` is shown what each window is of, in order.
    With `vary` there are also varied programs, one for each three, and people's own movement,
    altered, to learn from.
    """
    libraries = _libraries(recordings, sides)
    makers = {
        side: learned(library) for side, library in libraries.items() if len(library) >= LIBRARY_MIN
    }
    gathered: list[Row] = []
    for number, recording in enumerate(recordings):
        progress("programs in people's places", number / len(recordings))
        person = f"{recording.source}/{recording.person}"
        blocks = [b for t in recording.traces for b in cut(t, BLOCK_S, least=0.1)]
        rng = seed_of("blocks", person)
        chosen = rng.permutation(len(blocks))[:BLOCKS_A_PERSON]
        for place in sorted(chosen.tolist()):
            block, unit = blocks[place], f"{person}/{place}"
            side = sides(recording)
            channel, errands = channel_of(block), errands_of(block)
            gathered += [
                (*row, PERSON, recording.source, person, person) for row in _pieces(block, look)
            ]
            if channel is None or errands.dx_px.size < TINY:
                continue
            kinds = KINDS if len(libraries[side]) >= LIBRARY_MIN else WITHOUT_PEOPLE
            several = rng.permutation(kinds).tolist()
            more = [VARIED + several[-1]] if vary else []
            for kind in [*several[:PROGRAMS_A_BLOCK], *more]:
                draw = seed_of(kind, unit)
                base = kind.removeprefix(VARIED)
                maker = makers[side] if base == LEARNED else MAKERS[base]
                mover = maker(draw, libraries[side])
                if kind != base:
                    mover = varied(draw, mover)
                until_ms = float(input_ms(block)[-1])
                done = performed(mover, errands, channel, draw, until_ms=until_ms)
                gathered += [
                    (*row, kind, recording.source, person, f"{kind}/{unit}")
                    for row in _pieces(done, look)
                ]
            for name, alteration in ALTERATIONS.items() if vary else ():
                draw = seed_of(ALTERED, name, unit)
                mover = again(errand_strokes(block), alteration(draw))
                until_ms = float(input_ms(block)[-1])
                done = performed(mover, errands, channel, draw, until_ms=until_ms)
                kind = ALTERED + name
                gathered += [
                    (*row, kind, recording.source, person, f"{kind}/{unit}")
                    for row in _pieces(done, look)
                ]
    return columns(gathered, len(COLUMNS), len(TRIVIAL))


def _libraries(
    recordings: list[Recording], sides: Callable[[Recording], int]
) -> dict[int, Library]:
    """Return strokes of people a side: every person's first ones, so that no one outweighs all."""
    found: dict[int, list[Trace]] = {}
    for recording in recordings:
        strokes = [one for trace in recording.traces[:3] for one in strokes_of(trace)]
        found.setdefault(sides(recording), []).extend(strokes[:150])
    everyone = [stroke for own in found.values() for stroke in own]
    return {
        side: _some(own if len(own) >= LIBRARY_MIN else everyone) for side, own in found.items()
    }


def _some(strokes: list[Trace]) -> list[Trace]:
    picked = seed_of("library", len(strokes)).permutation(len(strokes))[:LIBRARY_MAX]
    return [strokes[k] for k in sorted(picked.tolist())]


def _pieces(block: Trace, look: Callable[[Trace], None]) -> Iterator[tuple[Array, Array, float]]:
    for seconds in SECONDS:
        for piece in cut(block, seconds, least=LEAST):
            look(piece)
            yield measured(piece), trivial_of(piece), seconds


Row = tuple[Array, Array, float, str, str, str, str]
"""One window, in the order of the fields of `Windows`."""


def columns(gathered: list[Row], features: int, trivial: int) -> Windows:
    """Return rows as columns; none of them still has the right number of `features`."""
    if not gathered:
        return Windows(np.zeros((0, features)), np.zeros((0, trivial)), *[np.zeros(0)] * 5)
    x, known, *rest = zip(*gathered, strict=True)
    return Windows(np.stack(x), np.stack(known), *[np.array(one) for one in rest])
