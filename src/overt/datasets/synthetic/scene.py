"""One synthetic session: typing, correcting, choosing, pointing, scrolling on an invented page.

Rows are made as a recorder on a device would see them, with a clock that shows 0.1 ms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from overt.datasets import rows
from overt.datasets.synthetic.hand import (
    ARROW_LEFT,
    BACKSPACE,
    CONTROL,
    ENTER,
    SHIFT,
    TAB,
    Habits,
)
from overt.datasets.synthetic.reach import Hand
from overt.schema.event import SYMBOL_NAMED_BASE, Edit, KeyClass, Kind, Modifier, Pointer, Role

CLOCK_STEP_US = 100
FRAMES_US = (16_667, 8_000, 6_944)
"""Pointer moves come once a frame, at 60, 125 or 144 Hz."""

JITTER_US = 400.0
"""Standard deviation of when in its frame a move is stamped."""

_TEXT = (
    "the of and to in a is that for it was on are as with they at be this from have or by one "
    "had not but what all were when we there can an your which their if do will each about how "
    "up out them then she many some so these would other into has more her two like him see "
    "time could no make than first been its who now people my made over did down only way find "
    "use may water long little very after words called just where most know get through back "
    "much before go good new write our used me man too any day same right look think also "
    "around another came come work three word must because does part even place well such here "
    "take why things help put years different away again off went old number great tell men say "
    "small every found still between name should home big give air line set own under read last "
    "never us left end along while might next sound below saw something thought both few those "
    "always looked show large often together asked house world going want school important "
    "until form food keep children feet land side without boy once river garden morning letter "
    "window bridge market summer winter kitchen paper quiet yellow "
)
_WORDS = _TEXT.split()
_WEIGHTS = 1 / (np.arange(len(_WORDS)) + 8.0)
_WEIGHTS /= _WEIGHTS.sum()
_NEIGHBOURS = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok",
    "o": "ipl", "p": "ol", "a": "qsz", "s": "adw", "d": "sfe", "f": "dgr", "g": "fht", "h": "gjy",
    "j": "hku", "k": "jli", "l": "ko", "z": "xa", "x": "zcs", "c": "xvd", "v": "cbf", "b": "vng",
    "n": "bmh", "m": "nj",
}  # fmt: skip
_NAMED = {
    SHIFT: KeyClass.SHIFT,
    CONTROL: KeyClass.CONTROL,
    BACKSPACE: KeyClass.BACKSPACE,
    ENTER: KeyClass.ENTER,
    TAB: KeyClass.TAB,
    ARROW_LEFT: KeyClass.ARROW,
}


def _class_and_symbol(key: str) -> tuple[int, int]:
    if key in _NAMED:
        return int(_NAMED[key]), SYMBOL_NAMED_BASE + int(_NAMED[key])
    if key == " ":
        return int(KeyClass.SPACE), ord(key)
    if key.isalpha():
        return int(KeyClass.LETTER), ord(key)
    return int(KeyClass.DIGIT if key.isdigit() else KeyClass.PUNCTUATION), ord(key)


def _sentence(rng: np.random.Generator) -> str:
    words = [str(w) for w in rng.choice(_WORDS, int(rng.integers(5, 13)), p=_WEIGHTS)]
    if len(words) > 8 and rng.random() < 0.5:
        words[4] += ","
    text = " ".join(words)
    return text[0].upper() + text[1:] + str(rng.choice([".", ".", ".", "?", "!"]))


class _Session:
    """The rows of one session while it is made, and where its hand is."""

    def __init__(self, habits: Habits, rng: np.random.Generator, *, pointer_moves: bool) -> None:
        self.habits, self.rng, self.pointer_moves = habits, rng, pointer_moves
        # Of its own, so that a study without moves has the same people otherwise.
        self.steady = rng.spawn(1)[0]
        self.hand = Hand.drawn(self.steady, habits.tremor_css_px)
        self.frame_us = int(self.steady.choice(FRAMES_US))
        self.now = 0.0
        self.before = ""
        self.released: dict[str, float] = {}
        self.presses = 0
        self.x, self.y = float(rng.uniform(200, 1200)), float(rng.uniform(150, 700))
        self.elements: dict[str, int] = {}
        self.records: list[dict[str, int]] = []
        self.moves: list[Any] = []

    def add(self, kind: Kind, at_us: float, **columns: int) -> None:
        columns["kind"], columns["t_us"] = int(kind), int(at_us)
        self.records.append(columns)

    def on(self, role: Role, name: str) -> dict[str, int]:
        return {
            "role": int(role),
            "element": self.elements.setdefault(name, len(self.elements) + 1),
        }

    def press(
        self, key: str, element: dict[str, int], *, shown: str = "", modifiers: int = 0
    ) -> None:
        """Press and release `key`; `shown` is the character that appears, if it is another."""
        at = self.now + self.habits.interval_us(self.before, key, self.rng)
        at = max(at, self.released.get(key, 0.0) + 12_000)
        hold = self.habits.hold_us(key, self.rng)
        self._key_rows(key, at, at + hold, element, shown or key, modifiers)
        self.now, self.before = at, key
        self.released[key] = at + hold

    def _key_rows(
        self, key: str, down: float, up: float, element: dict[str, int], shown: str, modifiers: int
    ) -> None:
        key_class, symbol = _class_and_symbol(shown)
        common = {
            "key_class": key_class,
            "key_symbol": symbol,
            "modifiers": modifiers,
            "press": self.presses,
            **element,
        }
        self.presses += 1
        self.add(Kind.KEY_DOWN, down, **common)
        self.add(Kind.KEY_UP, up, **common)
        if modifiers & Modifier.CONTROL or key in (SHIFT, CONTROL, TAB, ARROW_LEFT):
            return
        edit = {BACKSPACE: Edit.DELETE_CHAR_BACKWARD, ENTER: Edit.INSERT_LINE}.get(
            key, Edit.INSERT_TEXT
        )
        self.add(Kind.EDIT, down + 600, edit=int(edit), edit_chars=1, **element)

    def type(self, text: str, element: dict[str, int]) -> None:
        """Type `text` with slips that are noticed at once or a letter later, and corrected."""
        for place, character in enumerate(text):
            low = character.lower()
            if low in _NEIGHBOURS and self.rng.random() < self.habits.error_rate:
                self.press(str(self.rng.choice(list(_NEIGHBOURS[low]))), element)
                wrong = 1
                following = text[place + 1 : place + 2].lower()
                if following.isalpha() and self.rng.random() < self.habits.late_notice:
                    self.press(following, element)
                    wrong += 1
                self.now += self.habits.reading_us * 0.3 * float(self.rng.lognormal(0, 0.3))
                for _ in range(wrong):
                    self.press(BACKSPACE, element)
            if character.isupper() or character in "!?":
                self._shifted(low, character, element)
            else:
                self.press(character, element)

    def _shifted(self, key: str, shown: str, element: dict[str, int]) -> None:
        down = self.now + self.habits.interval_us(self.before, SHIFT, self.rng)
        down = max(down, self.released.get(SHIFT, 0.0) + 12_000)
        self.now, self.before = down, SHIFT
        self.press(key, element, shown=shown, modifiers=int(Modifier.SHIFT))
        up = self.now + 0.6 * self.habits.hold_us(SHIFT, self.rng)
        self._key_rows(SHIFT, down, up, element, SHIFT, 0)
        self.released[SHIFT] = up

    def pause(self, factor: float = 1.0) -> None:
        """Read, or think."""
        self.now += self.habits.reading_us * factor * float(self.rng.lognormal(0, 0.4))
        self.before = ""

    def point(self, x: float, y: float, width: float) -> None:
        """Move the pointer to (x, y), as long as Fitts' law says, the way a hand does."""
        rng = self.rng
        distance = float(np.hypot(x - self.x, y - self.y))
        bits = np.log2(distance / width + 1)
        took = (self.habits.pointer_a_us + self.habits.pointer_b_us * bits) * rng.lognormal(0, 0.15)
        x_end, y_end = x + rng.normal(0, width / 6), y + rng.normal(0, width / 6)
        if self.pointer_moves and distance > 1:
            self.moves.append(self._moves(x_end - self.x, y_end - self.y, float(took)))
        self.now += float(took)
        self.x, self.y = float(x_end), float(y_end)
        self.before = ""

    def _moves(self, dx: float, dy: float, took_us: float) -> Any:
        """Return rows t, x, y of a movement: once a frame, whole pixels, only where it moved."""
        t, x, y = self.hand.path(dx, dy, took_us / 1000, self.steady)
        at = np.arange(1, max(int(took_us / self.frame_us), 1) + 1) * self.frame_us / 1000
        at = at + self.steady.normal(0, JITTER_US / 1000, at.size).clip(-2, 2)
        seen = np.stack([np.interp(at, t, x) + self.x, np.interp(at, t, y) + self.y]).round()
        moved = np.append(True, (np.diff(seen) != 0).any(0))
        return np.concatenate([[self.now + at * 1000], seen])[:, moved]

    def click(self, role: Role, name: str, width: float = 60.0) -> None:
        """Point at an element and click it; the place follows from its name."""
        element = self.on(role, name)
        number = element["element"]
        self.point(150 + (number * 397) % 1000, 120 + (number * 211) % 600, width)
        self.now += 90_000 * float(self.rng.lognormal(0, 0.3))
        common = {
            "pointer": int(Pointer.MOUSE),
            "button": 1,
            "x_8th_css_px": int(self.x * 8),
            "y_8th_css_px": int(self.y * 8),
            **element,
        }
        self.add(Kind.POINTER_DOWN, self.now, **common)
        self.now += 85_000 * float(self.rng.lognormal(0, 0.25))
        self.add(Kind.POINTER_UP, self.now, **common)
        self.add(Kind.CLICK, self.now + 200, value=1, **common)
        self.now += 1_000

    def enter_field(self, role: Role, name: str) -> dict[str, int]:
        """Go to a field by mouse, or by Tab where that is this person's habit."""
        element = self.on(role, name)
        if self.records and self.rng.random() < self.habits.uses_tab:
            self.press(TAB, element)
            self.now += 1_500
        else:
            self.click(role, name)
        self.add(Kind.FOCUS, self.now, **element)
        return element

    def scroll(self, notches: int, *, up: bool = False) -> None:
        """Turn the wheel in one burst."""
        for _ in range(notches):
            self.now += 45_000 * float(self.rng.lognormal(0, 0.4))
            step = -100 if up else 100
            self.add(Kind.WHEEL, self.now, scroll_y_css_px=step, **self.on(Role.PAGE, "page"))
            self.add(
                Kind.SCROLL, self.now + 8_000, scroll_y_css_px=step, **self.on(Role.PAGE, "page")
            )
        self.before = ""

    def table(self) -> pa.Table:
        """Return everything in order of time as schema `EVENTS`."""
        needed = {"press", "t_us", "pointer", "x_8th_css_px", "y_8th_css_px"}
        names = sorted(needed.union(*self.records))
        moved = np.concatenate(self.moves, axis=1) if self.moves else np.zeros((3, 0))
        fill = {
            "kind": int(Kind.POINTER_MOVE),
            "pointer": int(Pointer.MOUSE),
            "press": -1,
            "role": int(Role.PAGE),
            "element": self.elements.get("page", 0),
        }
        columns = {
            name: np.concatenate(
                [
                    np.array(
                        [r.get(name, -1 if name == "press" else 0) for r in self.records], np.int64
                    ),
                    np.full(moved.shape[1], fill.get(name, 0), np.int64),
                ]
            )
            for name in names
        }
        moves = slice(len(self.records), None)
        columns["t_us"][moves] = moved[0]
        columns["x_8th_css_px"][moves] = moved[1] * 8
        columns["y_8th_css_px"][moves] = moved[2] * 8
        columns["t_us"] -= columns["t_us"] % CLOCK_STEP_US
        order = np.argsort(columns["t_us"], kind="stable")
        columns = {name: values[order] for name, values in columns.items()}
        count = order.size
        press = columns.pop("press")
        columns["slot"] = rows.slots_of(
            columns["kind"].astype(np.int8), np.zeros(count, np.int64), press, self.presses
        )
        columns["seq"] = np.arange(count)
        for axis in ("x_8th_css_px", "y_8th_css_px"):
            columns[axis] = _held(columns[axis], columns["pointer"] > 0)
        return rows.table(count, columns)


def _held(values: Any, known: Any) -> Any:
    """Return `values` where known, and the last known one elsewhere, so that deltas stay small."""
    last = np.maximum.accumulate(np.where(known, np.arange(values.size), -1))
    return np.where(last >= 0, values[np.maximum(last, 0)], 0)


def _copy_a_sentence(s: _Session) -> None:
    s.pause(1.5)
    element = s.enter_field(Role.TEXT_FIELD, "copy")
    s.type(_sentence(s.rng), element)
    if s.rng.random() < s.habits.uses_enter:
        s.press(ENTER, element)
    else:
        s.click(Role.BUTTON, "copy-next")


def _write_freely(s: _Session) -> None:
    element = s.enter_field(Role.TEXT_AREA, "free")
    for _ in range(int(s.rng.integers(1, 4))):
        s.pause(2.0)
        s.type(_sentence(s.rng) + " ", element)
    if s.rng.random() < 0.4:
        for key in "zz" if s.rng.random() < 0.5 else "z":
            s.press(CONTROL, element)
            s.press(key, element, modifiers=int(Modifier.CONTROL))
            s.add(Kind.EDIT, s.now + 700, edit=int(Edit.UNDO), edit_chars=1, **element)
    s.click(Role.BUTTON, "free-done")


def _choose(s: _Session) -> None:
    for level in range(int(s.rng.integers(2, 4))):
        s.pause(0.5)
        s.click(Role.SELECT, f"choice-{level}")
        s.click(Role.OPTION, f"choice-{level}-{int(s.rng.integers(0, 5))}", 40.0)
    s.click(Role.BUTTON, "choice-done")


def _fill_a_form(s: _Session) -> None:
    for name in ("name", "town", "number"):
        element = s.enter_field(Role.TEXT_FIELD, name)
        if name == "number":
            s.type("".join(str(d) for d in s.rng.integers(0, 10, 6)), element)
        else:
            s.type(str(s.rng.choice(_WORDS)).capitalize(), element)
    s.click(Role.CHECKBOX, "agree", 18.0)
    s.click(Role.BUTTON, "form-done")


def _hit_targets(s: _Session) -> None:
    for _ in range(int(s.rng.integers(5, 10))):
        s.click(Role.TARGET, f"target-{int(s.rng.integers(0, 12))}", float(s.rng.uniform(16, 64)))


def _read(s: _Session) -> None:
    for _ in range(int(s.rng.integers(3, 7))):
        s.scroll(int(s.rng.integers(2, 7)))
        s.pause(2.5)
    if s.rng.random() < 0.5:
        s.scroll(int(s.rng.integers(2, 5)), up=True)
        s.pause()


_TASKS = (_copy_a_sentence, _write_freely, _choose, _fill_a_form, _hit_targets, _read)
_TASK_ORDER = (1, 1, 1, 2, 3, 4, 5, 6)
"""Numbers of the tasks as a page would offer them; three sentences come first."""


def session(
    habits: Habits, rng: np.random.Generator, *, minutes: float, pointer_moves: bool
) -> pa.Table:
    """Return one session of about `minutes` minutes: schema `EVENTS`, at `raw/0`."""
    s = _Session(habits, rng, pointer_moves=pointer_moves)
    s.add(Kind.SESSION_START, 0)
    s.now = 400_000.0
    turn = 0
    while s.now < minutes * 60e6:
        number = _TASK_ORDER[turn % len(_TASK_ORDER)]
        s.add(Kind.TASK, s.now, value=number)
        _TASKS[number - 1](s)
        turn += 1
    s.add(Kind.SESSION_END, max(s.now, max(s.released.values(), default=0.0)) + 1_000)
    return s.table()
