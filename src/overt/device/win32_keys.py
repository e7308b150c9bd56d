"""What the keys of Windows mean on the person's layout, without asking what any press writes.

`ToUnicode` would say it, and forgets a dead key of the program in front while it does. So the
layout is asked the other way round: for each character, with which key it is made (`VkKeyScanExW`),
and for each key, what it makes alone (`MapVirtualKeyExW`). Neither changes anything.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from overt.device.keyboard import Keymap, keysym_of

NAMED = {
    0x08: 0xFF08, 0x09: 0xFF09, 0x0D: 0xFF0D, 0x14: 0xFFE5, 0x1B: 0xFF1B, 0x20: 0x20, 0x2E: 0xFFFF,
    0x10: 0xFFE1, 0xA0: 0xFFE1, 0xA1: 0xFFE2, 0x11: 0xFFE3, 0xA2: 0xFFE3, 0xA3: 0xFFE4,
    0x12: 0xFFE9, 0xA4: 0xFFE9, 0xA5: 0xFFEA, 0x5B: 0xFFEB, 0x5C: 0xFFEC,
    0x21: 0xFF55, 0x22: 0xFF56, 0x23: 0xFF57, 0x24: 0xFF50,
    **{0x25 + k: 0xFF51 + k for k in range(4)},  # arrows, in the same order
    **{0x60 + k: 0xFFB0 + k for k in range(10)},  # keypad
    **{0x6A + k: 0xFFAA + k for k in range(6)},
    **{0x70 + k: 0xFFBE + k for k in range(24)},  # F1 and on
    0xE5: 0xFF20, 0xE7: 0,
}  # fmt: skip
"""Virtual key → keysym. Of `VK_PROCESSKEY` (an input method has it) it is that of Compose;
`VK_PACKET`, with which programs write characters, means no key."""

RIGHT_ALT, ALTGR = 0xA5, 0xFE03
DEAD, SURROGATE = 0x8000_0000, 0xD800
DEAD_KEY = 0xFE50
_SHIFT, _CONTROL_ALT = 1, 6
_POINTS = [*range(0x21, 0x590), *range(0x2010, 0x20D0)]
"""Latin, Greek, Cyrillic and Armenian letters and their punctuation, dashes, quotes, money."""


def keymap_of(key_of: Callable[[str], int], alone: Callable[[int], int]) -> Keymap:
    """Return the keymap of a layout.

    Args:
        key_of: character → `VkKeyScanExW`: virtual key, and in the byte above 1 for Shift, 6 for
            AltGr; negative where no key makes it.
        alone: virtual key → `MapVirtualKeyExW` to a character; the highest bit says it is dead.
    """
    keysyms = [[0] * 6 for _ in range(256)]
    has_altgr = False
    for point in _POINTS:
        if unicodedata.category(chr(point)) in ("Cn", "Cc"):
            continue
        found = key_of(chr(point))
        how, key = found >> 8 & 0xFF, found & 0xFF
        if found < 0 or how not in (0, _SHIFT, _CONTROL_ALT, _CONTROL_ALT | _SHIFT):
            continue
        has_altgr = has_altgr or how >= _CONTROL_ALT
        level = (how & _SHIFT) + (4 if how >= _CONTROL_ALT else 0)
        keysyms[key][level] = keysyms[key][level] or keysym_of(chr(point))
    for key in range(256):
        made = alone(key)
        if made & DEAD:
            keysyms[key][:2] = [DEAD_KEY, DEAD_KEY]
        elif 0x20 < made < SURROGATE and not keysyms[key][0]:
            keysyms[key][0] = keysym_of(chr(made).lower())
        if key in NAMED:
            keysyms[key] = [NAMED[key]] * 2
    if has_altgr:
        keysyms[RIGHT_ALT] = [ALTGR]
    return Keymap(0, keysyms)
