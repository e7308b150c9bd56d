"""The Wayland protocol as bytes on its socket: requests, events, and which windows there are.

Only what the agent asks of a compositor: its list of windows with their application and which one
is active (`wlr-foreign-toplevel-management`), and the keymap of the seat. Titles come with that
list; they are dropped where they arrive.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from overt.schema.errors import Missing

Handler = Callable[[int, "Reader"], None]
GONE = "the Wayland compositor has gone away"
PATIENCE_S = 5.0
_DISPLAY, _READ_BYTES = 1, 1 << 16
TOPLEVELS = "zwlr_foreign_toplevel_manager_v1"
_ACTIVATED = 2


def socket_path(name: str | None = None) -> Path | None:
    """Return where the compositor of this session listens, or None where it is no such session."""
    shown = name or os.environ.get("WAYLAND_DISPLAY", "")
    if not shown:
        return None
    return Path(os.environ.get("XDG_RUNTIME_DIR", "/nowhere")) / shown


class Reader:
    """The arguments of one event, in order."""

    def __init__(self, data: bytes, handles: list[int]) -> None:
        self._data, self._at, self._handles = data, 0, handles

    def number(self) -> int:
        """Return an unsigned number, or the id of an object."""
        (value,) = struct.unpack_from("<I", self._data, self._at)
        self._at += 4
        return int(value)

    def array(self) -> bytes:
        """Return an array's bytes."""
        length = self.number()
        begin = self._at
        self._at += length + -length % 4
        return self._data[begin : begin + length]

    def text(self) -> str:
        """Return a string."""
        return self.array().rstrip(b"\0").decode("utf-8", "replace")

    def handle(self) -> int:
        """Return a file descriptor that came along; it is the caller's to close."""
        return self._handles.pop(0)


class Wire:
    """One connection. Events are handled in `read`, on the thread that calls it."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise Missing(
                "the Wayland compositor cannot be reached",
                where=str(path),
                do="Start the agent from the desktop itself.",
            ) from error
        self._socket.setblocking(False)  # noqa: FBT003 - its name there
        self._rest, self._handles = b"", list[int]()
        self._last = _DISPLAY
        self._handlers: dict[int, Handler] = {_DISPLAY: self._said}
        self.globals: dict[str, tuple[int, int]] = {}
        """What the compositor offers: interface → name and version."""
        self.outputs: set[int] = set()
        """Names of the displays: the one thing of which there may be several."""
        self._registry = self.new(self._offered)
        self.send(_DISPLAY, 1, self._registry)
        self.round_trip()

    @property
    def number(self) -> int:
        """Its file descriptor, to wait on."""
        return self._socket.fileno()

    def new(self, handler: Handler | None = None) -> int:
        """Return the id of a new object; `handler` hears its events."""
        self._last += 1
        self._handlers[self._last] = handler or _ignored
        return self._last

    def hear(self, one: int, handler: Handler) -> None:
        """Let `handler` hear the events of an object that the compositor made."""
        self._handlers[one] = handler

    def send(self, one: int, request: int, *arguments: int | str, handle: int = -1) -> None:
        """Send a request to an object; numbers and text as they are, a file descriptor beside."""
        body = b"".join(
            struct.pack("<I", part & 0xFFFFFFFF) if isinstance(part, int) else _text(part)
            for part in arguments
        )
        data = struct.pack("<IHH", one, request, 8 + len(body)) + body
        beside = [] if handle < 0 else [handle]
        try:
            select.select([], [self._socket], [], PATIENCE_S)
            socket.send_fds(self._socket, [data], beside)
        except OSError as error:
            raise Missing(GONE, where="WAYLAND_DISPLAY", do="Start again there.") from error

    def bind(self, interface: str, version: int, handler: Handler | None = None) -> int:
        """Return an object of what the compositor offers. Raises `Missing` where it does not."""
        if interface not in self.globals:
            raise Missing(
                f"this Wayland compositor does not offer {interface}; nothing is recorded",
                where="display",
                do="Use sway, labwc or another that does, log in to an X11 session, or use the "
                "browser.",
            )
        name, offered = self.globals[interface]
        return self.bind_name(name, interface, min(version, offered), handler)

    def bind_name(
        self, name: int, interface: str, version: int, handler: Handler | None = None
    ) -> int:
        """Return an object of what the compositor offers under this name."""
        made = self.new(handler)
        self.send(self._registry, 0, name, interface, version, made)
        return made

    def round_trip(self) -> None:
        """Return when the compositor has dealt with all that was sent, and all it said is heard."""
        done = False

        def heard(_: int, __: Reader) -> None:
            nonlocal done
            done = True

        one = self.new(heard)
        self.send(_DISPLAY, 0, one)
        end_s = time.monotonic() + PATIENCE_S
        while not done:
            if time.monotonic() > end_s:
                raise Missing(
                    "the Wayland compositor does not answer",
                    where="WAYLAND_DISPLAY",
                    do="Try again.",
                )
            select.select([self._socket], [], [], 0.2)
            self.read()

    def read(self) -> None:
        """Hear what has come; raises `Missing` if the compositor is gone."""
        while True:
            try:
                data, handles, _, _ = socket.recv_fds(self._socket, _READ_BYTES, 8)
            except BlockingIOError:
                break
            except OSError:
                data, handles = b"", []
            if not data:
                raise Missing(GONE, where="WAYLAND_DISPLAY", do="Start again there.")
            self._rest += data
            self._handles += handles
            if len(data) < _READ_BYTES:
                break
        while len(self._rest) >= 8:
            one, event, size = struct.unpack_from("<IHH", self._rest)
            if len(self._rest) < size:
                break
            reader = Reader(self._rest[8:size], self._handles)
            self._rest = self._rest[size:]
            self._handlers.get(one, _ignored)(event, reader)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
        for handle in self._handles:
            with contextlib.suppress(OSError):
                os.close(handle)

    def _said(self, event: int, reader: Reader) -> None:
        if event == 1:  # an object is gone
            self._handlers.pop(reader.number(), None)
            return
        raise Missing("the Wayland compositor refused a request", where="display", do="Report it.")

    def _offered(self, event: int, reader: Reader) -> None:
        if event == 0:
            name, interface, version = reader.number(), reader.text(), reader.number()
            self.globals[interface] = (name, version)
            if interface == "wl_output":
                self.outputs.add(name)
        elif event == 1:
            self.outputs.discard(reader.number())


def _ignored(_: int, __: Reader) -> None: ...


def _text(text: str) -> bytes:
    data = text.encode() + b"\0"
    return struct.pack("<I", len(data)) + data + b"\0" * (-len(data) % 4)


@dataclass
class Toplevel:
    """A window as the compositor lists it."""

    application: str = ""
    """What the program calls itself (`app_id`)."""
    is_active: bool = False


class Toplevels:
    """The windows of a session, and which of them is active."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.all: dict[int, Toplevel] = {}
        self.changes = 0
        """Grows whenever a window came, went, was named, or another became active."""
        self._pending: dict[int, Toplevel] = {}
        wire.bind(TOPLEVELS, 1, self._came)
        wire.round_trip()
        wire.round_trip()  # what the first told of speaks only now

    @property
    def active(self) -> int:
        """The active window's id; 0 where none is, or more than one claims to be."""
        found = [one for one, toplevel in self.all.items() if toplevel.is_active]
        return found[0] if len(found) == 1 else 0

    def _came(self, event: int, reader: Reader) -> None:
        if event:
            self.all.clear()
            self.changes += 1
            return
        one = reader.number()
        self._pending[one] = Toplevel()
        self._wire.hear(one, lambda event, reader: self._said(one, event, reader))

    def _said(self, one: int, event: int, reader: Reader) -> None:
        pending = self._pending.setdefault(one, Toplevel())
        if event == 1:
            pending.application = reader.text()
        elif event == 4:
            data = reader.array()
            states = struct.unpack(f"<{len(data) // 4}I", data)
            pending.is_active = _ACTIVATED in states
        elif event == 5:
            said = Toplevel(pending.application, pending.is_active)
            self.changes += said != self.all.get(one)  # a new title is no change
            self.all[one] = said
        elif event == 6:
            self.all.pop(one, None)
            self._pending.pop(one, None)
            self.changes += 1
            self._wire.send(one, 7)


def keymap_text(wire: Wire) -> str:
    """Return the keymap of the session's keyboard as xkb text. Raises `Missing` without one."""
    found: list[str] = []
    keyboards = False

    def capable(event: int, reader: Reader) -> None:
        nonlocal keyboards
        if event == 0:
            keyboards = bool(reader.number() & 2)

    def heard(event: int, reader: Reader) -> None:
        if event == 0:
            reader.number()
            handle, size = reader.handle(), reader.number()
            with os.fdopen(handle, "rb", closefd=True) as file:
                found.append(os.pread(file.fileno(), size, 0).rstrip(b"\0").decode())

    seat = wire.bind("wl_seat", 5, capable)
    wire.round_trip()
    if keyboards:
        keyboard = wire.new(heard)
        wire.send(seat, 1, keyboard)
        wire.round_trip()
        wire.send(keyboard, 0)
    wire.send(seat, 3)
    if not found:
        raise Missing(
            "the session's keyboard has no layout that it tells of",
            where="keyboard",
            do="Look whether a keyboard is plugged in, and start again.",
        )
    return found[0]
