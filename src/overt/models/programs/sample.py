"""One person's windows, and those of programs in their place: what a study's model learns from.

Everything here depends on one person's events and tag alone, so that leaving changes nothing of
anyone else's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from overt.datasets.split import seed_of, shard_of, split_of
from overt.models.programs.features import NAMES, row_of
from overt.models.programs.generators import MAKERS
from overt.models.programs.sessions import (
    Channel,
    Errands,
    channel_of,
    errands_of,
    performed,
)
from overt.models.programs.trace import Trace, cut, joined, trace_of
from overt.models.tensors import Array, sha256
from overt.schema.event import Kind, Pointer
from overt.schema.people import SubjectEvents

SAMPLE_ID = "programs/1"
"""Rule that makes windows, and programs in people's places, of events: `spec/programs.md`."""

SECONDS = (5.0, 15.0)
LEAST = 0.6
"""A last window counts from this share of its length: a short session still says something."""

INPUT_S_MAX = 300.0
PROGRAM_S = 15.0
"""Seconds of input of each kind of program beside one person."""

ERRANDS_MIN = 4

SCREEN = Channel(16.7, np.array([16.7]), 0.1)
"""A page sees pointer samples once a frame, where nothing of a person's own is known."""

_SEEN = (Kind.POINTER_MOVE, Kind.POINTER_DOWN, Kind.POINTER_UP)


@dataclass(frozen=True, eq=False)
class Sample:
    """Windows by who did it: 0 the person, from 1 on kinds of program in the order of `KINDS`."""

    tag: bytes = field(repr=False)
    origin: str
    split: str
    shard: int
    rows: Array = field(repr=False)
    kind: Array = field(repr=False)

    @property
    def size(self) -> int:
        """How many windows are the person's own."""
        return int((self.kind == 0).sum())


KINDS = tuple(kind for kind in MAKERS if kind != "noisy replay")
"""Programs that need nobody's recordings. A replay of a person's own strokes moves as the person
does; to find it takes more input than a page has, so a study's model does not claim to."""


def pointer_of(events: pa.Table) -> Trace:
    """Return the mouse's samples of one session (schema `EVENTS`), in CSS pixels and ms.

    A finger or pen is seen only while it touches, so it is another thing, and left out.
    """
    kind, pointer = (events.column(name).to_numpy() for name in ("kind", "pointer"))
    seen = np.isin(kind, [int(k) for k in _SEEN]) & (pointer == int(Pointer.MOUSE))
    t, x, y = (
        events.column(name).to_numpy()[seen] for name in ("t_us", "x_8th_css_px", "y_8th_css_px")
    )
    return trace_of(t / 1000, x / 8, y / 8)


def sample_of(person: SubjectEvents, shards: int) -> Sample:
    """Return one person's sample, with split and shard from the tag alone."""
    trace = joined([pointer_of(events) for events in person.sessions])
    return sampled(trace, person.tag, person.origin, shards)


def sampled(trace: Trace, tag: bytes, origin: str, shards: int) -> Sample:
    """Return the sample of a person of whom there is a trace of the pointer."""
    trace = (cut(trace, INPUT_S_MAX, least=0.0) or [trace])[0]
    rows, kinds = [], []
    for number, row in _windows(trace, seed_of(tag)):
        rows.append(row)
        kinds.append(number)
    return Sample(
        tag,
        origin,
        split_of(tag),
        shard_of(tag, shards),
        np.stack(rows) if rows else np.zeros((0, len(NAMES))),
        np.array(kinds, np.int8),
    )


def _windows(trace: Trace, seed: int) -> Iterator[tuple[int, Array]]:
    own = list(_pieces(trace))
    if not own:
        return
    yield from ((0, row_of(piece)) for piece in own)
    channel, errands = channel_of(trace) or SCREEN, errands_of(trace)
    if errands.dx_px.size < ERRANDS_MIN:
        errands = _made_up(np.random.Generator(np.random.PCG64([seed, 99])))
    for number, kind in enumerate(KINDS, 1):
        rng = np.random.Generator(np.random.PCG64([seed, number]))
        mover = MAKERS[kind](rng, ())
        done = performed(mover, errands, channel, rng, until_ms=PROGRAM_S * 1000)
        yield from ((number, row_of(piece)) for piece in _pieces(done))


def _pieces(trace: Trace) -> Iterator[Trace]:
    for seconds in SECONDS:
        yield from cut(trace, seconds, least=LEAST)


def _made_up(rng: np.random.Generator) -> Errands:
    """Return errands of nobody, for a person who went too few ways to be imitated."""
    far, turn = rng.uniform(60, 600, 12), rng.uniform(0, 2 * np.pi, 12)
    return Errands(far * np.cos(turn), far * np.sin(turn), rng.uniform(200, 1200, 12))


def in_training(sample: Sample) -> Sample:
    """Return the sample as one that is learned from, whatever its tag says."""
    return replace(sample, split="train")


def samples_hash(samples: list[Sample]) -> str:
    """Return the SHA-256 of the rows that are learned from, in the order of their tags."""
    ordered = sorted((s for s in samples if s.split == "train"), key=lambda s: s.tag)
    return sha256(
        {
            f"{number:06d}/{name}": array
            for number, one in enumerate(ordered)
            for name, array in (("rows", one.rows.astype("<f4")), ("kind", one.kind.astype("<i2")))
        }
    )
