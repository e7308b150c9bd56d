"""JavaScript key codes and recorded letters as key classes and symbols.

In published logs the letter is often empty, a control character or that of a neighbouring line
while the key code is right; so named keys, letters and digits follow the code, and the letter says
what the code cannot (case, accents, which sign a shifted key gave). Codes of signs without a letter
are read as on a United States keyboard.
"""

from __future__ import annotations

from typing import NamedTuple

from overt.schema.event import SYMBOL_NAMED_BASE, KeyClass

_NAMED = {
    8: KeyClass.BACKSPACE,
    9: KeyClass.TAB,
    13: KeyClass.ENTER,
    16: KeyClass.SHIFT,
    17: KeyClass.CONTROL,
    18: KeyClass.ALT,
    19: KeyClass.OTHER,
    20: KeyClass.CAPS_LOCK,
    27: KeyClass.ESCAPE,
    32: KeyClass.SPACE,
    **dict.fromkeys(range(33, 37), KeyClass.NAVIGATION),
    **dict.fromkeys(range(37, 41), KeyClass.ARROW),
    45: KeyClass.OTHER,
    46: KeyClass.DELETE,
    **dict.fromkeys((91, 92, 224), KeyClass.META),
    93: KeyClass.OTHER,
    **dict.fromkeys(range(112, 136), KeyClass.FUNCTION),
    **dict.fromkeys((144, 145), KeyClass.OTHER),
    225: KeyClass.ALT,
    229: KeyClass.COMPOSING,
}
_NAMES = {
    "BKSP": KeyClass.BACKSPACE,
    "BACKSPACE": KeyClass.BACKSPACE,
    "SHIFT": KeyClass.SHIFT,
    "CAPS_LOCK": KeyClass.CAPS_LOCK,
    "CTRL": KeyClass.CONTROL,
    "ALT": KeyClass.ALT,
    "TAB": KeyClass.TAB,
    "ENTER": KeyClass.ENTER,
    "DELETE": KeyClass.DELETE,
    "SPACE": KeyClass.SPACE,
    "ESC": KeyClass.ESCAPE,
    **dict.fromkeys(("ARW_LEFT", "ARW_RIGHT", "ARW_UP", "ARW_DOWN"), KeyClass.ARROW),
    **dict.fromkeys(("HOME", "END", "PG_UP", "PG_DOWN"), KeyClass.NAVIGATION),
}
_WORDS = {
    "space": " ",
    **dict(zip(("zero", "one", "two", "three", "four"), "01234", strict=True)),
    **dict(zip(("five", "six", "seven", "eight", "nine"), "56789", strict=True)),
    **dict.fromkeys(("period", "dot", "decimal", "point"), "."),
    **dict.fromkeys(("dash", "minus", "hyphen", "subtract"), "-"),
    **dict.fromkeys(("quote", "apostrophe"), "'"),
    **dict.fromkeys(("equal", "equals"), "="),
    **dict.fromkeys(("open_bracket", "left_bracket"), "["),
    **dict.fromkeys(("close_bracket", "right_bracket"), "]"),
    **dict.fromkeys(("back_quote", "backquote", "grave"), "`"),
    **dict.fromkeys(("plus", "add"), "+"),
    **dict.fromkeys(("asterisk", "star", "multiply"), "*"),
    **dict.fromkeys(("slash", "divide"), "/"),
    "comma": ",",
    "semicolon": ";",
    "colon": ":",
    "backslash": "\\",
    "underscore": "_",
}
_CALLED = {
    **dict.fromkeys(("backspace", "bksp", "back"), KeyClass.BACKSPACE),
    **dict.fromkeys(("delete", "del"), KeyClass.DELETE),
    **dict.fromkeys(("enter", "return"), KeyClass.ENTER),
    **dict.fromkeys(("esc", "escape"), KeyClass.ESCAPE),
    **dict.fromkeys(("caps_lock", "capslock", "caps"), KeyClass.CAPS_LOCK),
    **dict.fromkeys(("ctrl", "control"), KeyClass.CONTROL),
    **dict.fromkeys(("alt", "alt_gr", "altgraph", "option"), KeyClass.ALT),
    **dict.fromkeys(("meta", "cmd", "command", "windows", "win", "super", "os"), KeyClass.META),
    **dict.fromkeys(("left", "right", "up", "down"), KeyClass.ARROW),
    **dict.fromkeys(("arrowleft", "arrowright", "arrowup", "arrowdown"), KeyClass.ARROW),
    **dict.fromkeys(("home", "end", "page_up", "page_down"), KeyClass.NAVIGATION),
    **dict.fromkeys(("pageup", "pagedown", "pgup", "pgdn"), KeyClass.NAVIGATION),
    **dict.fromkeys(("dead", "process", "unidentified"), KeyClass.COMPOSING),
    **dict.fromkeys((f"f{number}" for number in range(1, 25)), KeyClass.FUNCTION),
    "tab": KeyClass.TAB,
    "shift": KeyClass.SHIFT,
}
_SIDES = ("_l", "_r", "_left", "_right")
_SIGNS = {
    **dict(zip(range(186, 193), ";=,-./`", strict=True)),
    **dict(zip(range(219, 223), "[\\]'", strict=True)),
    **dict(zip(range(106, 112), "*+,-./", strict=True)),
    59: ";",
    61: "=",
    163: "#",
    173: "-",
    226: "\\",
}
_INSERTING = {KeyClass.LETTER, KeyClass.DIGIT, KeyClass.PUNCTUATION, KeyClass.SPACE}


class Key(NamedTuple):
    """A key as events have it; `inserts` says whether it puts a character into a text field."""

    key_class: int
    symbol: int
    inserts: bool


def key_of(letter: str, code: int) -> Key:
    """Return the key for a recorded letter and JavaScript key code (0 if there is none).

    >>> key_of("", 69) == key_of("e", 69)
    True
    >>> KeyClass(key_of("%", 37).key_class).name
    'ARROW'
    """
    if len(letter) > 2 and letter[0] == letter[-1] == '"':
        letter = letter[1:-1].replace('""', '"')
    if code in _NAMED:
        return _named(_NAMED[code])
    if letter in _NAMES:
        return _named(_NAMES[letter])
    if len(letter) != 1 or not letter.isprintable():
        letter = ""
    elif letter.isspace():
        return _named(KeyClass.SPACE)
    if 65 <= code <= 90:
        own = chr(code).lower()
        foreign = letter.isalpha() and not letter.isascii()
        return _character(letter if letter.lower() == own or foreign else own)
    sign = _SIGNS.get(code, "")
    if 48 <= code <= 57:
        sign = chr(code)
    elif 96 <= code <= 105:
        sign = chr(code - 48)
    if letter and not (sign and letter.isascii() and letter.isalpha()):
        return _character(letter)
    return _character(sign) if sign else _named(KeyClass.OTHER)


def key_called(name: str) -> Key:
    """Return the key that a log calls `name`: a character, or a word such as `shift_r`.

    Capitals do not matter in words. What is not known is a key of class OTHER.

    >>> KeyClass(key_called("ctrl_l").key_class).name, chr(key_called("numpad_4").symbol)
    ('CONTROL', '4')
    """
    if len(name) == 1:
        return key_of(name, 0)
    word = name.strip().lower().removeprefix("key.").replace(" ", "_").replace("-", "_")
    for prefix in ("numpad_", "num_", "kp_"):
        word = word.removeprefix(prefix)
    if word not in _CALLED:
        for side in _SIDES:
            word = word.removesuffix(side)
    if word in _CALLED:
        return _named(_CALLED[word])
    word = _WORDS.get(word, word)
    return key_of(word, 0) if len(word) == 1 else _named(KeyClass.OTHER)


def _named(key_class: KeyClass) -> Key:
    symbol = ord(" ") if key_class is KeyClass.SPACE else SYMBOL_NAMED_BASE + int(key_class)
    return Key(int(key_class), symbol, key_class in _INSERTING)


def _character(character: str) -> Key:
    if character.isalpha():
        key_class = KeyClass.LETTER
    elif character.isdigit():
        key_class = KeyClass.DIGIT
    else:
        key_class = KeyClass.PUNCTUATION
    return Key(int(key_class), ord(character), inserts=True)
