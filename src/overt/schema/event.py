"""What an event is: kinds, classes, roles, and the Arrow schema that carries them.

One row is one event. All columns are signed integers without nulls; 0 means "does not apply"
in every column but the numeric ones, where it is a number. At detail level `rhythm` the column
`key_symbol` is 0 in every row.

`WIRE` is the schema on the wire and at rest: narrow and delta-encoded, so that folding leaves about
five bytes an event. `EVENTS` is the schema in memory: absolute times, positions and sequence
numbers. `overt.schema.batch` converts between them.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_ID = "event/1"


class Kind(IntEnum):
    """What happened."""

    KEY_DOWN = 1
    KEY_UP = 2
    EDIT = 3
    COMPOSITION_START = 4
    COMPOSITION_END = 5
    POINTER_MOVE = 6
    POINTER_DOWN = 7
    POINTER_UP = 8
    CLICK = 9
    WHEEL = 10
    SCROLL = 11
    FOCUS = 12
    BLUR = 13
    VISIBILITY = 14
    SELECTION = 15
    COMMAND = 16
    VIEW = 17
    HOVER = 18
    NAVIGATION = 19
    # Marks: they describe the recording, not the person, and belong to every purpose.
    SESSION_START = 20
    SESSION_END = 21
    PAUSE = 22
    RESUME = 23
    TASK = 24
    CLOCK = 25
    # A window of a desktop application, as it was before an action; each a consent of its own.
    ELEMENT = 26
    PICTURE = 27


MARKS = frozenset(
    {
        Kind.SESSION_START,
        Kind.SESSION_END,
        Kind.PAUSE,
        Kind.RESUME,
        Kind.TASK,
        Kind.CLOCK,
    }
)


class KeyClass(IntEnum):
    """Class of a key. At `rhythm` this is all that is known of which key it was."""

    NONE = 0
    LETTER = 1
    DIGIT = 2
    PUNCTUATION = 3
    SPACE = 4
    ENTER = 5
    BACKSPACE = 6
    DELETE = 7
    TAB = 8
    SHIFT = 9
    CONTROL = 10
    ALT = 11
    META = 12
    CAPS_LOCK = 13
    ARROW = 14
    NAVIGATION = 15
    """Home, End, Page Up, Page Down."""
    ESCAPE = 16
    FUNCTION = 17
    COMPOSING = 18
    """Dead keys, input methods and virtual keyboards that do not say which key (229)."""
    OTHER = 19


class Modifier(IntFlag):
    """State of the keyboard at a key event."""

    SHIFT = 1
    CONTROL = 2
    ALT = 4
    META = 8
    REPEAT = 16
    COMPOSING = 32


class Edit(IntEnum):
    """What an edit did, from `InputEvent.inputType` (W3C Input Events Level 2)."""

    NONE = 0
    INSERT_TEXT = 1
    INSERT_LINE = 2
    INSERT_COMPOSITION = 3
    INSERT_PASTE = 4
    INSERT_DROP = 5
    INSERT_REPLACEMENT = 6
    """Autocorrect or spell-check put another word there."""
    DELETE_CHAR_BACKWARD = 7
    DELETE_CHAR_FORWARD = 8
    DELETE_WORD_BACKWARD = 9
    DELETE_WORD_FORWARD = 10
    DELETE_LINE = 11
    DELETE_CUT = 12
    DELETE_OTHER = 13
    UNDO = 14
    REDO = 15
    FORMAT = 16
    OTHER = 17


class Command(IntEnum):
    """What a shortcut asks for, by its meaning on the person's layout, never as a character.

    Only what a page is told of reliably: a browser keeps new tab, close and the like to itself.
    Copy, cut and paste are those of the browser, by key or by menu; the rest are shortcuts.
    """

    COPY = 1
    CUT = 2
    PASTE = 3
    UNDO = 4
    REDO = 5
    SELECT_ALL = 6
    FIND = 7
    SAVE = 8
    PRINT = 9
    RELOAD = 10
    BOLD = 11
    ITALIC = 12
    UNDERLINE = 13


class Role(IntEnum):
    """Role of the element an event went to: an allow-list, everything else is OTHER."""

    NONE = 0
    BUTTON = 1
    LINK = 2
    TEXT_FIELD = 3
    TEXT_AREA = 4
    EDITABLE = 5
    CHECKBOX = 6
    RADIO = 7
    SELECT = 8
    OPTION = 9
    MENU_ITEM = 10
    SLIDER = 11
    TAB = 12
    IMAGE = 13
    HEADING = 14
    TEXT = 15
    TARGET = 16
    PAGE = 17
    OTHER = 18


class State(IntFlag):
    """What an element of a window is like at the moment."""

    FOCUSED = 1
    ENABLED = 2
    CHECKED = 4
    SELECTED = 8
    EXPANDED = 16
    PRESSED = 32
    EDITABLE = 64


class Pointer(IntEnum):
    """Pointing device."""

    NONE = 0
    MOUSE = 1
    TOUCH = 2
    PEN = 3


_ANY = 2**15 - 1
VALUE_MAX: dict[int, int] = {
    Kind.EDIT: 2**14,
    Kind.POINTER_MOVE: 16,
    Kind.POINTER_DOWN: 63,
    Kind.CLICK: _ANY,
    Kind.WHEEL: 3,
    Kind.FOCUS: 50,
    Kind.BLUR: 50,
    Kind.VISIBILITY: 2,
    Kind.SELECTION: 2,
    Kind.COMMAND: max(Command),
    Kind.VIEW: 40,
    Kind.NAVIGATION: 50,
    Kind.PAUSE: 3,
    Kind.TASK: _ANY,
    Kind.CLOCK: _ANY,
    Kind.ELEMENT: sum(State),
    Kind.PICTURE: _ANY,
}
"""Largest `value` of each kind, at least 0; 0 in kinds that are not here."""

SYMBOL_NAMED_BASE = 0x110000
"""`key_symbol` is a Unicode code point, or this base plus the `KeyClass` of a named key."""

DIFFERENCES = {
    "dseq": "seq",
    "dt_us": "t_us",
    "dx_8th_css_px": "x_8th_css_px",
    "dy_8th_css_px": "y_8th_css_px",
}
"""Column on the wire that holds differences → the column in memory that it runs up to."""

WIRE_BITS = {
    "kind": 8,
    "dseq": 16,
    "dt_us": 32,
    "key_class": 8,
    "key_symbol": 32,
    "slot": 8,
    "modifiers": 8,
    "edit": 8,
    "edit_chars": 16,
    "role": 8,
    "element": 16,
    "button": 8,
    "pointer": 8,
    "dx_8th_css_px": 16,
    "dy_8th_css_px": 16,
    "scroll_x_css_px": 32,
    "scroll_y_css_px": 32,
    "value": 16,
}
"""Columns on the wire in order, and their width. What each says: `overt.schema.fields`."""

EVENTS_BITS = {
    "seq": 64,
    "t_us": 64,
    **{name: bits for name, bits in WIRE_BITS.items() if name not in DIFFERENCES},
    "x_8th_css_px": 32,
    "y_8th_css_px": 32,
}
"""Columns in memory: `seq` in the session, `t_us` since the session's time origin."""

if TYPE_CHECKING:
    WIRE: pa.Schema
    """The wire schema."""
    EVENTS: pa.Schema
    """One session in memory."""
else:

    def __getattr__(name: str) -> pa.Schema:
        """Make the Arrow schemas when they are asked for: a computer that only writes has none."""
        if name not in ("WIRE", "EVENTS"):
            raise AttributeError(name)
        import pyarrow as pa

        made = {
            of: pa.schema(
                [pa.field(n, pa.type_for_alias(f"int{b}"), nullable=False) for n, b in bits]
            )
            for of, bits in (("WIRE", WIRE_BITS.items()), ("EVENTS", EVENTS_BITS.items()))
        }
        globals().update(made)
        return made[name]


EVENT_SETS: dict[str, type[IntEnum] | type[IntFlag]] = {
    "kind": Kind,
    "key_class": KeyClass,
    "edit": Edit,
    "role": Role,
    "pointer": Pointer,
}
"""Columns whose values come from a closed set; anything else is refused at the collector."""
