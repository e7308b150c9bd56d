"""Events as tokens for the models of the next action. The rule is `spec/tokens.md`.

Everything here depends on the events so far and on nothing else, so the page, which sees one event
at a time, arrives at the same tokens as training, which sees whole sessions. The vocabulary is
fixed from the closed enums of `overt.schema.event`; nothing in it is fitted on anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from overt.datasets.split import shard_of, split_of
from overt.features.kernel import kernel
from overt.features.scrolling import SCROLL_GAP_US
from overt.schema.event import Edit, KeyClass, Kind, Modifier, Role
from overt.schema.people import SubjectEvents

TOKENS_ID = "tokens/1"
HELD_US_MAX = 2_000_000
"""A key down longer than this no longer counts as held: its release was probably lost."""

_KEYS = {key: f"key:{key.name.lower()}" for key in KeyClass if key}
_EDITS = {
    Edit.INSERT_PASTE: "edit:paste",
    Edit.INSERT_DROP: "edit:paste",
    Edit.INSERT_REPLACEMENT: "edit:replacement",
    Edit.DELETE_CUT: "edit:cut",
    Edit.UNDO: "edit:undo",
    Edit.REDO: "edit:redo",
}
_CLICKS = {
    Role.BUTTON: "click:button",
    Role.LINK: "click:link",
    Role.TEXT_FIELD: "click:field",
    Role.TEXT_AREA: "click:field",
    Role.EDITABLE: "click:field",
    Role.CHECKBOX: "click:choice",
    Role.RADIO: "click:choice",
    Role.SELECT: "click:select",
    Role.OPTION: "click:option",
    Role.MENU_ITEM: "click:option",
    Role.TARGET: "click:target",
}
_FIELDS = (Role.TEXT_FIELD, Role.TEXT_AREA, Role.EDITABLE)

VOCABULARY: tuple[str, ...] = (
    "start",
    *_KEYS.values(),
    *dict.fromkeys(_EDITS.values()),
    *dict.fromkeys(_CLICKS.values()),
    "click:other",
    "scroll:down",
    "scroll:up",
    "focus:field",
    "focus:other",
    "hidden",
    "shown",
)
"""Name of each token; its number is its place. `start` (0) opens every sequence."""

START = 0
_NUMBER = {name: number for number, name in enumerate(VOCABULARY)}
_SCROLL_DOWN, _SCROLL_UP = _NUMBER["scroll:down"], _NUMBER["scroll:up"]
_HIDDEN, _SHOWN = _NUMBER["hidden"], _NUMBER["shown"]


def _lookup(names: dict[Any, str], other: str = "") -> Any:
    made = np.full(128, _NUMBER[other] if other else -1, np.int16)
    for member, name in names.items():
        made[int(member)] = _NUMBER[name]
    return made


_OF_KEY = _lookup(_KEYS)
_OF_EDIT = _lookup(_EDITS)
_OF_CLICK = _lookup(_CLICKS, "click:other")
_OF_FOCUS = _lookup(dict.fromkeys(_FIELDS, "focus:field"), "focus:other")
_LOOKUPS = (_OF_KEY, _OF_EDIT, _OF_CLICK, _OF_FOCUS)
_DOWN, _UP, _EDIT, _CLICK = (int(k) for k in (Kind.KEY_DOWN, Kind.KEY_UP, Kind.EDIT, Kind.CLICK))
_WHEEL, _SCROLL, _FOCUS = int(Kind.WHEEL), int(Kind.SCROLL), int(Kind.FOCUS)
_VISIBILITY, _PAUSE, _RESUME = int(Kind.VISIBILITY), int(Kind.PAUSE), int(Kind.RESUME)
_REPEAT = int(Modifier.REPEAT)


@dataclass(frozen=True, slots=True, eq=False)
class TokenArrays:
    """One stretch of a session without a break in recording. All arrays have the same length n.

    The first token is always `start` with pause 0, hold -1, rollover 0.
    """

    token: Any
    """int16[n], index into `VOCABULARY`."""
    pause_us: Any
    """int64[n], µs since the token before (or since the stretch began), at least 0."""
    hold_us: Any
    """int64[n], hold of the key most recently released since the token before; -1 if none was."""
    rollover: Any
    """int8[n], 1 if the token is a key down while another key is held, else 0."""

    def __len__(self) -> int:
        return int(self.token.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """One person's sessions as tokens, with the part and shard that their tag alone decides."""

    tag: bytes = field(repr=False)
    origin: str
    split: str
    shard: int
    sessions: tuple[TokenArrays, ...] = field(repr=False)

    @property
    def tokens(self) -> int:
        """How many tokens there are over all sessions, `start` not counted."""
        return sum(len(arrays) - 1 for arrays in self.sessions)


@kernel
def _tokenise(
    kind: Any,
    t_us: Any,
    key_class: Any,
    slot: Any,
    modifiers: Any,
    edit: Any,
    role: Any,
    scroll_y: Any,
    value: Any,
    of_key: Any,
    of_edit: Any,
    of_click: Any,
    of_focus: Any,
) -> Any:
    n = kind.shape[0]
    token = np.empty(2 * n + 1, np.int16)
    pause = np.zeros(2 * n + 1, np.int64)
    hold = np.full(2 * n + 1, -1, np.int64)
    rollover = np.zeros(2 * n + 1, np.int8)
    pressed = np.full(128, -1, np.int64)
    made = 0
    open_stretch = False
    paused = False
    last: Any = np.int64(0)
    last_scroll: Any = np.int64(-1)
    released: Any = np.int64(-1)
    for i in range(n):
        now = t_us[i]
        if kind[i] == _PAUSE:
            paused = True
            continue
        if kind[i] == _RESUME:
            paused = False
            open_stretch = False
            continue
        if paused:
            continue
        if not open_stretch:
            token[made] = START
            made += 1
            open_stretch = True
            last = now
            last_scroll = -1
            released = -1
            pressed[:] = -1
        found = -1
        over = 0
        if kind[i] == _DOWN:
            if modifiers[i] & _REPEAT == 0:
                found = of_key[key_class[i]]
                for other in range(1, 128):
                    if (
                        other != slot[i]
                        and pressed[other] >= 0
                        and now - pressed[other] <= HELD_US_MAX
                    ):
                        over = 1
                        break
                if slot[i] > 0:
                    pressed[slot[i]] = now
        elif kind[i] == _UP:
            if slot[i] > 0 and pressed[slot[i]] >= 0:
                released = max(now - pressed[slot[i]], 0)
                pressed[slot[i]] = -1
        elif kind[i] == _EDIT:
            found = of_edit[edit[i]]
        elif kind[i] == _CLICK:
            found = of_click[role[i]]
        elif kind[i] == _WHEEL or kind[i] == _SCROLL:
            if last_scroll < 0 or now - last_scroll >= SCROLL_GAP_US:
                found = _SCROLL_UP if scroll_y[i] < 0 else _SCROLL_DOWN
            last_scroll = now
        elif kind[i] == _FOCUS:
            found = of_focus[role[i]]
        elif kind[i] == _VISIBILITY:
            found = _HIDDEN if value[i] == 2 else _SHOWN
        if found >= 0:
            token[made] = found
            pause[made] = max(now - last, 0)
            hold[made] = released
            rollover[made] = over
            made += 1
            last = max(now, last)
            released = -1
    return token[:made], pause[:made], hold[:made], rollover[:made]


COLUMNS = (
    "kind",
    "t_us",
    "key_class",
    "slot",
    "modifiers",
    "edit",
    "role",
    "scroll_y_css_px",
    "value",
)
"""Columns of `EVENTS` that tokens are made of."""


def tokens_of(events: pa.Table) -> tuple[TokenArrays, ...]:
    """Return the tokens of one session (schema `EVENTS`), one `TokenArrays` a stretch.

    A stretch ends where recording was paused. Stretches with no token but `start` are left out.

    >>> from overt.datasets import rows
    >>> session = rows.table(2, {"kind": [1, 1], "t_us": [5, 205], "key_class": [1, 4]})
    >>> [arrays.token.tolist() for arrays in tokens_of(session)]
    [[0, 1, 4]]
    """
    if events.num_rows == 0:
        return ()
    columns = [events.column(name).to_numpy() for name in COLUMNS]
    made = _tokenise(*[*columns, *_LOOKUPS])
    bounds = [*np.flatnonzero(made[0] == START).tolist(), made[0].shape[0]]
    return tuple(
        TokenArrays(*(array[start:end].copy() for array in made))
        for start, end in pairwise(bounds)
        if end - start > 1
    )


def sequences_of(person: SubjectEvents, shards: int) -> Sequences:
    """Return one person's token sequences with their split and shard (see `overt.datasets.split`).

    `shards` is the number of shards of the model to be trained, 1 … 256.
    """
    sessions = tuple(arrays for events in person.sessions for arrays in tokens_of(events))
    return Sequences(
        person.tag, person.origin, split_of(person.tag), shard_of(person.tag, shards), sessions
    )


def all_sequences(people: Iterable[SubjectEvents], shards: int) -> list[Sequences]:
    """Return everyone's sequences in the canonical order of training: by tag."""
    return sorted((sequences_of(p, shards) for p in people), key=lambda s: s.tag)
