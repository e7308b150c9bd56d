"""Texts of one session at level `keys`, rebuilt from its edit stream, with when each key went down.

Known is what `models.typos.mined` knows: typing at the end of what was typed. Where a text begins
with what may be the end of a word, that is left out. At level `rhythm` there are no symbols, and
nothing is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from overt.models.typos.mined import Field, follow
from overt.models.typos.own import is_word_letter


@dataclass(frozen=True)
class Run:
    """A text as it was left, or as far as it was known."""

    text: str = field(repr=False)
    press_us: tuple[int, ...] = field(repr=False)
    """Monotonic time of each character's key; 0 where none is known."""


def written(events: pa.Table, *, starts_empty: bool = True) -> Iterator[Run]:
    """Yield the texts in one session, each once, in the order in which they ended.

    Args:
        events: one session of schema `EVENTS`.
        starts_empty: fields are empty when they are first written in.
    """
    for step in follow(events, starts_empty=starts_empty):
        if step.left or step.seen is None:
            run = _run(step.field)
            if run.text.strip():
                yield run


def _run(known: Field) -> Run:
    text, start = known.watch.text, 0
    if not known.from_its_start:
        while start < len(text) and is_word_letter(text[start]):
            start += 1
    return Run(text[start:], tuple(known.press_us[start : len(text)]))
