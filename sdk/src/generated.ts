// Written by `python -m overt.schema.generate`. Do not edit.

export const SCHEMA_ID = "event/1";

export const Kind = {
  "KEY_DOWN": 1,
  "KEY_UP": 2,
  "EDIT": 3,
  "COMPOSITION_START": 4,
  "COMPOSITION_END": 5,
  "POINTER_MOVE": 6,
  "POINTER_DOWN": 7,
  "POINTER_UP": 8,
  "CLICK": 9,
  "WHEEL": 10,
  "SCROLL": 11,
  "FOCUS": 12,
  "BLUR": 13,
  "VISIBILITY": 14,
  "SELECTION": 15,
  "COMMAND": 16,
  "VIEW": 17,
  "HOVER": 18,
  "NAVIGATION": 19,
  "SESSION_START": 20,
  "SESSION_END": 21,
  "PAUSE": 22,
  "RESUME": 23,
  "TASK": 24,
  "CLOCK": 25,
  "ELEMENT": 26,
  "PICTURE": 27
} as const;

export const KeyClass = {
  "NONE": 0,
  "LETTER": 1,
  "DIGIT": 2,
  "PUNCTUATION": 3,
  "SPACE": 4,
  "ENTER": 5,
  "BACKSPACE": 6,
  "DELETE": 7,
  "TAB": 8,
  "SHIFT": 9,
  "CONTROL": 10,
  "ALT": 11,
  "META": 12,
  "CAPS_LOCK": 13,
  "ARROW": 14,
  "NAVIGATION": 15,
  "ESCAPE": 16,
  "FUNCTION": 17,
  "COMPOSING": 18,
  "OTHER": 19
} as const;

export const Edit = {
  "NONE": 0,
  "INSERT_TEXT": 1,
  "INSERT_LINE": 2,
  "INSERT_COMPOSITION": 3,
  "INSERT_PASTE": 4,
  "INSERT_DROP": 5,
  "INSERT_REPLACEMENT": 6,
  "DELETE_CHAR_BACKWARD": 7,
  "DELETE_CHAR_FORWARD": 8,
  "DELETE_WORD_BACKWARD": 9,
  "DELETE_WORD_FORWARD": 10,
  "DELETE_LINE": 11,
  "DELETE_CUT": 12,
  "DELETE_OTHER": 13,
  "UNDO": 14,
  "REDO": 15,
  "FORMAT": 16,
  "OTHER": 17
} as const;

export const Role = {
  "NONE": 0,
  "BUTTON": 1,
  "LINK": 2,
  "TEXT_FIELD": 3,
  "TEXT_AREA": 4,
  "EDITABLE": 5,
  "CHECKBOX": 6,
  "RADIO": 7,
  "SELECT": 8,
  "OPTION": 9,
  "MENU_ITEM": 10,
  "SLIDER": 11,
  "TAB": 12,
  "IMAGE": 13,
  "HEADING": 14,
  "TEXT": 15,
  "TARGET": 16,
  "PAGE": 17,
  "OTHER": 18
} as const;

export const Pointer = {"NONE": 0, "MOUSE": 1, "TOUCH": 2, "PEN": 3} as const;

export const Modifier = {"SHIFT": 1, "CONTROL": 2, "ALT": 4, "META": 8, "REPEAT": 16, "COMPOSING": 32} as const;

export const Command = {
  "COPY": 1,
  "CUT": 2,
  "PASTE": 3,
  "UNDO": 4,
  "REDO": 5,
  "SELECT_ALL": 6,
  "FIND": 7,
  "SAVE": 8,
  "PRINT": 9,
  "RELOAD": 10,
  "BOLD": 11,
  "ITALIC": 12,
  "UNDERLINE": 13
} as const;

export const State = {
  "FOCUSED": 1,
  "ENABLED": 2,
  "CHECKED": 4,
  "SELECTED": 8,
  "EXPANDED": 16,
  "PRESSED": 32,
  "EDITABLE": 64
} as const;

export const SYMBOL_NAMED_BASE = 1114112;

/** Kinds that each purpose needs. */
export const PURPOSES: Readonly<Record<string, readonly number[]>> = {
  "next-action": [
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    15,
    16,
    17,
    18,
    19
  ],
  "typing-assist": [
    1,
    2,
    3,
    4,
    5,
    12,
    13,
    15,
    16
  ],
  "person-or-program": [
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    14,
    17,
    18
  ],
  "text-assist": [
    1,
    2,
    3,
    4,
    5,
    12,
    13,
    15,
    16
  ],
  "screen-elements": [
    26
  ],
  "screen-pictures": [
    27
  ]
};

/** The same, and the marks of a recording, which serve all: a bit each. */
export const NEEDED: Readonly<Record<string, number>> = {
  "next-action": 67108798,
  "typing-assist": 66170942,
  "person-or-program": 66473982,
  "text-assist": 66170942,
  "screen-elements": 133169152,
  "screen-pictures": 200278016
};

/** Columns of the wire schema in order, and their width in bytes. */
export const WIRE = [
  ["kind", 1],
  ["dseq", 2],
  ["dt_us", 4],
  ["key_class", 1],
  ["key_symbol", 4],
  ["slot", 1],
  ["modifiers", 1],
  ["edit", 1],
  ["edit_chars", 2],
  ["role", 1],
  ["element", 2],
  ["button", 1],
  ["pointer", 1],
  ["dx_8th_css_px", 2],
  ["dy_8th_css_px", 2],
  ["scroll_x_css_px", 4],
  ["scroll_y_css_px", 4],
  ["value", 2],
] as const;

export const BATCH_ROWS_MAX = 4096;

export const DT_US_MIN = -60000000;

export const DT_US_MAX = 2147483647;

export const POSITION_8TH_MAX = 32767;

/** Metadata of the Arrow message, base64, and where its 64-bit integers are. */
export const MESSAGE = "/////7gDAAAUAAAAAAAAAAwAFgAGAAUACAAMAAwAAAAAAwQAGAAAAAAAAAAAAAAAAAAKABgADAAEAAgACgAAAFwCAAAQAAAAAAAAAAAAAAAAAAAAJAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAASAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

export const MESSAGE_AT = {"body_length_at": 40, "rows_at": 72, "nodes_at": 672, "buffers_at": 88} as const;
