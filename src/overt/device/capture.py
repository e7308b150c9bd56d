"""From what the server says to what may be kept: class at the hook, verdicts before and after.

Nothing here knows a character. A key exists only if, before and after it, the same allowed window
had the keyboard, no lock screen or password prompt was to be seen, no program held the keyboard,
and the field it went to has confirmed since that it was the one and takes plain text. The pointer
exists where it is over a visible window of an allowed application. All else was never created.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.device.carets import POSITION_MAX, SELECTED_MAX, Causes, about
from overt.device.elements import Numbers
from overt.device.facts import FACTS, NOTHING
from overt.device.fields import BUSY, LISTED, OUTSIDE, Field
from overt.device.keyboard import CHARACTERS, HELD, Slots, command_of, modifiers
from overt.device.letters import MOVED_S as LETTERS_MOVED_S
from overt.device.letters import Letters
from overt.device.pointing import Pointing
from overt.device.screen import Moment
from overt.device.seam import Sight, Source, Verdicts
from overt.device.stream import BUTTON_PRESS, KEY_PRESS, KEY_RELEASE, Heap, joined
from overt.device.targets import Under
from overt.schema.event import KeyClass, Kind, Modifier, Role

CONFIRM_AFTER_S = 0.08
MOVED_S, CONFIRM_AFTER_MOVE_S = 0.6, 0.7
"""Less than `MOVED_S` after something that may move the keyboard to another field (Tab, Enter, a
click, a shortcut) a key waits longer for its field to confirm: a busy program may not have moved it
yet. Both waits begin when the key went down or up, not when one looked."""

BUSY_S, AGAIN_S = 5.0, 0.2
"""So long a key waits for a program that does not answer, asked again so often. Whatever moved the
keyboard meanwhile will have been said by then, which makes a late confirmation no weaker."""

TICK_S, HURRIED_TICK_S = 0.1, 0.02
"""Between something that happens and the look at it: what happens meanwhile is judged together. The
shorter one where a key waits and a look too late would miss something (`Verdicts.hurries`)."""

LOOK_ANYWAY_S = 0.2
"""After so long, who has the keyboard is asked even where nothing happened.

Moves alone wait for that look, or for the next thing that happens: whether they may be kept is
judged by what lay there before and after them, and five judgements a second cost less than fifty.
"""

_MOVES_CARET = frozenset({KeyClass.ARROW, KeyClass.NAVIGATION})
_MOVES = frozenset({KeyClass.TAB, KeyClass.ENTER, KeyClass.ESCAPE, KeyClass.FUNCTION})


_WRITES = CHARACTERS - {KeyClass.COMPOSING, KeyClass.OTHER} | {
    KeyClass.ENTER,
    KeyClass.BACKSPACE,
    KeyClass.TAB,
}
_ALT, _CONTROL_OR_META = int(Modifier.ALT), int(Modifier.CONTROL | Modifier.META)
_NO_CHARACTER = _ALT | _CONTROL_OR_META


@dataclass
class _Waiting:
    """A key between its hook and the word of its field."""

    row: Any
    focus: int
    turn: int
    due_s: float
    done_s: float
    plain: bool
    command: int
    """What the shortcut asks for (`Command`), or 0."""
    class_due_s: float
    """When its field may confirm the class alone; earlier than `due_s` at level `keys`."""
    confirmed: Field | None = None
    """The field that did so, while which key it was waits still."""


class Capture:
    """Judges what a platform says, heap by heap. Times are µs since `origin_ms` of its clock."""

    def __init__(
        self,
        source: Source,
        sight: Sight,
        verdicts: Verdicts,
        origin_ms: int,
        *,
        letters: bool = False,
        told: Letters | None = None,
        under: Under | None = None,
        numbers: Numbers | None = None,
    ) -> None:
        """`letters`: also say which letter a key is, in `key_symbol`; for the coach alone.

        `told` tells it of the fields of level `keys`. `under` tells what lies under the pointer,
        where that can be told; `numbers` are those of the session's elements.
        """
        self._letters, self._told = letters, told or Letters()
        self._source, self._sight, self._verdicts = source, sight, verdicts
        self._origin_ms = origin_ms
        self._before = Moment()
        self._turn = 0
        self._grabbed = False
        self._causes = Causes()
        self._slots = Slots()
        self._waiting: deque[_Waiting] = deque()
        self._kept: set[int] = set()
        """Slots of keys that are down and whose press was kept."""
        self._ready = NOTHING
        self._heard = 0
        self._pointing = Pointing(source.notch_css_px, self.t_us, under, numbers or Numbers())
        self.changed = False
        """A window moved, came or went since whoever asks set this back."""
        self._moved_s = 0.0
        self._in = 0
        self._was_open = True
        self._looked_s = 0.0
        self._heap_s = (time.monotonic(), time.monotonic())
        """When the heap before this one was taken, and this one: all that is in it lies between."""
        self._looked_us = self._handed_us = 0
        self._lost = 0

    def rest(self) -> None:
        """Wait until something has happened, or a key may be settled, and a little longer."""
        first_s = self._waiting[0].due_s if self._waiting else float("inf")
        left_s = min(LOOK_ANYWAY_S, first_s - time.monotonic())
        self._source.wait(max(0.0, left_s))
        hurried = self._waiting and self._verdicts.hurries(self._before)
        time.sleep(HURRIED_TICK_S if hurried else TICK_S)

    def look(self, *, is_open: bool) -> Any:
        """Return `FACTS[n]`: what may be kept now, in order of time. Nothing, unless `is_open`."""
        looked_us = self.t_us(self._source.now_ms())
        self._heap_s = (self._heap_s[1], time.monotonic())
        heap = self._source.heap()
        self._looked_us = int(looked_us)  # what comes later is of a later heap
        first, self._heard = self._heard, self._heard + len(heap.events)
        goes_on, self._was_open = is_open and not self._was_open, is_open
        if goes_on:
            self._before = Moment()  # what this look hears came before one went on
        if is_open and not goes_on and len(heap.events):
            self._pointing.hear(heap.events, first)
        busy = not heap.moves_only or self._waiting or self._sight.poll()
        now_s = time.monotonic()
        if not busy and (now_s - self._looked_s < LOOK_ANYWAY_S or not is_open):
            return self._in_order([])  # nothing happened but moves: the last moment holds
        self._looked_s = now_s
        after, changed = self._sight.moment()
        before, self._before = self._before, after
        self.changed = self.changed or changed
        turn = self._verdicts.turn(after)
        same_field, self._turn = turn == self._turn, turn
        if heap.grabbed is not None:
            self._grabbed = heap.grabbed
        if not is_open:
            self._forget()
            self._verdicts.carets(Moment(), turn)
            return NOTHING
        if before.application or after.application:
            self._lost += heap.lost
        elsewhere = any(self._source.outermost(one) != before.focus for one in heap.asked)
        steady = not heap.focus and not elsewhere and before.focus == after.focus
        typing = (
            steady
            and not self._grabbed
            and not before.prompt
            and not after.prompt
            and before.application == after.application > 0
        )
        if _buttons(heap.events).any():  # wherever: it may move the keyboard elsewhere
            self._moved_s = time.monotonic()
        if steady:
            self._verdicts.typed(after, *self._typed(heap.events))
        now = self.now_us(), self._heard
        rows = self._switch(after)
        rows += self._pointing.judged(before, after, now, changed=changed)
        if typing and same_field:
            self._typing(heap, first, after, turn)
        elif not typing:
            self._slots.clear()
            rows += self._classes()
        rows += self._settled(after, turn)
        if typing and same_field:
            rows += self._selected(heap.events, after, turn)
        else:
            self._causes.forget()
            self._verdicts.carets(Moment(), turn)
        return self._in_order(rows)

    def _in_order(self, rows: list[Any]) -> Any:
        """Return rows in order of time, as far as no earlier key waits for its field."""
        parts = [part for part in (self._ready, *rows) if len(part)]
        if not parts:
            return NOTHING
        made = joined(parts, FACTS)
        made = made[np.lexsort((made["seq"], made["t_us"]))]
        until = len(made)
        for first in self._first_waiting():
            before = made["t_us"] < first["t_us"]
            before |= (made["t_us"] == first["t_us"]) & (made["seq"] < first["seq"])
            until = min(until, int(before.sum()))
        self._ready = made[until:]
        if until:
            self._handed_us = int(made["t_us"][until - 1])
        return made[:until]

    def _first_waiting(self) -> list[Any]:
        """Return the first key and the first press that wait."""
        press = self._pointing.first_waiting()
        key = [self._waiting[0].row[0]] if self._waiting else []
        return key if press is None else [*key, press]

    def lost(self) -> int:
        """Return how often input was lost that might have been kept, since the last call."""
        lost, self._lost = self._lost, 0
        return lost

    @property
    def moment(self) -> Moment:
        """What was there at the last look."""
        return self._before

    def leave(self) -> Any:
        """Return the last mark of the application that one was in, and forget all else."""
        rows = self._classes()
        after, changed = self._sight.moment()
        now = self.now_us(), self._heard
        rows += self._pointing.judged(self._before, after, now, changed=changed)
        rows += self._pointing.flush()
        rows = self._in_order([*rows, *self._switch(Moment())])
        self._forget()
        return rows

    def _forget(self) -> None:
        self._slots.clear()
        self._waiting.clear()
        self._pointing.forget()
        self._ready = NOTHING
        self._in = 0

    def now_us(self) -> int:
        """Return the time for a mark, µs since the origin: of the last look or event handed on.

        No event that comes after it is earlier.
        """
        return max(self._looked_us, self._handed_us)

    def t_us(self, time_ms: Any) -> Any:
        """Return a time of the display, ms, as µs since the origin."""
        return ((np.asarray(time_ms, np.int64) - self._origin_ms) & 0xFFFFFFFF) * 1000

    def _switch(self, after: Moment) -> list[Any]:
        """Mark where the keyboard goes to another application, by its number in the study."""
        if after.application == self._in:
            return []
        rows = np.zeros(2, FACTS)
        rows["t_us"], rows["seq"] = self.now_us(), self._heard
        rows["kind"] = (Kind.BLUR, Kind.FOCUS)
        rows["value"] = (self._in, after.application)
        rows["role"] = Role.PAGE
        self._in = after.application
        return [rows[rows["value"] > 0]]

    def _typed(self, events: Any) -> tuple[int, int]:
        """Return how many presses gave a character, and how many of them were Enter."""
        keymap = self._sight.keymap
        classes = [
            keymap.of(int(event["detail"]), int(event["state"]))
            for event in events[events["code"] == KEY_PRESS]
            if not modifiers(int(event["state"]), repeat=False) & _NO_CHARACTER
        ]
        return sum(one in _WRITES for one in classes), classes.count(KeyClass.ENTER)

    def _typing(self, heap: Heap, first: int, moment: Moment, turn: int) -> None:
        """Take the class of each key at once; the code goes no further than this loop."""
        keymap, events = self._sight.keymap, heap.events
        for k in np.flatnonzero(events["code"] <= KEY_RELEASE):
            event = events[k]
            code, state = int(event["detail"]), int(event["state"])
            if not heap.has_releases:
                self._slots.clear()  # else the next press would be a repeat
            if event["code"] == KEY_PRESS:
                held, repeat = self._slots.press(code, keymap.of(code, state))
                kind = Kind.KEY_DOWN
            else:
                found = self._slots.release(code)
                if found is None:
                    continue
                held, repeat, kind = found, False, Kind.KEY_UP
            row = np.zeros(1, FACTS)
            row["t_us"], row["seq"] = self.t_us(event["time_ms"]), first + k
            row["kind"], row["key_class"], row["slot"] = kind, held.key_class, held.slot
            if self._letters and kind == Kind.KEY_DOWN:
                row["key_symbol"] = keymap.letter(code, state)
            elif kind == Kind.KEY_DOWN and self._told.at(moment.application):
                row["key_symbol"] = self._told.symbol(
                    moment.application, keymap, code, state, held.key_class
                )
            bits = modifiers(state, repeat=repeat)
            row["modifiers"] = bits
            command = bits & _CONTROL_OR_META and not bits & _ALT
            plain = held.key_class not in CHARACTERS or (
                bool(command) and held.key_class != KeyClass.COMPOSING
            )
            done_s = self._done_s(event)
            moved_s = LETTERS_MOVED_S if self._told.at(moment.application) else MOVED_S
            recent = done_s - self._moved_s < moved_s
            late_s = moved_s + CONFIRM_AFTER_MOVE_S - MOVED_S
            wait_s = late_s if recent else CONFIRM_AFTER_S
            class_due_s = done_s + min(wait_s, CONFIRM_AFTER_MOVE_S)
            letter = keymap.letter(code, state) if command and kind == Kind.KEY_DOWN else 0
            asked = command_of(letter, bits, keymap.commands_by)
            self._waiting.append(
                _Waiting(
                    *(row, moment.focus, turn, done_s + wait_s, done_s, plain, asked),
                    class_due_s=class_due_s,
                )
            )
            if held.key_class in _MOVES or (bits & _NO_CHARACTER and held.key_class not in HELD):
                self._moved_s = time.monotonic()

    def _done_s(self, event: Any) -> float:
        """Return when an event happened, on this program's clock; never earlier than is sure."""
        ago_s = (self._looked_us - int(self.t_us(event["time_ms"]))) / 1e6
        before_s, taken_s = self._heap_s
        return min(taken_s, max(before_s, taken_s - ago_s))

    def _is_kept(self, row: Any, *, here: bool) -> bool:
        """Return whether a key is kept; `here`: its field takes it. A release only with its press.

        A key may go down in a field for passwords and up in the next one.
        """
        slot = int(row["slot"][0])
        if row["kind"][0] == Kind.KEY_UP:
            was_kept = slot in self._kept
            self._kept.discard(slot)
            return here and was_kept
        (self._kept.add if here else self._kept.discard)(slot)
        return here

    def _settled(self, moment: Moment, turn: int) -> list[Any]:
        """Return the keys whose field has confirmed; drop those whose field has not."""
        now_s = time.monotonic()
        if not self._waiting:
            return []
        early = [k for k in self._waiting if k.class_due_s <= now_s < k.due_s and not k.confirmed]
        if early:
            field = self._verdicts.confirmed(moment, turn)
            for key in early:
                if _takes(field, key, moment, turn):
                    key.confirmed = field
        if self._waiting[0].due_s > now_s:
            return []
        field = self._verdicts.confirmed(moment, turn)
        if field.verdict == BUSY and now_s < self._waiting[0].done_s + BUSY_S:
            self._waiting[0].due_s = time.monotonic() + AGAIN_S
            return []
        rows = []
        while self._waiting and self._waiting[0].due_s <= now_s:
            key = self._waiting.popleft()
            if _takes(field, key, moment, turn):
                rows += self._taken(key, field, moment.application)
            else:
                rows += self._taken(key, key.confirmed, 0)
        return rows

    def _classes(self) -> list[Any]:
        """Forget the keys that wait; return those of which only which they were was not settled."""
        rows = [row for key in self._waiting for row in self._taken(key, key.confirmed, 0)]
        self._waiting.clear()
        return rows

    def _taken(self, key: _Waiting, field: Field | None, application: int) -> list[Any]:
        """Return the rows of a key that its field takes; `application` 0: by its class alone."""
        if not self._is_kept(key.row, here=field is not None) or field is None:
            return []
        down = bool(key.row["kind"][0] == Kind.KEY_DOWN)
        key.row["role"] = field.role
        if not self._letters:
            symbol, slot = int(key.row["key_symbol"][0]), int(key.row["slot"][0])
            key.row["key_symbol"] = self._told.told(symbol, slot, application, field, down=down)
        if down:
            moves = key.row["key_class"][0] in _MOVES_CARET or bool(key.command)
            self._causes.did(int(key.row["t_us"][0]), moves=moves)
        is_command = key.command and field.commands and field.verdict == LISTED
        return [key.row, *([_commanded(key)] if is_command else [])]

    def _selected(self, events: Any, moment: Moment, turn: int) -> list[Any]:
        """Return where the caret went by keys that write nothing, and by clicks."""
        for event in events[_buttons(events)] if len(events) else ():
            self._causes.did(int(self.t_us(event["time_ms"])), moves=True)
        for one in self._verdicts.carets(moment, turn):
            self._causes.hear(int(self.t_us(one.time_ms)), one)
        if not self._causes.has_moves:
            return []
        until_us = int(self._waiting[0].row["t_us"][0]) if self._waiting else self._looked_us + 1
        moved = self._causes.moved(until_us)
        field = self._verdicts.confirmed(moment, turn) if moved else Field()
        if field.verdict != LISTED:
            return []
        rows = np.zeros(len(moved), FACTS)
        rows["kind"], rows["role"], rows["seq"] = Kind.SELECTION, field.role, self._heard
        rows["element"] = self._pointing.numbers.of(field.place)
        for row, (t_us, position, far) in zip(rows, moved, strict=True):
            row["t_us"] = max(t_us, self._handed_us)
            row["value"] = 0 if not far else 1 if far < 0 else 2
            row["scroll_x_css_px"] = about(far, POSITION_MAX)
            row["scroll_y_css_px"] = about(position, POSITION_MAX)
        rows["edit_chars"][-1] = about(self._verdicts.selected(field), SELECTED_MAX)
        return [rows]


def _takes(field: Field, key: _Waiting, moment: Moment, turn: int) -> bool:
    """Return whether a field that has just confirmed is the one a key went to, and takes it."""
    same = key.turn == turn and key.focus == moment.focus
    return same and (field.verdict == LISTED or (field.verdict == OUTSIDE and key.plain))


def _commanded(key: _Waiting) -> Any:
    row = np.zeros(1, FACTS)
    row["kind"], row["value"] = Kind.COMMAND, key.command
    for name in ("t_us", "seq", "role"):
        row[name] = key.row[name]
    return row


def _buttons(events: Any) -> Any:
    """Return bool[n]: a button went down or up; the wheel's are none."""
    button, number = events["code"] - BUTTON_PRESS, events["detail"]  # no wheel: 4 to 7
    return (button <= 1) & ((number < 4) | (number > 7))
