"""The kernel's own records of keys and buttons (Linux evdev), for sessions that show no other.

A device node gives records of 24 bytes (`struct input_event`, `linux/input-event-codes.h`). Kept of
them are keys and buttons. Where the pointer is, the kernel does not know, so movement and wheels
are read past. When its buffer ran over, a device says `SYN_DROPPED`: then what it says until the
next report is void, and the heap says so: the session then counts what it lost, and is not whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from overt.device.keyboard import Down, Keymap
from overt.device.stream import (
    BUTTON_PRESS,
    BUTTON_RELEASE,
    EVENT,
    KEY_PRESS,
    KEY_RELEASE,
    Heap,
    joined,
)
from overt.schema.errors import Missing

RECORD = np.dtype([("s", "<i8"), ("us", "<i8"), ("type", "<u2"), ("code", "<u2"), ("value", "<i4")])
"""`struct input_event` of 64-bit Linux."""

EV_SYN, EV_KEY = 0, 1
SYN_REPORT, SYN_DROPPED = 0, 3
RELEASED, PRESSED, REPEATED = 0, 1, 2
"""Values of a key. Repeats are the kernel's; programs under Wayland make their own, at another
pace, while the same key is down."""

BUTTON_FIRST, BUTTON_LAST, TOUCH = 0x110, 0x117, 0x14A
_BUTTONS = {0x110: 1, 0x111: 3, 0x112: 2, 0x113: 8, 0x114: 9, 0x115: 9, 0x116: 8, TOUCH: 1}
"""Codes → numbers of buttons as X has them."""

X_LESS_KERNEL = 8
"""Key codes of X and of keymaps (xkb) are the kernel's and 8."""

KEY_CODE_MAX = 247
KEY_A = 30
CLOCK_MONOTONIC = 1
_BITS_BYTES = 96
_READ_BYTES = RECORD.itemsize * 1024
RESCAN_S = 2.0
NODES = Path("/dev/input")


def _ioctl(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | ord("E") << 8 | number


_SET_CLOCK = _ioctl(1, 0xA0, 4)
_KEYS_DOWN = _ioctl(2, 0x18, _BITS_BYTES)
_KEYS_THERE = _ioctl(2, 0x20 + EV_KEY, _BITS_BYTES)


def void(records: Any, *, dropping: bool = False) -> tuple[Any, int, bool]:
    """Return which records count, how often any were dropped, and whether dropping goes on."""
    syn = records["type"] == EV_SYN
    lost = syn & (records["code"] == SYN_DROPPED)
    if not dropping and not lost.any():
        return np.ones(len(records), bool), 0, False
    counts = np.zeros(len(records), bool)
    for k in range(len(records)):
        if lost[k]:
            dropping = True
        elif dropping and syn[k] and records["code"][k] == SYN_REPORT:
            dropping = False
        else:
            counts[k] = not dropping
    return counts, int(lost.sum()), dropping


def as_events(records: Any) -> Any:
    """Return `EVENT[n]` of the keys and buttons among records, without modifiers; the rest is past.

    Buttons lie nowhere, because nobody says where the pointer is.
    """
    code, value = records["code"], records["value"]
    keys = (records["type"] == EV_KEY) & (value >= RELEASED) & (value <= REPEATED)
    is_button = (code >= BUTTON_FIRST) & (code <= BUTTON_LAST) | (code == TOUCH)
    is_button &= value != REPEATED
    records = records[keys & (is_button | (code <= KEY_CODE_MAX))]
    events = np.zeros(len(records), EVENT)
    down = records["value"] != RELEASED
    button = records["code"] > KEY_CODE_MAX
    events["code"] = np.where(
        button,
        np.where(down, BUTTON_PRESS, BUTTON_RELEASE),
        np.where(down, KEY_PRESS, KEY_RELEASE),
    )
    events["detail"] = [
        _BUTTONS.get(int(one), 0) if one > KEY_CODE_MAX else one + X_LESS_KERNEL
        for one in records["code"]
    ]
    events["time_ms"] = (records["s"] * 1000 + records["us"] // 1000) & 0xFFFFFFFF
    events["x"] = events["y"] = -1
    return events


class Device:
    """One device node that was opened for reading."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._rest = b""
        self.is_dropping = False
        """What it says is void until its next report."""

    def read(self) -> tuple[Any, int]:
        """Return `RECORD[n]` of what counts, and how often some was dropped; raises `OSError`."""
        data = self._rest
        while True:
            try:
                part = os.read(self.number, _READ_BYTES)
            except BlockingIOError:
                break
            if not part:
                raise EOFError
            data += part
            if len(part) < _READ_BYTES:
                break
        whole = len(data) // RECORD.itemsize * RECORD.itemsize
        self._rest = data[whole:]
        records = np.frombuffer(data[:whole], RECORD)
        counts, lost, self.is_dropping = void(records, dropping=self.is_dropping)
        return records[counts], lost

    def down(self) -> list[int]:
        """Return the kernel's codes of the keys that are down; none where it does not say."""
        bits = bytearray(_BITS_BYTES)
        with contextlib.suppress(OSError):
            fcntl.ioctl(self.number, _KEYS_DOWN, bits)
        return _set(bits)

    def close(self) -> None:
        """Close it."""
        os.close(self.number)


def _set(bits: bytearray) -> list[int]:
    return [
        int(one)
        for one in np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little"))
    ]


def is_wanted(keys: Iterable[int]) -> bool:
    """Return whether a device with these keys is a keyboard or has buttons of a pointer."""
    return not {KEY_A, BUTTON_FIRST, TOUCH}.isdisjoint(keys)


def nodes() -> list[Path]:
    """Return the device nodes of this computer."""
    return sorted(NODES.glob("event*"))


def opened(node: Path) -> Device | None:
    """Open a keyboard or pointer with times on the monotonic clock; None for anything else.

    Raises `PermissionError` where the person may not read it.
    """
    number = os.open(node, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        bits = bytearray(_BITS_BYTES)
        fcntl.ioctl(number, _KEYS_THERE, bits)
        if is_wanted(_set(bits)):
            fcntl.ioctl(number, _SET_CLOCK, struct.pack("i", CLOCK_MONOTONIC))
            return Device(number)
    except OSError:
        os.close(number)
        return None
    os.close(number)
    return None


class Devices:
    """All keyboards and pointers as one stream; what is plugged in later joins."""

    def __init__(self, keymap: Keymap, given: Iterable[Device] | None = None) -> None:
        """`given`: these devices and no others."""
        self.keymap = keymap
        self._down = Down()
        """Codes of modifier keys that are down."""
        self._known: dict[tuple[Path, int], Device | None] = {}
        """Node and its number, which is another when something else was plugged in under its name;
        None: nothing that we want."""
        self._given = None if given is None else list(given)
        self._scanned_s = 0.0
        self._scan()
        self._look_down()

    def _scan(self) -> None:
        self._scanned_s = time.monotonic()
        if self._given is not None:
            return
        there = {(node, _number(node)) for node in nodes()}
        for known in self._known.keys() - there:
            self._gone(self._known.pop(known))
        for known in sorted(there - self._known.keys()):
            # Where it may not be read yet (udev says so a moment later), the next scan asks again.
            with contextlib.suppress(OSError):
                self._known[known] = opened(known[0])

    @property
    def all(self) -> list[Device]:
        """Those that are open."""
        found = self._known.values() if self._given is None else self._given
        return [device for device in found if device is not None]

    def numbers(self) -> list[int]:
        """Return their file descriptors, to wait on."""
        return [device.number for device in self.all]

    def _gone(self, device: Device | None) -> None:
        if device is None:
            return
        with contextlib.suppress(OSError):
            device.close()
        if self._given is not None:
            self._given.remove(device)
        self._known = {node: one for node, one in self._known.items() if one is not device}

    def heap(self) -> Heap:
        """Return what happened since the last call. Raises `Missing` where no device is left."""
        if time.monotonic() - self._scanned_s > RESCAN_S:
            self._scan()
        parts, lost, unsure = [], 0, any(device.is_dropping for device in self.all)
        for device in self.all:
            try:
                records, dropped = device.read()
            except (OSError, EOFError):
                self._gone(device)  # unplugged: whatever was down on it is not
                unsure = True
                continue
            lost += dropped
            parts.append(records)
        if not self.all:
            raise Missing(
                "no keyboard can be read any more; recording stops",
                where=str(NODES),
                do="Plug one in and start again; `overt device doctor` says what may be read.",
            )
        records = joined(parts, RECORD)
        events = as_events(records[np.lexsort((records["us"], records["s"]))])
        self._down.say(events, self.keymap)
        if lost or unsure:
            self._look_down()
        return Heap(events, focus=bool(lost or unsure), lost=lost)

    def _look_down(self) -> None:
        codes = (code + X_LESS_KERNEL for device in self.all for code in device.down())
        self._down.set(codes, self.keymap)

    def close(self) -> None:
        """Close all."""
        for device in self.all:
            self._gone(device)


def _number(node: Path) -> int:
    try:
        return node.stat().st_ino
    except OSError:
        return 0


def wait(numbers: list[int], seconds: float) -> None:
    """Return when one of these can be read, or after so many seconds."""
    select.select(numbers, [], [], seconds)
