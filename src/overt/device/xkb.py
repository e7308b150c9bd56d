"""A keymap as Wayland tells it, through the system's own libxkbcommon."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_uint32, c_void_p
from functools import lru_cache
from typing import Any

from overt.device.keyboard import Keymap, class_of
from overt.schema.errors import Missing

_TEXT_V1 = 1
_FIRST, _LAST = 8, 255
_LEVELS = 4
_VOID = 0xFFFFFF
"""The keysym VoidSymbol: of no known class."""


def keymap_of(text: str) -> Keymap:
    """Return what the keys of a keymap mean (`XKB_KEYMAP_FORMAT_TEXT_V1`).

    Which of several layouts is in use now, nobody tells. So a key that is of another class in
    another layout is of no known class.
    """
    xkb = _library()
    context = xkb.xkb_context_new(0)
    keymap = xkb.xkb_keymap_new_from_string(context, text.encode(), _TEXT_V1, 0)
    if not keymap:
        xkb.xkb_context_unref(context)
        raise Missing(
            "the keyboard's layout cannot be read", where="keyboard", do="Choose another layout."
        )
    try:
        codes = range(_FIRST, _LAST + 1)
        unsure = [code for code in codes if _differs(xkb, keymap, code)]
        made = Keymap(_FIRST, [_symbols(xkb, keymap, code) for code in codes], unsure=unsure)
    finally:
        xkb.xkb_keymap_unref(keymap)
        xkb.xkb_context_unref(context)
    if not made.has_letters:
        raise Missing(
            "the keyboard's layout is not known: none of its keys is a letter",
            where="keyboard",
            do="Choose a layout in the system's settings.",
        )
    return made


@lru_cache(maxsize=512)
def point_of(keysym: int) -> int:
    """Return the code point of a keysym, or 0: also where the library is not there."""
    try:
        return int(_library().xkb_keysym_to_utf32(keysym))
    except Missing:
        return 0


def _symbols(xkb: Any, keymap: Any, code: int) -> list[int]:
    """Return the symbols of a key as X lists them: two, two of a second layout, the third level."""
    layouts = xkb.xkb_keymap_num_layouts_for_key(keymap, code)
    levels = [_symbol(xkb, keymap, code, 0, level) for level in range(_LEVELS)]
    for layout in range(1, layouts):
        for level in range(_LEVELS):
            other = _symbol(xkb, keymap, code, layout, level)
            if class_of(other) != class_of(levels[level]):
                levels[level] = _VOID
    first, second, third, fourth = levels
    return [first, second, first, second, third, fourth]


def _differs(xkb: Any, keymap: Any, code: int) -> bool:
    """Return whether a key writes something else in another layout."""
    layouts = range(xkb.xkb_keymap_num_layouts_for_key(keymap, code))
    written = {
        tuple(_symbol(xkb, keymap, code, layout, level) for level in range(_LEVELS))
        for layout in layouts
    }
    return len(written) > 1


def _symbol(xkb: Any, keymap: Any, code: int, layout: int, level: int) -> int:
    found = POINTER(c_uint32)()
    count = xkb.xkb_keymap_key_get_syms_by_level(keymap, code, layout, level, byref(found))
    return int(found[0]) if count == 1 else 0


def _library() -> Any:
    try:
        xkb = ctypes.CDLL("libxkbcommon.so.0")
    except OSError as error:
        raise Missing(
            "libxkbcommon is not there, without which no layout is known",
            where="keyboard",
            do="apt-get install libxkbcommon0",
        ) from error
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "xkb_context_new": (c_void_p, [c_int]),
        "xkb_context_unref": (None, [c_void_p]),
        "xkb_keymap_new_from_string": (c_void_p, [c_void_p, c_char_p, c_int, c_int]),
        "xkb_keymap_unref": (None, [c_void_p]),
        "xkb_keysym_to_utf32": (c_uint32, [c_uint32]),
        "xkb_keymap_num_layouts_for_key": (c_uint32, [c_void_p, c_uint32]),
        "xkb_keymap_key_get_syms_by_level": (
            c_int,
            [c_void_p, c_uint32, c_uint32, c_uint32, POINTER(POINTER(c_uint32))],
        ),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(xkb, name)
        function.restype, function.argtypes = result, arguments
    return xkb
