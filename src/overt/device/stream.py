"""What RECORD says, from the bytes of its socket to columns: no object for each event.

After `EnableContext` the X server sends nothing on that connection but answers to it, each a head
of 32 bytes and a body; nearly all bodies are one core event. So what has come is read in one go
and taken apart in runs of equal frames, and a mouse at 1 kHz costs little more than one at 125 Hz.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.schema.errors import Missing

KEY_PRESS, KEY_RELEASE, BUTTON_PRESS, BUTTON_RELEASE, MOTION = 2, 3, 4, 5, 6
FOCUS_IN, FOCUS_OUT = 9, 10
SET_INPUT_FOCUS, _SET_INPUT_FOCUS_BYTES = 42, 12
GRABBED, UNGRABBED = 1, 2
"""Modes of a focus event: a program took the whole keyboard (a menu, a lock screen), or let go."""

EVENT = np.dtype(
    [
        ("code", "u1"),
        ("detail", "u1"),
        ("sequence", "<u2"),
        ("time_ms", "<u4"),
        ("root", "<u4"),
        ("window", "<u4"),
        ("child", "<u4"),
        ("x", "<i2"),
        ("y", "<i2"),
        ("window_x", "<i2"),
        ("window_y", "<i2"),
        ("state", "<u2"),
        ("same_screen", "u1"),
        ("pad", "u1"),
    ]
)
"""A core event of X, 32 bytes. In a focus event the lowest byte of `root` is its mode."""

_FRAME = np.dtype(
    [
        ("type", "u1"),
        ("category", "u1"),
        ("sequence", "<u2"),
        ("words", "<u4"),
        ("rest", "V24"),
        ("event", EVENT),
    ]
)
_HEAD_BYTES, _EVENT_WORDS, _REPLY = 32, 8, 1
_FROM_SERVER, _FROM_CLIENT = 0, 1
_NOT_SEQUENCE = np.uint64(0xFFFFFFFF_0000_FFFF)
_ONE_EVENT = np.uint64(_EVENT_WORDS << 32 | _FROM_SERVER << 8 | _REPLY)
"""The first eight bytes of a frame that holds one event of a device, without its number."""

_RUN_MAX = 1024
"""Frames looked at in one go, so that many odd ones cost no more than they are."""

_READ_BYTES = 1 << 18
GONE = "the display has gone away"


@dataclass(frozen=True)
class Heap:
    """What happened since the last look, in the server's order."""

    events: Any
    """`EVENT[n]`: keys, buttons and motion."""
    focus: bool = False
    """The keyboard may have gone to another window in between."""
    grabbed: bool | None = None
    """Whether a program holds the whole keyboard, if that changed."""
    asked: tuple[int, ...] = ()
    """Windows that a program asked to be given the keyboard. Window managers ask for the one that
    has it, at each click, and some of them late."""
    has_releases: bool = True
    """Whether keys that go up are told of: a terminal tells of presses alone."""
    lost: int = 0
    """How often some of it never reached us. How many events, nobody knows: at least so many."""

    @property
    def moves_only(self) -> bool:
        """Whether nothing is in it but the pointer's way."""
        if self.focus or self.lost or self.asked or self.grabbed is not None:
            return False
        return not len(self.events) or bool((self.events["code"] == MOTION).all())


_QUIET = Heap(np.empty(0, EVENT))


class Stream:
    """The socket of a connection on which RECORD was enabled; nobody else may read from it."""

    def __init__(self, socket: int) -> None:
        self._socket = socket
        self._rest = b""

    def heap(self) -> Heap:
        """Return what happened since the last call. Raises `Missing` if the display is gone."""
        received = self._received()
        if not received:
            return _QUIET
        heap, self._rest = taken_apart(self._rest + received)
        return heap

    def _received(self) -> bytes:
        found: list[bytes] = []
        while True:
            try:
                part = os.read(self._socket, _READ_BYTES)
            except BlockingIOError:
                return b"".join(found)
            except OSError:
                part = b""
            if not part:
                raise Missing(GONE, where="DISPLAY", do="Start again there.")
            found.append(part)
            if len(part) < _READ_BYTES:
                return b"".join(found)


def taken_apart(data: bytes) -> tuple[Heap, bytes]:
    """Return what whole frames of a stream say, and the beginning of one that is not whole."""
    if (moves := _only_moves(data)) is not None:
        return Heap(moves), b""
    parts: list[Any] = []
    asked: list[int] = []
    focus, grabbed, at = False, None, 0
    while len(data) - at >= _HEAD_BYTES:
        run = _equal_frames(data, at)
        if run is not None:
            events, from_client = run["event"], bool((run["category"] == _FROM_CLIENT).any())
            events = events[run["category"] == _FROM_SERVER]
            at += run.nbytes
        else:
            size = _size(data, at)
            if at + size > len(data):
                break
            frame = data[at : at + size]
            at += size
            windows = _asked(frame)
            asked += windows
            events, from_client = _odd_frame(frame)
            from_client = from_client and not windows
        code = events["code"] & 0x7F
        modes = events["root"][(code == FOCUS_IN) | (code == FOCUS_OUT)] & 0xFF
        focus = focus or from_client or bool(len(modes))
        for mode in modes:
            grabbed = {GRABBED: True, UNGRABBED: False}.get(int(mode), grabbed)
        parts.append(events[(code >= KEY_PRESS) & (code <= MOTION)])
    return Heap(joined(parts, EVENT), focus, grabbed, tuple(asked)), data[at:]


def _only_moves(data: bytes) -> Any:
    """Return `EVENT[n]` where all there is are whole frames of one move each: nearly always."""
    if len(data) % _FRAME.itemsize:
        return None
    frames = np.frombuffer(data, _FRAME)
    heads = np.frombuffer(data, "<u8")[:: _FRAME.itemsize // 8] & _NOT_SEQUENCE
    plain = (heads == _ONE_EVENT) & (frames["event"]["code"] == MOTION)
    return frames["event"] if plain.all() else None


def joined(parts: Sequence[Any], row: Any) -> Any:
    """Return arrays of one row type as one, without numpy's slow look at each of its fields."""
    if len(parts) == 1:
        return parts[0]
    plain = np.dtype((np.void, row.itemsize))
    flat = [np.ascontiguousarray(part).view(plain) for part in parts]
    return np.concatenate([np.empty(0, plain), *flat]).view(row)


def _equal_frames(data: bytes, at: int) -> Any:
    """Return `_FRAME[n]`, the frames from here on that hold one event each; None if none does."""
    count = min((len(data) - at) // _FRAME.itemsize, _RUN_MAX)
    frames = np.frombuffer(data, _FRAME, count, at)
    equal = (frames["type"] == _REPLY) & (frames["words"] == _EVENT_WORDS)
    run = count if equal.all() else int(np.argmin(equal))
    return frames[:run] if run else None


def _size(data: bytes, at: int) -> int:
    words = int.from_bytes(data[at + 4 : at + 8], "little") if data[at] == _REPLY else 0
    return _HEAD_BYTES + 4 * words


def _asked(frame: bytes) -> list[int]:
    """Return the windows that a frame asks to be focused; none where it is anything else."""
    body = frame[_HEAD_BYTES:]
    if frame[0] != _REPLY or frame[1] != _FROM_CLIENT or len(body) % _SET_INPUT_FOCUS_BYTES:
        return []
    requests = [
        body[k : k + _SET_INPUT_FOCUS_BYTES] for k in range(0, len(body), _SET_INPUT_FOCUS_BYTES)
    ]
    if any(one[0] != SET_INPUT_FOCUS for one in requests):
        return []
    return [int.from_bytes(one[4:8], "little") for one in requests]


def _odd_frame(frame: bytes) -> tuple[Any, bool]:
    """Return the events of one frame of any length, and whether a client asked for the focus."""
    reply, category, body = frame[0] == _REPLY, frame[1], frame[_HEAD_BYTES:]
    if not reply or category != _FROM_SERVER or len(body) % EVENT.itemsize:
        return np.empty(0, EVENT), reply and category == _FROM_CLIENT
    return np.frombuffer(body, EVENT), False
