"""Slips and what was put in their place, mined from the edit stream of one session at level `keys`.

The text of each field is rebuilt from the keys and edits as far as it can be known: typing at the
end of what was typed. Whatever makes the caret or the text unknown (an arrow key, a click, a
selection, paste, undo, composition, a symbol that is not there, a gap in `seq`) ends what is
known of every field it may concern; nothing is mined across it. At level `rhythm` there are no
symbols, and nothing is mined. `spec/typos.md` says what a correction is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from overt.models.typos.own import Correction, Seen, Watch, is_word_letter
from overt.schema.event import SYMBOL_NAMED_BASE, Edit, KeyClass, Kind, Modifier

_MOVES = frozenset({KeyClass.ARROW, KeyClass.NAVIGATION})
_BREAKS = frozenset(
    {
        Kind.COMPOSITION_START,
        Kind.COMPOSITION_END,
        Kind.POINTER_DOWN,
        Kind.CLICK,
        Kind.SELECTION,
        Kind.SESSION_START,
        Kind.PAUSE,
        Kind.RESUME,
    }
)


@dataclass(frozen=True)
class Mined:
    """One correction, where it stood and when its keys went down."""

    correction: Correction
    left: str = field(repr=False)
    """What is known to have stood to the left of the word."""
    press_us: tuple[int, ...]
    """When the key of each letter of the slip went down; as many as the slip has letters."""


@dataclass
class Field:
    """What is known of one field: its last characters up to the caret, and when each was typed."""

    from_its_start: bool
    """Its text is known from the first character on."""
    watch: Watch = field(default_factory=Watch)
    press_us: list[int] = field(default_factory=list)
    slip_us: tuple[int, ...] = ()


@dataclass(frozen=True)
class Step:
    """Something that happened to one field: a change, that it was left, or that it was lost."""

    field: Field
    seen: Seen | None = None
    """What a change told."""
    left: bool = False


def mine(events: pa.Table, *, starts_empty: bool = True) -> Iterator[Mined]:
    """Yield the corrections in one session, in order of when each was done.

    Args:
        events: one session of schema `EVENTS`.
        starts_empty: fields are empty when they are first written in. If not, the first word of
            each, which may have begun before, is left out.
    """
    for step in follow(events, starts_empty=starts_empty):
        correction = step.field.watch.leave() if step.left else step.seen and step.seen.correction
        if correction:
            yield from _mined(step.field, correction)


def follow(events: pa.Table, *, starts_empty: bool = True) -> Iterator[Step]:
    """Yield what happened to each field of one session as long as its text is known."""
    names = ("seq", "t_us", "kind", "key_class", "key_symbol", "modifiers", "edit", "edit_chars")
    columns = [events.column(name).to_pylist() for name in (*names, "element")]
    fields: dict[int, Field] = {}
    typed: tuple[int, int] | None = None
    touched: set[int] = set()
    before: int | None = None
    for seq, t_us, kind, key_class, symbol, modifiers, edit, chars, element in zip(
        *columns, strict=True
    ):
        if (before is not None and seq != before + 1) or kind in _BREAKS:
            yield from _lost(fields)
            touched.add(element)
            starts_empty, typed = False, None
        before = seq
        if kind == Kind.KEY_DOWN:
            if key_class in _MOVES:
                yield from _lost(fields)
                starts_empty, typed = False, None
            elif _inserts(modifiers):
                typed = (symbol, t_us) if symbol else None
        elif kind == Kind.BLUR:
            left = fields.pop(element, None)
            touched.add(element)
            if left:
                yield Step(left, left=True)
        elif kind == Kind.EDIT:
            known = fields.get(element)
            if known is None:
                known = Field(from_its_start=starts_empty and element not in touched)
                fields[element] = known
                touched.add(element)
            seen = _edited(known, edit, chars, typed)
            typed = None
            if seen is None:
                yield Step(fields.pop(element))
            else:
                yield Step(known, seen)
    for known in fields.values():
        yield Step(known, left=True)


def _lost(fields: dict[int, Field]) -> Iterator[Step]:
    for known in fields.values():
        yield Step(known)
    fields.clear()


def _inserts(modifiers: int) -> bool:
    shortcut = modifiers & (Modifier.CONTROL | Modifier.META) and not modifiers & Modifier.ALT
    return not shortcut


def _edited(known: Field, edit: int, chars: int, typed: tuple[int, int] | None) -> Seen | None:
    """Do one edit; None if what stands in the field is not known after it."""
    text = known.watch.text
    if edit == Edit.INSERT_LINE:
        return _change(known, text + "\n", typed[1] if typed else 0)
    if edit == Edit.INSERT_TEXT:
        if typed is None or chars not in (0, 1) or not 0 < typed[0] < SYMBOL_NAMED_BASE:
            return None
        return _change(known, text + chr(typed[0]), typed[1])
    if edit in (Edit.DELETE_CHAR_FORWARD, Edit.DELETE_WORD_FORWARD):
        return Seen() if known.from_its_start else None
    if edit == Edit.DELETE_CHAR_BACKWARD:
        keep = len(text) - max(1, chars)
    elif edit == Edit.DELETE_WORD_BACKWARD:
        keep = len(text) - chars if chars else _word_start(text)
    else:
        return None
    if keep < 0:
        return Seen() if known.from_its_start and not text else None
    return _change(known, text[:keep], 0)


def _word_start(text: str) -> int:
    at = len(text.rstrip())
    if at and not is_word_letter(text[at - 1]):
        return at - 1
    while at and is_word_letter(text[at - 1]):
        at -= 1
    return at


def _change(known: Field, text: str, t_us: int) -> Seen:
    old, opened = list(known.press_us), known.watch.open
    seen = known.watch.change(text)
    known.press_us = [*old, t_us][: len(text)] if len(text) > len(old) else old[: len(text)]
    now = known.watch.open
    if now and now != opened:
        known.slip_us = tuple(old[now[0] : now[0] + len(now[1])])
    return seen


def _mined(known: Field, correction: Correction) -> Iterator[Mined]:
    """Yield the correction, unless its word may have begun before anything was known."""
    if correction.start == 0 and not known.from_its_start:
        return
    yield Mined(correction, known.watch.text[: correction.start], known.slip_us)
