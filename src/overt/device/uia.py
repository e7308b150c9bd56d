"""The element that has the keyboard on Windows, by UI Automation. Written from its documentation.

This has never been run: no machine with Windows was at hand. Interfaces of COM are tables of
functions; their places are those of `UIAutomationClient.h`. Properties are read by number and come
with their kind, so a wrong place or number gives no answer rather than a wrong one, and what gives
none is suppressed.
"""

from __future__ import annotations

import ctypes
import uuid
from typing import Any

from overt.device.asked_fields import (
    UIA_CLASS,
    UIA_FOCUS,
    UIA_PASSWORD,
    UIA_PROCESS,
    UIA_TYPE,
    Asked,
    of_automation,
)

_CLASS = uuid.UUID("ff48dba4-60ef-4201-aa87-54103eef594e").bytes_le
_INTERFACE = uuid.UUID("30cbe57d-d9d0-452a-ab13-7ac5ac4825ee").bytes_le
"""CUIAutomation and IUIAutomation."""

_RELEASE, _FOCUSED, _RUNTIME_ID, _PROPERTY = 2, 8, 4, 10
"""Places of Release, IUIAutomation.GetFocusedElement, IUIAutomationElement.GetRuntimeId and
GetCurrentPropertyValue."""

_INPROC, _ANY_THREAD = 1, 0
_NUMBER, _TEXT, _BOOL = 3, 8, 11
"""VT_I4, VT_BSTR, VT_BOOL."""

_PARTS_MAX = 64


class Variant(ctypes.Structure):
    """A VARIANT."""

    _fields_ = (
        ("kind", ctypes.c_ushort),
        ("reserved", ctypes.c_ushort * 3),
        ("value", ctypes.c_longlong),
        ("more", ctypes.c_void_p),
    )


def value_of(variant: Variant) -> Any:
    """Return what a VARIANT holds, if it is a number, a truth or a text; else None."""
    if variant.kind == _NUMBER:
        return ctypes.c_int32(variant.value & 0xFFFFFFFF).value
    if variant.kind == _BOOL:
        return bool(variant.value & 0xFFFF)
    if variant.kind == _TEXT:
        return ctypes.wstring_at(variant.value) if variant.value else ""
    return None


class Automation:
    """UI Automation, for the thread that makes it."""

    def __init__(self) -> None:
        loaded: Any = ctypes
        self._prototype = loaded.WINFUNCTYPE
        self._variants = loaded.WinDLL("oleaut32")
        ole = loaded.WinDLL("ole32")
        ole.CoInitializeEx(None, _ANY_THREAD)
        self._it = ctypes.c_void_p()
        made = ole.CoCreateInstance(_CLASS, None, _INPROC, _INTERFACE, ctypes.byref(self._it))
        if made < 0 or not self._it:
            raise OSError(made, "UI Automation cannot be had")

    def focused(self) -> Asked | None:
        """Return what has the keyboard; None where it is not told, or not whole."""
        element = ctypes.c_void_p()
        self._call(self._it, _FOCUSED, ctypes.byref(element))
        if not element:
            return None
        try:
            read = (UIA_PROCESS, UIA_TYPE, UIA_FOCUS, UIA_CLASS, UIA_PASSWORD)
            return of_automation(
                {one: self._property(element, one) for one in read}, self._place(element)
            )
        finally:
            self._call(element, _RELEASE)

    def _call(self, it: Any, place: int, *arguments: Any) -> int:
        """Call a function of an interface; raises `OSError` where it says that it failed."""
        table = ctypes.cast(it, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))).contents
        kinds = [ctypes.c_int if isinstance(one, int) else ctypes.c_void_p for one in arguments]
        function = self._prototype(ctypes.c_long, ctypes.c_void_p, *kinds)(table[place])
        said = int(function(it, *arguments))
        if said < 0:
            raise OSError(said, "UI Automation gave no answer")
        return said

    def _property(self, element: Any, number: int) -> Any:
        variant = Variant()
        self._call(element, _PROPERTY, number, ctypes.byref(variant))
        try:
            return value_of(variant)
        finally:
            self._variants.VariantClear(ctypes.byref(variant))

    def _place(self, element: Any) -> tuple[int, ...] | None:
        """Return the id that tells an element from others while it is there."""
        array = ctypes.c_void_p()
        self._call(element, _RUNTIME_ID, ctypes.byref(array))
        if not array:
            return None
        try:
            last, parts = ctypes.c_long(), []
            if self._variants.SafeArrayGetUBound(array, 1, ctypes.byref(last)) < 0:
                return None
            for at in range(min(last.value + 1, _PARTS_MAX)):
                part, where = ctypes.c_int32(), ctypes.c_long(at)
                got = self._variants.SafeArrayGetElement(
                    array, ctypes.byref(where), ctypes.byref(part)
                )
                if got < 0:
                    return None
                parts.append(part.value)
            return tuple(parts) or None
        finally:
            self._variants.SafeArrayDestroy(array)
