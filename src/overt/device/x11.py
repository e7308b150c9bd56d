"""The X server: input as it happens (RECORD), and which windows there are.

The agent only listens. RECORD copies every event of keyboard and pointer, with the server's time,
before any program gets it; nothing is grabbed, so input methods and dead keys are not disturbed.
The copy is read in heaps, four to fifty a second (`overt.device.stream`). It is of all keyboards
and pointers, whenever they were plugged in; where a display has a second keyboard with a focus of
its own (X Input 2, master devices), nobody says whose a key was, and none exists.

Wayland has no such place for programs, on purpose: there the agent refuses, rather than record
through XWayland the half that passes it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
from collections import deque
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from overt.device.displays import Setting
from overt.device.keyboard import ALT, CONTROL, LOCK, Keymap
from overt.device.seam import NOTCH_CSS_PX, Window, no_display
from overt.device.stream import (
    FOCUS_IN,
    FOCUS_OUT,
    GONE,
    KEY_PRESS,
    MOTION,
    SET_INPUT_FOCUS,
    Heap,
    Stream,
)
from overt.device.x11_setting import X11Setting
from overt.schema.errors import Missing

P = ParamSpec("P")
R = TypeVar("R")

_P = 0x70
_DEPTH_MAX = 16
_NUM_LOCK = 16
_ALL_DEVICES, _ALL_MASTERS, _HIERARCHY = 0, 1, 1 << 11


def refuse_wayland() -> None:
    """Raise `Missing` in a Wayland session: XWayland shows only part of what happens there."""
    if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland":
        raise Missing(
            "this is a Wayland session, of which X sees only a part; nothing is recorded",
            where="display",
            do="Log in to an X11 session (often called 'Xorg'), or use the browser.",
        )


def look(name: str | None) -> None:
    """Raise `Missing` where nothing could be recorded: asked before anybody is asked to join."""
    refuse_wayland()
    shown = Display(name)
    try:
        if not shown.keymap().has_letters:
            raise Missing(
                "the keyboard's layout is not known: none of its keys is a letter",
                where="keyboard",
                do="Choose a layout in the system's settings, or with setxkbmap.",
            )
    finally:
        shown.close()


def _present(work: Callable[P, R]) -> Callable[P, R]:
    """Raise `Missing` where the display went away meanwhile."""

    @functools.wraps(work)
    def asked(*args: P.args, **named: P.kwargs) -> R:
        import xcffib

        try:
            return work(*args, **named)
        except (xcffib.ConnectionException, BrokenPipeError) as error:
            raise Missing(GONE, where="DISPLAY", do="Start again there.") from error

    return asked


class Display:
    """A connection for questions and one for the stream of input. Close it after use."""

    def __init__(self, name: str | None = None) -> None:
        import xcffib
        import xcffib.record
        import xcffib.res
        import xcffib.xinput
        import xcffib.xproto

        self._x = xcffib
        shown = name or os.environ.get("DISPLAY", "")
        if not shown:
            raise no_display()
        try:
            self._ask = xcffib.connect(display=shown)
            self._stream = xcffib.connect(display=shown)
            self._record = self._ask(xcffib.record.key)
            self._record.QueryVersion(1, 13).reply()
            self._res = self._ask(xcffib.res.key)
            self._res.QueryVersion(1, 2).reply()
            self._input = self._ask(xcffib.xinput.key)
            self._input.XIQueryVersion(2, 0).reply()
        except (xcffib.ConnectionException, xcffib.XcffibException) as error:
            raise Missing(
                f"the display {shown} cannot be reached, or lacks RECORD, X-Resource or X Input 2",
                where="DISPLAY",
                do="Look at `echo $DISPLAY`, and start the agent from the desktop itself.",
            ) from error
        self.name = shown
        self._core = self._ask.core
        self._root = self._ask.get_setup().roots[self._ask.pref_screen].root
        self._core.ChangeWindowAttributes(
            self._root,
            xcffib.xproto.CW.EventMask,
            [xcffib.xproto.EventMask.SubstructureNotify],
        )
        news = xcffib.xinput.EventMask.synthetic(_ALL_DEVICES, 1, [_HIERARCHY])
        self._input.XISelectEvents(self._root, 1, [news])
        self._told: deque[Any] = deque()
        self._keyboards = 0
        """Master keyboards; 0: not counted since one may have come or gone."""
        self._state_atom = self._core.InternAtom(0, 8, "WM_STATE").reply().atom
        self._pids: dict[int, int] = {}
        self._clients: dict[int, int] = {}
        self._outermost: dict[int, int] = {}
        self._context = self._listen()
        self._hotkey: Callable[[], None] | None = None
        self._setting = X11Setting(self._ask, self._root, self._input)
        self._released_ms = -1
        """When the hotkey was last let go; one that is held is let go and pressed at once."""

    def _listen(self) -> int:
        record = self._x.record
        none8 = record.Range8.synthetic(0, 0)
        none = record.ExtRange.synthetic(none8, record.Range16.synthetic(0, 0))

        def only(**parts: tuple[int, int]) -> Any:
            made = {name: record.Range8.synthetic(*span) for name, span in parts.items()}
            return record.Range.synthetic(
                made.get("requests", none8),
                none8,
                none,
                none,
                made.get("delivered", none8),
                made.get("device", none8),
                none8,
                0,
                0,
            )

        ranges = [
            only(device=(KEY_PRESS, MOTION)),
            only(delivered=(FOCUS_IN, FOCUS_OUT)),
            only(requests=(SET_INPUT_FOCUS, SET_INPUT_FOCUS)),
        ]
        context = int(self._ask.generate_id())
        self._record.CreateContextChecked(
            context, 0, 1, len(ranges), [record.CS.AllClients], ranges
        ).check()
        self._stream(record.key).EnableContext(context)
        self._stream.flush()
        self._sockets = [one.get_file_descriptor() for one in (self._stream, self._ask)]
        self._heard = Stream(self._sockets[0])
        return context

    notch_css_px = NOTCH_CSS_PX

    def wait(self, seconds: float) -> None:
        """Return when something happened, or after so many seconds."""
        select.select(self._sockets, [], [], seconds)

    def heap(self) -> Heap:
        """Return what happened since the last call. Raises `Missing` if the display is gone."""
        return self._heard.heap()

    @_present
    def setting(self) -> Setting:
        """Return the displays, and how the pointer is accelerated."""
        return self._setting.now()

    def on_hotkey(self, pressed: Callable[[], None]) -> None:
        """Call `pressed` for Ctrl+Alt+P, wherever the keyboard is; the one key that is grabbed.

        Where another program has it already, nothing is called.
        """
        self._hotkey = pressed
        free = self._x.xproto.GrabMode.Async
        for locks in (0, LOCK, _NUM_LOCK, LOCK | _NUM_LOCK):
            for code in self._codes(_P):
                self._core.GrabKey(0, self._root, CONTROL | ALT | locks, code, free, free)
        self._ask.flush()

    def _codes(self, keysym: int) -> list[int]:
        setup = self._ask.get_setup()
        first, count = setup.min_keycode, setup.max_keycode - setup.min_keycode + 1
        reply = self._core.GetKeyboardMapping(first, count).reply()
        wide, symbols = reply.keysyms_per_keycode, list(reply.keysyms)
        return [first + k for k in range(count) if symbols[k * wide] == keysym]

    @_present
    def keymap(self) -> Keymap:
        """Return the classes of the keys of the layout that is in use now."""
        setup = self._ask.get_setup()
        first, count = setup.min_keycode, setup.max_keycode - setup.min_keycode + 1
        reply = self._core.GetKeyboardMapping(first, count).reply()
        wide, symbols = reply.keysyms_per_keycode, list(reply.keysyms)
        return Keymap(first, [symbols[k * wide : (k + 1) * wide] for k in range(count)])

    @_present
    def changed(self) -> tuple[bool, bool]:
        """Return whether windows moved, came or went since the last call, and the keymap."""
        windows = keys = False
        self._hear()
        while self._told:
            event = self._told.popleft()
            if isinstance(event, self._x.xproto.KeyReleaseEvent):
                self._released_ms = event.time
                continue
            if isinstance(event, self._x.xproto.KeyPressEvent):
                if self._hotkey is not None and event.time != self._released_ms:
                    self._hotkey()
                continue
            keys = keys or isinstance(event, self._x.xproto.MappingNotifyEvent)
            windows = windows or not isinstance(event, self._x.xproto.MappingNotifyEvent)
            gone = getattr(event, "window", 0)
            if isinstance(event, self._x.xproto.DestroyNotifyEvent):
                self._pids.pop(gone, None)
                self._clients.pop(gone, None)
        return windows, keys

    def _hear(self) -> None:
        """Take in what the server has said by now; a keyboard that came or went counts at once."""
        while (event := self._ask.poll_for_event()) is not None:
            if isinstance(event, self._x.xinput.HierarchyEvent):
                self._keyboards = 0
            else:
                self._told.append(event)

    @_present
    def focused(self) -> int:
        """Return the window that has the keyboard, or 0 where none has or more than one may."""
        focus = int(self._core.GetInputFocus().reply().focus)
        self._hear()
        if not self._keyboards:
            masters = self._input.XIQueryDevice(_ALL_MASTERS).reply().infos
            kind = self._x.xinput.DeviceType.MasterKeyboard
            self._keyboards = sum(one.type == kind for one in masters)
            return 0  # until now it was unknown whose keys were heard
        return 0 if self._keyboards != 1 or focus in (0, 1, self._root) else focus

    @_present
    def windows(self) -> list[Window]:
        """Return the windows one can see, from the lowest to the topmost."""
        xproto = self._x.xproto
        self._outermost.clear()
        ids = list(self._core.QueryTree(self._root).reply().children)
        asked = [
            (one, self._core.GetWindowAttributes(one), self._core.GetGeometry(one)) for one in ids
        ]
        found = []
        for one, attributes, geometry in asked:
            try:
                given, place = attributes.reply(), geometry.reply()
            except self._x.XcffibException:
                continue  # it closed meanwhile
            if given.map_state != xproto.MapState.Viewable:
                continue
            drawn = given._class != xproto.WindowClass.InputOnly  # noqa: SLF001 - its name there
            edge = 2 * place.border_width
            pid = self.pid(self._client_in(one))
            wide, high = place.width + edge, place.height + edge
            found.append(Window(one, place.x, place.y, wide, high, pid, drawn=drawn))
        return found

    @_present
    def outermost(self, window: int) -> int:
        """Return the program's own window that a window is a part of, or itself.

        Toolkits give the keyboard to a part that nobody sees; window managers to the whole.
        """
        if window not in self._outermost:
            self._outermost[window] = self._climbed(window)
        return self._outermost[window]

    def _climbed(self, window: int) -> int:
        found, clients = window, set(self._clients.values())
        for _ in range(_DEPTH_MAX):
            if found in clients:
                return found
            try:
                parent = int(self._core.QueryTree(found).reply().parent)
            except self._x.XcffibException:
                return window
            if parent in (0, self._root):
                return found
            found = parent
        return window

    def _client_in(self, frame: int) -> int:
        """Return the program's own window in a frame that the window manager drew around it."""
        known = self._clients.get(frame)
        if known is not None:
            return known
        layer = [frame]
        found = frame
        for _ in range(4):
            asked = [self._core.GetProperty(0, one, self._state_atom, 0, 0, 1) for one in layer]
            for one, state in zip(layer, asked, strict=True):
                try:
                    if state.reply().format:
                        self._clients[frame] = one
                        return one
                except self._x.XcffibException:
                    continue
            below: list[int] = []
            for one in layer:
                try:
                    below += list(self._core.QueryTree(one).reply().children)
                except self._x.XcffibException:
                    continue
            layer = below
        return found

    @_present
    def pid(self, window: int) -> int:
        """Return the process whose connection made a window, as the server knows it, or 0.

        This is not the property `_NET_WM_PID`, which any program may set to any number.
        """
        if window in self._pids:
            return self._pids[window]
        spec = self._x.res.ClientIdSpec.synthetic(window, self._x.res.ClientIdMask.LocalClientPID)
        try:
            reply = self._res.QueryClientIds(1, [spec]).reply()
            values = [list(item.value) for item in reply.ids]
        except self._x.XcffibException:
            return 0
        pid = next((int(value[0]) for value in values if value), 0)
        self._pids[window] = pid
        return pid

    def now_ms(self) -> int:
        """Return the server's time, ms, as in events (it wraps after 49 days)."""
        import time

        return (time.monotonic_ns() // 1_000_000) & 0xFFFFFFFF

    def close(self) -> None:
        """Stop listening and hang up."""
        with contextlib.suppress(self._x.XcffibException, self._x.ConnectionException):
            self._record.DisableContext(self._context)
            self._ask.flush()
        self._ask.disconnect()
        self._stream.disconnect()
