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

from overt.device.seam import Window
from overt.schema.errors import Missing

_CARBON = "/System/Library/Frameworks/Carbon.framework/Carbon"
_ON_SCREEN, _NO_DESKTOP, _ALL = 1, 16, 0
_NORMAL_LAYER = 0


class Mac:
    """`hooks.System` of macOS."""

    def __init__(self) -> None:
        self._quartz: Any = import_module("Quartz")
        self._appkit: Any = import_module("AppKit")
        self._trusted: Any = import_module("HIServices").AXIsProcessTrusted
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

    def may_listen(self) -> bool:
        """Return whether this program is among those that the person lets listen still.

        Quartz gives a program that is not nothing at all, and no error.
        """
        return bool(self._trusted())

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
            "macOS does not let this program listen to the pointer; nothing is recorded",
            where="Privacy & Security",
            do="Allow your terminal under Accessibility, start again, and take it back there.",
        )
