"""OWAMcap: input on a desktop as MCAP files of profile `owa`, one a session.

Topics, schemas and units are those of open-world-agents (github.com/open-world-agents, `owa-msgs`
0.6): `keyboard` with Windows' virtual key codes, `mouse` with pixels and steps of the wheel,
`window`. What is not known is said so, not made up:

- keys have the code of their class alone: space, Enter, Backspace and the like their own, and the
  rest a code that Windows leaves undefined (`UNDEFINED`), so that nobody takes a stand-in for a
  letter. With keys, letters, digits and signs as on a United States keyboard.
- titles of windows are not there. `hWnd` is the number of the study's application, if it has any.
- times are from the session's beginning; there is no screen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from overt.datasets.exports.leaving import (
    About,
    Columns,
    Counted,
    Leaving,
    character,
    in_time,
    notches,
    size_of,
)
from overt.datasets.exports.mcapfile import McapFile
from overt.schema.event import KeyClass, Kind

PROFILE = "owa"
LIKE = "mcap-owa-support 0.6.6; mcap 1.6.0"
"""Whose layout the file has: readers look for it at the beginning of `library`."""

NOTCH_PX = 100
TITLE = "redacted"

UNDEFINED = {
    KeyClass.LETTER: 0x3A,
    KeyClass.DIGIT: 0x3B,
    KeyClass.PUNCTUATION: 0x3C,
    KeyClass.FUNCTION: 0x3D,
    KeyClass.ARROW: 0x3E,
    KeyClass.NAVIGATION: 0x3F,
    KeyClass.OTHER: 0x40,
}
"""Codes that Windows leaves undefined, for classes whose key is not said."""

CODES = {
    **UNDEFINED,
    KeyClass.BACKSPACE: 0x08,
    KeyClass.TAB: 0x09,
    KeyClass.ENTER: 0x0D,
    KeyClass.SHIFT: 0x10,
    KeyClass.CONTROL: 0x11,
    KeyClass.ALT: 0x12,
    KeyClass.CAPS_LOCK: 0x14,
    KeyClass.ESCAPE: 0x1B,
    KeyClass.SPACE: 0x20,
    KeyClass.DELETE: 0x2E,
    KeyClass.META: 0x5B,
    KeyClass.COMPOSING: 0xE5,
}
_SIGNS = {
    **dict(zip(")!@#$%^&*(", range(0x30, 0x3A), strict=True)),
    **dict(zip(";=,-./`", range(0xBA, 0xC1), strict=True)),
    **dict(zip(":+<_>?~", range(0xBA, 0xC1), strict=True)),
    **dict(zip("[\\]'", range(0xDB, 0xDF), strict=True)),
    **dict(zip('{|}"', range(0xDB, 0xDF), strict=True)),
}
_BUTTONS = {1: "left", 2: "middle", 3: "right", 4: "x1", 5: "x2"}

_WHOLE: dict[str, Any] = {"type": "integer"}
_STAMP = ("timestamp", _WHOLE)


def _schema(title: str, needed: dict[str, Any], maybe: dict[str, Any]) -> bytes:
    def titled(name: str, kind: dict[str, Any]) -> dict[str, Any]:
        return {**kind, "title": name.replace("_", " ").title()}

    properties = {name: titled(name, kind) for name, kind in needed.items()}
    for name, kind in maybe.items():
        properties[name] = titled(name, {"anyOf": [kind, {"type": "null"}], "default": None})
    made = {"title": title, "type": "object", "additionalProperties": False}
    return json.dumps({**made, "properties": properties, "required": list(needed)}).encode()


SCHEMAS = {
    "keyboard": (
        "desktop/KeyboardEvent",
        _schema(
            "KeyboardEvent",
            {"event_type": {"enum": ["press", "release"], "type": "string"}, "vk": _WHOLE},
            dict([_STAMP]),
        ),
    ),
    "mouse": (
        "desktop/MouseEvent",
        _schema(
            "MouseEvent",
            {
                "event_type": {"enum": ["move", "click", "scroll"], "type": "string"},
                "x": _WHOLE,
                "y": _WHOLE,
            },
            {
                "button": {
                    "enum": ["unknown", "left", "middle", "right", "x1", "x2"],
                    "type": "string",
                },
                "pressed": {"type": "boolean"},
                "dx": _WHOLE,
                "dy": _WHOLE,
                **dict([_STAMP]),
            },
        ),
    ),
    "window": (
        "desktop/WindowInfo",
        _schema(
            "WindowInfo",
            {
                "title": {"type": "string"},
                "rect": {
                    "maxItems": 4,
                    "minItems": 4,
                    "prefixItems": [_WHOLE] * 4,
                    "type": "array",
                },
                "hWnd": _WHOLE,
            },
            {},
        ),
    ),
}
"""Topic → name and JSON schema of its messages."""


def write(folder: Path, about: About, people: Iterable[Leaving]) -> Counted:
    """Write one file a session, one folder a person."""
    found = [0, 0, 0]
    facts = {
        "study": about.study,
        "purpose": about.purpose,
        "transform": about.transform,
        "source": about.source,
        "licence": about.licence,
        "redacted": "titles" if about.with_keys else "titles, typed text, key codes",
        "synthetic": str(about.synthetic).lower(),
    }
    for person in people:
        place = folder / person.split / person.name
        place.mkdir(parents=True)
        for number, session in enumerate(person.sessions, 1):
            with (place / f"session-{number:03d}.mcap").open("wb") as file:
                made = McapFile(file, PROFILE, f"{LIKE}; overt {about.version}")
                made.metadata("overt", {**facts, "origin": person.origin})
                topics = {name: made.topic(name, *SCHEMAS[name]) for name in SCHEMAS}
                for topic, t_us, message in messages(in_time(session)):
                    made.message(topics[topic], t_us * 1000, json.dumps(message).encode())
                made.close()
            found = [found[0], found[1] + 1, found[2] + session.num_rows]
        found[0] += 1
    return Counted(found[0], found[1], found[2], found[1])


def code_of(key_class: int, symbol: int) -> int:
    """Return the virtual key code of a key, as far as it is known which it was.

    >>> code_of(KeyClass.LETTER, ord("a")), code_of(KeyClass.LETTER, 0), code_of(KeyClass.SPACE, 0)
    (65, 58, 32)
    """
    sign = character(symbol).upper()
    if sign in _SIGNS:
        return _SIGNS[sign]
    if len(sign) == 1 and sign.isascii() and sign.isalnum():
        return ord(sign)
    return CODES.get(KeyClass(key_class), UNDEFINED[KeyClass.OTHER])


def messages(column: Columns) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield topic, µs and message of what of one session OWAMcap has a word for."""
    width, height = size_of(column)
    right, up = notches(column, NOTCH_PX)
    window = {"title": TITLE, "rect": [0, 0, width, height], "hWnd": 0}
    yield "window", 0, window
    names = ("kind", "t_us", "key_class", "key_symbol", "button", "value", "slot")
    places = ("scroll_x_css_px", "scroll_y_css_px", "x_8th_css_px", "y_8th_css_px")
    rows = zip(*(column[n].tolist() for n in (*names, *places)), right, up, strict=True)
    for kind, t_us, key_class, symbol, button, value, slot, wide, high, x, y, dx, dy in rows:
        at = {"x": round(x / 8), "y": round(y / 8)}
        if kind in (Kind.KEY_DOWN, Kind.KEY_UP):
            done = "press" if kind == Kind.KEY_DOWN else "release"
            yield "keyboard", t_us, {"event_type": done, "vk": code_of(key_class, symbol)}
        elif kind == Kind.POINTER_MOVE:
            yield "mouse", t_us, {"event_type": "move", **at}
        elif kind in (Kind.POINTER_DOWN, Kind.POINTER_UP):
            which = {
                "button": _BUTTONS.get(button, "unknown"),
                "pressed": kind == Kind.POINTER_DOWN,
            }
            yield "mouse", t_us, {"event_type": "click", **at, **which}
        elif kind == Kind.WHEEL and (dx or dy):
            yield "mouse", t_us, {"event_type": "scroll", **at, "dx": int(dx), "dy": int(dy)}
        elif kind == Kind.VIEW and slot < 2 and [wide, high] != window["rect"][2:]:  # type: ignore[index]
            window = {**window, "rect": [0, 0, wide, high]}
            yield "window", t_us, window
        elif kind == Kind.FOCUS and value and value != window["hWnd"]:
            window = {**window, "hWnd": value}
            yield "window", t_us, window
