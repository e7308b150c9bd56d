"""What the keys of macOS mean on the person's layout."""

from __future__ import annotations

from collections.abc import Callable

from overt.device.keyboard import Keymap, keysym_of
from overt.device.listeners import MAC_FIRST
from overt.schema.event import Modifier

NAMED = {
    0x24: 0xFF0D, 0x4C: 0xFF8D, 0x30: 0xFF09, 0x31: 0x20, 0x33: 0xFF08, 0x35: 0xFF1B, 0x39: 0xFFE5,
    0x37: 0xFFEB, 0x36: 0xFFEC, 0x38: 0xFFE1, 0x3C: 0xFFE2, 0x3A: 0xFE03, 0x3D: 0xFE03,
    0x3B: 0xFFE3, 0x3E: 0xFFE4, 0x75: 0xFFFF,
    0x7B: 0xFF51, 0x7C: 0xFF53, 0x7D: 0xFF54, 0x7E: 0xFF52,
    0x73: 0xFF50, 0x77: 0xFF57, 0x74: 0xFF55, 0x79: 0xFF56,
    0x41: 0xFFAE, 0x43: 0xFFAA, 0x45: 0xFFAB, 0x4B: 0xFFAF, 0x4E: 0xFFAD, 0x51: 0xFFAE,
    **{code: 0xFFB0 + k for k, code in enumerate((0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59))},
    0x5B: 0xFFB8, 0x5C: 0xFFB9,
    **{
        code: 0xFFBE + k
        for k, code in enumerate(
            (0x7A, 0x78, 0x63, 0x76, 0x60, 0x61, 0x62, 0x64, 0x65, 0x6D, 0x67, 0x6F)
        )
    },
}  # fmt: skip
"""Number of a key (`kVK_…`) → keysym. Option makes other characters, as AltGr does elsewhere."""

SHIFT_FLAG, OPTION_FLAG = 0x20000, 0x80000
DEAD_KEY = 0xFE50
_LEVELS = {0: 0, 1: SHIFT_FLAG, 4: OPTION_FLAG, 5: SHIFT_FLAG | OPTION_FLAG}


def keymap_of(written: Callable[[int, int], str]) -> Keymap:
    """Return the keymap of a layout.

    `written`: number of a key and flags → what it writes alone; a dead key nothing.
    """
    keysyms = [[0] * 6 for _ in range(MAC_FIRST + 0x80)]
    for code in range(0x80):
        row = keysyms[code + MAC_FIRST]
        if code in NAMED:
            row[:2] = [NAMED[code]] * 2
            continue
        for level, flags in _LEVELS.items():
            text = written(code, flags)
            if len(text) == 1 and text.isprintable():
                row[level] = keysym_of(text)
            elif not text and code in range(0x33):  # of the block of characters
                row[level] = DEAD_KEY
    return Keymap(0, keysyms, Modifier.META)
