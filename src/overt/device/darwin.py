"""What macOS says of its windows, through pyobjc, which pynput brings along. From documentation.

This has never been run: no Mac was at hand. `overt record` says so. Titles of windows are part of
the list that Quartz gives only with leave to record the screen; that is neither asked for nor read.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from overt.device.asked_fields import Asked, of_accessibility
from overt.device.darwin_keys import keymap_of
from overt.device.displays import DISPLAYS_MAX, Display, Setting
from overt.device.keyboard import Keymap
from overt.device.seam import Window
from overt.schema.errors import Missing

_CARBON = "/System/Library/Frameworks/Carbon.framework/Carbon"
_ON_SCREEN, _NO_DESKTOP, _ALL = 1, 16, 0
_NORMAL_LAYER = 0
_HAS_NONE = (-25205, -25212)
"""kAXErrorAttributeUnsupported and kAXErrorNoValue: an element without a subrole."""

_TOLD_APART = (0x00, 0x06, 0x0C, 0x0D, 0x10, 0x12, 0x1B, 0x21, 0x27, 0x29, 0x2B, 0x2C)
"""Numbers of keys by which layouts differ: of a, z, q, w, y, 1, -, [, ', ;, comma and /."""


class Mac:
    """`hooks.System` of macOS."""

    def __init__(self) -> None:
        self._quartz: Any = import_module("Quartz")
        self._appkit: Any = import_module("AppKit")
        self._services: Any = import_module("HIServices")
        self._secure: Any = ctypes.CDLL(_CARBON).IsSecureEventInputEnabled
        self._secure.restype = ctypes.c_bool

    def windows(self) -> Sequence[Window]:
        """Return the windows on the screen, lowest first (Quartz lists them from the front)."""
        listed = self._quartz.CGWindowListCopyWindowInfo(_ON_SCREEN | _NO_DESKTOP, _ALL) or []
        found = []
        for one in listed:
            box = one["kCGWindowBounds"]
            sides = (int(box[name]) for name in ("X", "Y", "Width", "Height"))
            x, y, wide, high = sides
            drawn = float(one.get("kCGWindowAlpha", 1)) > 0
            pid = int(one["kCGWindowOwnerPID"])
            found.append(Window(int(one["kCGWindowNumber"]), x, y, wide, high, pid, drawn=drawn))
        return found[::-1]

    def foreground(self) -> int:
        """Return the topmost ordinary window of the application in front, or 0."""
        front = self._appkit.NSWorkspace.sharedWorkspace().frontmostApplication()
        if front is None:
            return 0
        listed = self._quartz.CGWindowListCopyWindowInfo(_ON_SCREEN | _NO_DESKTOP, _ALL) or []
        pid = front.processIdentifier()
        mine = (
            int(one["kCGWindowNumber"])
            for one in listed
            if one["kCGWindowOwnerPID"] == pid and one["kCGWindowLayer"] == _NORMAL_LAYER
        )
        return next(mine, 0)

    def program(self, pid: int) -> Path | None:
        """Return the bundle identifier of a process, such as `com.apple.TextEdit`."""
        running = self._appkit.NSRunningApplication
        found = running.runningApplicationWithProcessIdentifier_(pid)
        name = None if found is None else found.bundleIdentifier()
        return Path(str(name)) if name else None

    def field(self) -> Asked | None:
        """Return what the accessibility interface says has the keyboard."""
        services = self._services
        error, element = services.AXUIElementCopyAttributeValue(
            services.AXUIElementCreateSystemWide(), "AXFocusedUIElement", None
        )
        if error or element is None:
            return None
        _, role = services.AXUIElementCopyAttributeValue(element, "AXRole", None)
        no_subrole, subrole = services.AXUIElementCopyAttributeValue(element, "AXSubrole", None)
        if no_subrole not in (0, *_HAS_NONE):
            return None  # it may be one for passwords
        error, pid = services.AXUIElementGetPid(element, None)
        return None if error else of_accessibility(role, subrole, pid, hash(element))

    def turns(self) -> int:
        """Return nothing: of elements macOS tells only whoever follows each program by itself."""
        return 0

    def layout(self) -> int:
        """Return a number of what the keys write that no layouts have in common."""
        return hash(tuple(map(self._alone, _TOLD_APART)))

    def keymap(self) -> Keymap:
        """Return what the keys of the layout in use mean, asked of events that nobody gets."""
        return keymap_of(self._written)

    def _alone(self, code: int) -> str:
        return self._written(code, 0)

    def _written(self, code: int, flags: int) -> str:
        event = self._quartz.CGEventCreateKeyboardEvent(None, code, True)  # noqa: FBT003
        self._quartz.CGEventSetFlags(event, flags)
        return str(self._quartz.CGEventKeyboardGetUnicodeString(event, 4, None, None)[1] or "")

    def setting(self) -> Setting:
        """Return the displays, the main one first; of the mouse macOS tells nobody."""
        quartz, found = self._quartz, []
        _, listed, count = quartz.CGGetActiveDisplayList(DISPLAYS_MAX, None, None)
        for one in listed[:count]:
            box, mode = quartz.CGDisplayBounds(one), quartz.CGDisplayCopyDisplayMode(one)
            points = quartz.CGDisplayModeGetWidth(mode) if mode else 0
            scale = quartz.CGDisplayModeGetPixelWidth(mode) / points if points else 0.0
            x, y = int(box.origin.x), int(box.origin.y)
            found.append(Display(x, y, int(box.size.width), int(box.size.height), scale))
        return Setting(tuple(found))

    def may_listen(self) -> bool:
        """Return whether this program is among those that the person lets listen still.

        Quartz gives a program that is not nothing at all, and no error.
        """
        return bool(self._services.AXIsProcessTrusted()) and _may_hear_keys(self._quartz)

    def is_secure(self) -> bool:
        """Return whether a program protects what is typed: a password field has the keyboard."""
        return bool(self._secure())

    def is_locked(self) -> bool:
        """Return whether the screen is locked, or another person's session is in front."""
        session = self._quartz.CGSessionCopyCurrentDictionary()
        if session is None:
            return True
        in_front = bool(session.get("kCGSSessionOnConsoleKey", False))
        return bool(session.get("CGSSessionScreenIsLocked", False)) or not in_front


def ask_permission() -> None:
    """Let macOS ask the person whether this program may listen. Raises `Missing` until it may."""
    services: Any = import_module("HIServices")
    asked = {services.kAXTrustedCheckOptionPrompt: True}
    if not services.AXIsProcessTrustedWithOptions(asked):
        raise Missing(
            "macOS does not let this program listen; nothing is recorded",
            where="Privacy & Security",
            do="Allow your terminal under Accessibility, start again, and take it back there.",
        )
    quartz: Any = import_module("Quartz")
    if not _may_hear_keys(quartz):
        quartz.CGRequestListenEventAccess()
        raise Missing(
            "macOS does not let this program listen to keys; nothing is recorded",
            where="Privacy & Security",
            do="Allow your terminal under Input Monitoring, start again, and take it back there.",
        )


def _may_hear_keys(quartz: Any) -> bool:
    """Return whether the person lets this program hear keys; before 10.15 nobody was asked."""
    asked = getattr(quartz, "CGPreflightListenEventAccess", None)
    return asked is None or bool(asked())
