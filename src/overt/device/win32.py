"""What Windows says of its windows, through its own calls. Written from their documentation.

This has never been run: no machine with Windows was at hand. `overt record` says so.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from overt.device.asked_fields import Asked
from overt.device.displays import Display, Setting, of_windows
from overt.device.keyboard import Keymap
from overt.device.seam import Window
from overt.device.uia import Automation
from overt.device.win32_keys import keymap_of

_CLOAKED, _FRAME_BOUNDS = 14, 9
_ROOT = 2
_QUERY_LIMITED = 0x1000
_READ_OBJECTS = 0x0001
_GET_MOUSE, _GET_MOUSE_SPEED, _DPI = 0x0003, 0x0070, 96
_NAME = 2
_PATH_CHARS = 32_768
_PER_MONITOR_AWARE_2 = -4
_EX_STYLE, _TRANSPARENT = -20, 0x20
_TO_CHARACTER = 2
_OBJECT_FOCUS, _FOREGROUND, _OUT_OF_CONTEXT = 0x8005, 0x0003, 0


class FocusEvents:
    """Counts what Windows says of the keyboard going elsewhere, on a thread of its own."""

    def __init__(self) -> None:
        self.count = 0
        threading.Thread(target=self._listen, name="focus events", daemon=True).start()

    def _listen(self) -> None:
        loaded: Any = ctypes
        user, types = loaded.WinDLL("user32"), __import__("ctypes.wintypes", fromlist=["wintypes"])
        word, handle = types.DWORD, ctypes.c_void_p
        kinds = (handle, word, handle, ctypes.c_long, ctypes.c_long, word, word)

        def said(*_: Any) -> None:
            self.count += 1

        heard = loaded.WINFUNCTYPE(None, *kinds)(said)
        user.SetWinEventHook.restype = handle
        for event in (_OBJECT_FOCUS, _FOREGROUND):
            user.SetWinEventHook(event, event, None, heard, 0, 0, _OUT_OF_CONTEXT)
        message = types.MSG()
        while user.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
            user.DispatchMessageW(ctypes.byref(message))


class Windows:
    """`hooks.System` of Windows 10 and later."""

    def __init__(self) -> None:
        loaded: Any = ctypes
        self._user = loaded.WinDLL("user32", use_last_error=True)
        self._kernel = loaded.WinDLL("kernel32", use_last_error=True)
        self._dwm = loaded.WinDLL("dwmapi")
        self._types: Any = __import__("ctypes.wintypes", fromlist=["wintypes"])
        handle = ctypes.c_void_p
        for library, name in (
            (self._user, "GetForegroundWindow"),
            (self._user, "GetAncestor"),
            (self._user, "OpenInputDesktop"),
            (self._kernel, "OpenProcess"),
        ):
            getattr(library, name).restype = handle
        self._user.GetKeyboardLayout.restype = handle
        self._automation: Automation | None = None
        self._focus = FocusEvents()
        # Windows, pointer and these calls then speak of the same pixels on every display.
        self._user.SetProcessDpiAwarenessContext(handle(_PER_MONITOR_AWARE_2))

    def windows(self) -> Sequence[Window]:
        """Return visible top-level windows, lowest first (`EnumWindows` goes from the top)."""
        found: list[Window] = []
        visit_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        if hasattr(ctypes, "WINFUNCTYPE"):
            visit_type = ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)

        def visit(window: int, _: int) -> int:
            if (made := self._window(window)) is not None:
                found.append(made)
            return 1

        self._user.EnumWindows(visit_type(visit), None)
        return found[::-1]

    def _window(self, window: int) -> Window | None:
        handle = ctypes.c_void_p(window)
        if not self._user.IsWindowVisible(handle) or self._user.IsIconic(handle):
            return None
        cloaked = ctypes.c_int(0)
        self._dwm.DwmGetWindowAttribute(handle, _CLOAKED, ctypes.byref(cloaked), 4)
        if cloaked.value:
            return None  # on another virtual desktop, or an app that is suspended
        box = self._types.RECT()
        given = self._dwm.DwmGetWindowAttribute(
            handle, _FRAME_BOUNDS, ctypes.byref(box), ctypes.sizeof(box)
        )
        if given != 0 and not self._user.GetWindowRect(handle, ctypes.byref(box)):
            return None
        passes_through = bool(self._user.GetWindowLongW(handle, _EX_STYLE) & _TRANSPARENT)
        wide, high = box.right - box.left, box.bottom - box.top
        return Window(
            window, box.left, box.top, wide, high, self._pid(window), drawn=not passes_through
        )

    def _pid(self, window: int) -> int:
        pid = self._types.DWORD(0)
        self._user.GetWindowThreadProcessId(ctypes.c_void_p(window), ctypes.byref(pid))
        return int(pid.value)

    def foreground(self) -> int:
        """Return the window in front, whole; 0 while one hands over to another."""
        found = self._user.GetForegroundWindow()
        root = self._user.GetAncestor(ctypes.c_void_p(found), _ROOT) if found else 0
        return int(root or 0)

    def program(self, pid: int) -> Path | None:
        """Return the program file of a process; None of one with more rights than ours."""
        process = self._kernel.OpenProcess(_QUERY_LIMITED, 0, pid)
        if not process:
            return None
        try:
            path = ctypes.create_unicode_buffer(_PATH_CHARS)
            length = self._types.DWORD(_PATH_CHARS)
            given = self._kernel.QueryFullProcessImageNameW(
                ctypes.c_void_p(process), 0, path, ctypes.byref(length)
            )
            return Path(path.value) if given else None
        finally:
            self._kernel.CloseHandle(ctypes.c_void_p(process))

    def field(self) -> Asked | None:
        """Return what UI Automation says has the keyboard. Ask it on one thread alone."""
        self._automation = self._automation or Automation()
        return self._automation.focused()

    def turns(self) -> int:
        """Return how often Windows has said that another element has the keyboard."""
        return self._focus.count

    def layout(self) -> int:
        """Return the layout that the window in front uses."""
        thread = self._user.GetWindowThreadProcessId(
            ctypes.c_void_p(self._user.GetForegroundWindow()), None
        )
        return int(self._user.GetKeyboardLayout(thread) or 0)

    def keymap(self) -> Keymap:
        """Return what the keys of that layout mean."""
        layout = ctypes.c_void_p(self.layout())
        self._user.VkKeyScanExW.restype = ctypes.c_short
        self._user.MapVirtualKeyExW.restype = ctypes.c_uint
        return keymap_of(
            lambda one: int(self._user.VkKeyScanExW(ctypes.c_wchar(one), layout)),
            lambda key: int(self._user.MapVirtualKeyExW(key, _TO_CHARACTER, layout)),
        )

    def setting(self) -> Setting:
        """Return the displays, the main one first, and what is set for the mouse."""
        found: list[Display] = []
        handle, rect = ctypes.c_void_p, self._types.RECT
        loaded: Any = ctypes
        dpi_of = loaded.WinDLL("shcore").GetDpiForMonitor
        kind = loaded.WINFUNCTYPE(ctypes.c_int, handle, handle, ctypes.POINTER(rect), handle)

        def visit(monitor: int, _: int, place: Any, __: int) -> int:
            across, down, box = ctypes.c_uint(0), ctypes.c_uint(0), place.contents
            sides = box.right - box.left, box.bottom - box.top
            dpi_of(handle(monitor), 0, ctypes.byref(across), ctypes.byref(down))
            found.append(Display(box.left, box.top, *sides, across.value / _DPI))
            return 1

        self._user.EnumDisplayMonitors(None, None, kind(visit), 0)
        mouse, speed = (ctypes.c_int * 3)(), ctypes.c_int(0)
        self._user.SystemParametersInfoW(_GET_MOUSE, 0, ctypes.byref(mouse), 0)
        self._user.SystemParametersInfoW(_GET_MOUSE_SPEED, 0, ctypes.byref(speed), 0)
        main_first = sorted(found, key=lambda one: (one.x, one.y) != (0, 0))
        return Setting(tuple(main_first), *of_windows(tuple(mouse), speed.value))

    def may_listen(self) -> bool:
        """Return true: Windows asks nobody (and is silent over windows with more rights)."""
        return True

    def is_secure(self) -> bool:
        """Return whether the secure desktop (UAC, Ctrl+Alt+Del) has the input."""
        return self.is_locked()

    def is_locked(self) -> bool:
        """Return whether another desktop than ours has the input: locked, UAC, another person."""
        desktop = self._user.OpenInputDesktop(0, 0, _READ_OBJECTS)
        if not desktop:
            return True
        name = ctypes.create_unicode_buffer(64)
        self._user.GetUserObjectInformationW(
            ctypes.c_void_p(desktop), _NAME, name, ctypes.sizeof(name), None
        )
        self._user.CloseDesktop(ctypes.c_void_p(desktop))
        return name.value != "Default"
