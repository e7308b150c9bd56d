"""What a session comes to as actions of PyAutoGUI: click, drag, scroll, write, press, hotkey."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from overt.datasets.exports.leaving import TYPING, Columns, character, notches
from overt.schema.event import Command, KeyClass, Kind, Modifier

HIDDEN = "•"
"""Stands for a character that is not said."""

DRAG_PX = 8
"""Farther between press and release is a drag."""

SCROLL_US = 500_000
"""Turns of the wheel that are nearer than this are one action."""

NOTCH_PX = 100

HOTKEYS: dict[int, tuple[str, ...]] = {
    Command.COPY: ("ctrl", "c"),
    Command.CUT: ("ctrl", "x"),
    Command.PASTE: ("ctrl", "v"),
    Command.UNDO: ("ctrl", "z"),
    Command.REDO: ("ctrl", "y"),
    Command.SELECT_ALL: ("ctrl", "a"),
    Command.FIND: ("ctrl", "f"),
    Command.SAVE: ("ctrl", "s"),
    Command.PRINT: ("ctrl", "p"),
    Command.RELOAD: ("f5",),
    Command.BOLD: ("ctrl", "b"),
    Command.ITALIC: ("ctrl", "i"),
    Command.UNDERLINE: ("ctrl", "u"),
}
"""Commands are known by what they ask for; these are the usual keys for it, not those pressed."""

PRESSED = {
    KeyClass.ENTER: "enter",
    KeyClass.BACKSPACE: "backspace",
    KeyClass.DELETE: "delete",
    KeyClass.TAB: "tab",
    KeyClass.ESCAPE: "esc",
}
"""Keys that are an action by themselves. Arrows and the like are not: which one it was is not known
at any level."""

_CLICKS = {(1, 1): "click", (1, 2): "doubleClick", (2, 1): "middleClick", (3, 1): "rightClick"}
_CALLED = {1: "left", 2: "middle", 3: "right"}
_TIMES = {1: "Single", 2: "Double", 3: "Triple"}


@dataclass(frozen=True)
class Act:
    """One action: PyAutoGUI's name for it, its arguments, when, and where if it has a place."""

    kind: str
    action: str
    """What OpenCUA's reduced events call it."""
    description: str
    start_us: int
    end_us: int
    args: Mapping[str, Any] = field(default_factory=dict)
    at_px: tuple[int, int] | None = None
    from_px: tuple[int, int] | None = None
    """Where a drag began."""
    turns: tuple[tuple[int, int], ...] = ()
    """Of the wheel, each to the right and up."""

    def reduced(self, number: int) -> dict[str, Any]:
        """Return it as a line of the reduced events."""
        line: dict[str, Any] = {
            "id": number,
            "action": self.action,
            "description": self.description,
            "time_stamp": self.start_us / 1e6,
            "start_time": self.start_us / 1e6,
            "end_time": self.end_us / 1e6,
            "target": None,
        }
        if self.at_px is not None:
            line["coordinate"] = {"x": self.at_px[0], "y": self.at_px[1]}
            if self.turns:
                line["trace"] = [
                    {**line["coordinate"], "dx": dx, "dy": dy} for dx, dy in self.turns
                ]
        return line


def acts(column: Columns) -> Iterator[Act]:
    """Yield the actions of one session in order; typing and turns of the wheel are joined."""
    held: Act | None = None
    for act in _single(column):
        joined = _joined(held, act) if held else None
        if joined is None and held is not None:
            yield held
        held = joined or act
    if held is not None:
        yield held


def _joined(one: Act, other: Act) -> Act | None:
    """Return two actions as one, or None if they are two."""
    if one.kind == other.kind == "write":
        message = one.args["message"] + other.args["message"]
        return replace(
            one,
            description=f"Type: {message}",
            end_us=other.end_us,
            args={"message": message},
        )
    near = other.start_us - one.end_us < SCROLL_US
    same = one.kind == other.kind and bool(one.turns)
    if same and near and (one.args["clicks"] > 0) == (other.args["clicks"] > 0):
        turns = (*one.turns, *other.turns)
        return _scrolled(one.kind, turns, one.start_us, other.end_us, one.at_px)
    again = {("click", "doubleClick"), ("doubleClick", "tripleClick")}
    if (one.kind, other.kind) in again:
        return replace(other, start_us=one.start_us)
    return None


def _scrolled(
    kind: str, turns: tuple[tuple[int, int], ...], start: int, end: int, at: tuple[int, int] | None
) -> Act:
    clicks = sum(up if kind == "scroll" else right for right, up in turns)
    sign = ("⬆️" if clicks > 0 else "⬇️") if kind == "scroll" else ("➡️" if clicks > 0 else "⬅️")
    said = f"Scroll {sign}×{abs(clicks)}"
    return Act(kind, "scroll", said, start, end, {"clicks": clicks}, at, turns=turns)


def _hotkey(keys: tuple[str, ...], t_us: int) -> Act:
    """Return keys pressed together, or one key that has a name (written between `$`)."""
    said = " + ".join(key if len(key) == 1 else f"${key}$" for key in keys)
    return Act("hotkey", "press", f"Press: {said}", t_us, t_us, {"keys": list(keys)})


def _single(column: Columns) -> Iterator[Act]:
    right, up = notches(column, NOTCH_PX)
    names = ("kind", "t_us", "key_class", "key_symbol", "modifiers", "button", "value")
    places = ("x_8th_css_px", "y_8th_css_px")
    down: tuple[int, int, int, int] | None = None
    last: tuple[int, int, int] = (0, 0, -(10**9))
    rows = zip(*(column[n].tolist() for n in (*names, *places)), right, up, strict=True)
    for kind, t_us, key_class, symbol, modifiers, button, value, x, y, dx, dy in rows:
        at = (round(x / 8), round(y / 8))
        if kind == Kind.KEY_DOWN:
            act = _key(t_us, KeyClass(key_class), symbol, modifiers)
            if act is not None:
                yield act
        elif kind == Kind.COMMAND and value in HOTKEYS:
            yield _hotkey(HOTKEYS[value], t_us)
        elif kind == Kind.POINTER_DOWN:
            down = (*at, t_us, button)
        elif kind == Kind.POINTER_UP and down is not None:
            times = last[1] % 3 + 1 if _again(last, down) else 1
            yield _pressed(down, at, t_us, times)
            last = (down[3], times, t_us) if _near(down, at) else (0, 0, -(10**9))
            down = None
        elif kind == Kind.WHEEL:
            for name, turn in (("scroll", (0, int(dy))), ("hscroll", (int(dx), 0))):
                if any(turn):
                    yield _scrolled(name, (turn,), t_us, t_us, at)


def _again(last: tuple[int, int, int], down: tuple[int, int, int, int]) -> bool:
    return last[0] == down[3] == 1 and down[2] - last[2] < SCROLL_US


def _near(down: tuple[int, int, int, int], at: tuple[int, int]) -> bool:
    return max(abs(at[0] - down[0]), abs(at[1] - down[1])) <= DRAG_PX


def _pressed(down: tuple[int, int, int, int], at: tuple[int, int], t_us: int, times: int) -> Act:
    x, y, start_us, button = down
    called = _CALLED.get(button, "left")
    if not _near(down, at):
        said = f"Drag from ({x}, {y}) to {at}"
        return Act("dragTo", "drag", said, start_us, t_us, {"button": called}, at, (x, y))
    kind = "tripleClick" if (button, times) == (1, 3) else _CLICKS.get((button, times), "click")
    said = f"{_TIMES[times]} {called} click ({x}, {y})"
    return Act(kind, "click", said, start_us, t_us, {}, (x, y))


def _key(t_us: int, key_class: KeyClass, symbol: int, modifiers: int) -> Act | None:
    """Return what a press of a key does; None for modifiers, shortcuts and unnamed keys."""
    if modifiers & (Modifier.CONTROL | Modifier.META) and not modifiers & Modifier.ALT:
        return None
    if key_class in TYPING:
        sign = " " if key_class is KeyClass.SPACE else character(symbol) or HIDDEN
        return Act("write", "type", f"Type: {sign}", t_us, t_us, {"message": sign})
    if key_class in PRESSED:
        return _hotkey((PRESSED[key_class],), t_us)
    return None
