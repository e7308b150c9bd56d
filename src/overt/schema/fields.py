"""What each field of an event says, of which kinds of event, in which unit and how exactly.

The one place of these facts: `spec/event.json`, the page `docs/reference/fields.md` and the export
that a person gets are written from it. A column is 0 in every kind that is not named here
(`strangers` finds where it is not), so that the purposes a field serves are those that need one of
its kinds, and no others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from overt.schema.alignment import TELLING
from overt.schema.coarse import GONE, TIMED
from overt.schema.event import MARKS, WIRE, Kind
from overt.schema.purpose import PURPOSES


@dataclass(frozen=True)
class Use:
    """What a column says in some kinds of event."""

    kinds: frozenset[Kind]
    says: str
    unit: str
    precision: str
    coarse: str = ""
    """What is left of it at `rhythm/1`; empty: as it is."""

    @property
    def purposes(self) -> tuple[str, ...]:
        """Purposes that need it, sorted; all of them if it only describes the recording."""
        return tuple(sorted(p for p in PURPOSES if PURPOSES[p].kinds & self.kinds or self.is_mark))

    @property
    def is_mark(self) -> bool:
        """Whether it describes the recording alone."""
        return self.kinds <= MARKS

    @property
    def left(self) -> str:
        """What is left of it at `rhythm/1`, in words."""
        if self.kinds <= set(GONE):
            return "does not exist"
        return self.coarse or "as it is"


def _use(
    kinds: frozenset[Kind] | Kind,
    says: str,
    unit: str,
    precision: str,
    coarse: str = "",
) -> Use:
    return Use(
        kinds if isinstance(kinds, frozenset) else frozenset({kinds}),
        *(says, unit, precision, coarse),
    )


_K = Kind
_ALL = frozenset(Kind)
_KEYS = frozenset({_K.KEY_DOWN, _K.KEY_UP})
_COMPOSING = frozenset({_K.COMPOSITION_START, _K.COMPOSITION_END})
_PRESSES = frozenset({_K.POINTER_DOWN, _K.POINTER_UP, _K.CLICK})
_PLACED = _PRESSES | {_K.POINTER_MOVE}
_ATTENTION = frozenset({_K.FOCUS, _K.BLUR})
_WINDOW = frozenset({_K.ELEMENT, _K.PICTURE})
_ELEMENT = (
    _KEYS
    | _COMPOSING
    | _PRESSES
    | _ATTENTION
    | {_K.EDIT, _K.COMMAND, _K.SELECTION, _K.WHEEL, _K.SCROLL, _K.HOVER}
)
_EXACT = "exact"
_POWER = "exact when typed; next power of two for paste, drop, cut, undo and redo"
_NONE = "always 0"

USES: dict[str, tuple[Use, ...]] = {
    "kind": (_use(_ALL, "what happened", "Kind", "closed set"),),
    "dseq": (
        _use(
            _ALL,
            "sequence number in the session minus that of the row before; 0 in the first row. More "
            "than 1 where events went to another stream or were removed by the person",
            "events",
            _EXACT,
        ),
    ),
    "dt_us": (
        _use(
            _ALL,
            "event time minus that of the row before; 0 in the first row. May be negative: rows "
            "are in order of dispatch, and coalesced pointer samples are older than theirs",
            "µs",
            "the step of the browser's clock, measured and stated in the header",
            f"whole seconds for {', '.join(kind.name.lower() for kind in TIMED)} and clicks by "
            "key; the rest as it is",
        ),
    ),
    "key_class": (
        _use(
            _KEYS | _COMPOSING,
            "class of the key",
            "KeyClass",
            "closed set; the same for all letters",
            "digits and punctuation are letters",
        ),
    ),
    "key_symbol": (
        _use(
            _KEYS,
            "level `keys` only, in fields the study lists: code point of the character, or "
            "SYMBOL_NAMED_BASE + class",
            "Unicode code point",
            "exact; 0 at level `rhythm`",
            _NONE,
        ),
    ),
    "slot": (
        _use(
            _KEYS,
            "from 1: lowest free number at key down, and at its key up. Pairs a release with its "
            "press without saying which key",
            "number",
            _EXACT,
            _NONE,
        ),
        _use(
            frozenset({_K.POINTER_MOVE, _K.POINTER_DOWN, _K.POINTER_UP, _K.HOVER}),
            "1: not the first finger",
            "yes or no",
            _EXACT,
            _NONE,
        ),
        _use(_K.VIEW, "on a desktop which display, from 1, the main one; else 0", "number", _EXACT),
    ),
    "modifiers": (_use(_KEYS, "modifiers, repeat, composing", "Modifier bits", _EXACT, _NONE),),
    "edit": (_use(_K.EDIT, "what an edit did", "Edit", "closed set"),),
    "edit_chars": (
        _use(_K.EDIT, "characters inserted or deleted", "characters", _POWER),
        _use(_K.SELECTION, "characters selected", "characters", "next power of two"),
        _use(
            _K.VIEW,
            "on a desktop the system's pointer speed: 1 less than its usual one, 2 that, 3 more, 0 "
            "not known",
            "choice",
            "closed set",
        ),
        _use(
            _K.ELEMENT,
            "number (as in `element`) of the element that it lies in; 0 for the window itself",
            "number",
            "exact; says nothing outside the session",
        ),
    ),
    "role": (
        _use(_ELEMENT | {_K.ELEMENT}, "role of the element", "Role", "closed set"),
        _use(
            _K.PICTURE,
            "PAGE on the rectangle that begins a picture and is the whole window; else 0",
            "Role",
            "closed set",
        ),
    ),
    "element": (
        _use(
            _ELEMENT | _WINDOW,
            "number of the element (of a picture: of its window) within the session in order of "
            "first contact, from 1",
            "number",
            "exact; says nothing outside the session",
        ),
    ),
    "button": (
        _use(
            _PRESSES,
            "button + 1 (1 left, 2 middle, 3 right); 0 on the up of a press that the browser took "
            "over",
            "number",
            _EXACT,
        ),
        _use(
            _K.POINTER_MOVE,
            "0 the device moved, 1 the browser drags something of the page and says now and then "
            "where it is, 2 the page has locked the pointer",
            "choice",
            _EXACT,
        ),
        _use(
            _K.VIEW,
            "on a desktop whether the system accelerates the pointer: 1 not, 2 it does, 0 not "
            "known",
            "choice",
            "closed set",
        ),
        _use(
            frozenset({_K.FOCUS, _K.HOVER}),
            "whether the element has an accessible name: 1 it has, 2 not, 0 was not asked; never "
            "the name",
            "choice",
            _EXACT,
        ),
    ),
    "pointer": (
        _use(
            _PLACED | {_K.HOVER},
            "pointing device; 0 on a click by key, and on moves that are not the device's own",
            "Pointer",
            "closed set",
        ),
    ),
    "dx_8th_css_px": (
        _use(
            _PLACED,
            "pointer x minus that of the row before; 0 if none",
            "CSS px",
            "1/8 CSS px",
        ),
        _use(
            _WINDOW,
            "left edge minus x of the row before, on the screen",
            "CSS px",
            "of elements 8 px; of pictures a square of 8 px or more",
        ),
        _use(
            _K.VIEW,
            "on a desktop the display's left edge minus x of the row before, among all displays",
            "CSS px",
            "64 CSS px",
        ),
    ),
    "dy_8th_css_px": (
        _use(
            _PLACED,
            "pointer y minus that of the row before; 0 if none",
            "CSS px",
            "1/8 CSS px",
        ),
        _use(
            _WINDOW,
            "upper edge minus y of the row before, on the screen",
            "CSS px",
            "of elements 8 px; of pictures a square of 8 px or more",
        ),
        _use(
            _K.VIEW,
            "on a desktop the display's upper edge minus y of the row before, among all displays",
            "CSS px",
            "64 CSS px",
        ),
    ),
    **{
        f"scroll_{axis}_css_px": (
            _use(_K.SCROLL, f"change of the scroller's offset, {way}", "CSS px", "1 CSS px"),
            _use(
                _K.WHEEL,
                f"turn of the wheel, {way}; a line is 16 px, a page the window's height",
                "CSS px",
                "1 CSS px",
            ),
            _use(
                _K.POINTER_MOVE,
                f"{side} of the contact of finger or pen; of a locked pointer how far it went, "
                f"{way}",
                "CSS px",
                "contact up to the next 8; distance 1 CSS px",
                _NONE,
            ),
            _use(
                _K.POINTER_DOWN,
                f"where in a target that can be aimed at, from its centre, {way}",
                f"share of its {side}",
                "1/16",
            ),
            _use(
                _K.VIEW,
                f"inner {side} of the window; on a desktop the display's {side}, in the unit of "
                "the pointer's places",
                "CSS px",
                "up to the next 64",
            ),
            _use(_K.SELECTION, f"on a desktop {caret}; else 0", "characters", "next power of two"),
            _use(
                _WINDOW,
                f"{side} of the element, or of a rectangle of the picture",
                "CSS px",
                "of elements 8 px; of pictures a square of 8 px or more",
            ),
            _use(TELLING, clock, "ms", "1 ms"),
        )
        for axis, way, side, clock, caret in (
            (
                "x",
                "across",
                "width",
                "how far the server's clock got ahead of this session's since the time origin",
                "how far the caret went; less than 0 is back",
            ),
            (
                *("y", "down", "height", "to within how much that is known; 0 it is not"),
                "where the caret is, by the characters before it",
            ),
        )
    },
    "value": (
        _use(
            _K.EDIT,
            "characters it took the place of",
            "characters",
            _POWER,
        ),
        _use(_K.POINTER_MOVE, "pressure of finger or pen", "share of full", "1/16", _NONE),
        _use(
            _K.POINTER_DOWN,
            "smaller side of a target that can be aimed at",
            "4 log2 of CSS px",
            "whole numbers, so a fifth of the side",
        ),
        _use(
            _K.CLICK,
            "count of clicks; 0 a long press of finger or pen, or a click by key",
            "clicks",
            _EXACT,
        ),
        _use(
            _K.WHEEL,
            "the browser counted in 0 pixels, 1 lines, 2 pages; 3 it was to zoom, in whichever",
            "choice",
            _EXACT,
        ),
        _use(
            _ATTENTION,
            "which of the study's fields (on a desktop: applications) got or lost the keyboard, "
            "from 1 to 50; 0 another, or none of them",
            "number",
            _EXACT,
        ),
        _use(_K.VISIBILITY, "1 shown, 2 hidden", "choice", _EXACT),
        _use(_K.SELECTION, "the caret went 1 back, 2 forward, 0 stayed", "choice", _EXACT),
        _use(_K.COMMAND, "which command", "Command", "closed set"),
        _use(
            _K.VIEW,
            "device pixels a CSS pixel; on a desktop how many times larger than usual programs are "
            "asked to draw, 0 if that is not told",
            "ratio",
            "1/4",
        ),
        _use(
            _K.NAVIGATION,
            "which of the study's paths, from 1 to 50; 0 another: a later one, or in recordings of "
            "the extension one that is not listed",
            "number",
            "exact; never an address",
        ),
        _use(
            _K.PAUSE,
            "reason: 1 person, 2 indicator, 3 gate, or a page off the list",
            "choice",
            _EXACT,
        ),
        _use(_K.TASK, "number of the task, as the page says", "number", _EXACT),
        _use(_K.CLOCK, "the wall clock jumped ahead; 0 back", "s", "1 s"),
        _use(_K.ELEMENT, "what the element is like at the moment", "State bits", _EXACT),
        _use(
            _K.PICTURE,
            "colour of a rectangle painted over those before; 0 masked",
            "red, green, blue, five bits each",
            "mean of a square of 8 px or more that is of one colour",
        ),
    ),
}
"""Wire column → what it says in which kinds."""


def _meaning(uses: tuple[Use, ...]) -> str:
    if len(uses) == 1:
        return f"{uses[0].says} ({uses[0].unit})"
    return "; ".join(f"{in_words(use.kinds)}: {use.says} ({use.unit})" for use in uses)


def in_words(kinds: frozenset[Kind]) -> str:
    """Return kinds as `key down, key up`, in the order of their numbers; `all` of them."""
    if kinds == _ALL:
        return "all"
    return ", ".join(kind.name.lower().replace("_", " ") for kind in sorted(kinds))


COLUMN_MEANING: dict[str, str] = {name: _meaning(uses) for name, uses in USES.items()}
"""Wire column → what it says, as one text."""


def strangers(rows: pa.RecordBatch) -> list[str]:
    """Return where live rows (schema `WIRE`) say more than `USES` has: `column in kind`.

    Positions and times are differences and so are looked at in no kind.
    """
    kind = rows.column("kind").to_numpy()
    found = []
    for name, uses in USES.items():
        if name.startswith("d") or name == "kind":
            continue
        used = [int(one) for use in uses for one in use.kinds]
        odd = kind[(rows.column(name).to_numpy() != 0) & ~np.isin(kind, used)]
        found += [f"{name} in {Kind(int(one)).name.lower()}" for one in np.unique(odd)]
    return found


def table() -> list[dict[str, Any]]:
    """Return one row for each use of each wire column, for the specification."""
    return [
        {
            "name": field.name,
            "of": in_words(use.kinds),
            "says": use.says,
            "unit": use.unit,
            "precision": use.precision,
            "at_rhythm_1": use.left,
            "purposes": list(use.purposes),
            "mark": use.is_mark,
        }
        for field in WIRE
        for use in USES[field.name]
    ]
