"""Questions over D-Bus that are asked again at every few keys, for as little as they can cost.

A question to the same object differs from the one before in one number only, and each answer here
is a few numbers. So a question is put together once and sent with its number changed; several go
out together, and their answers are read as they lie in the message (the D-Bus specification says
how).
"""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from itertools import count
from typing import Any

_FIRST = 1 << 16
"""Numbers of ours begin where those of the connection's own greeting are long over."""

_HEAD_BYTES = 16
_ANSWER, _ERROR = 2, 3
_REPLY_SERIAL = 5
_READ_BYTES = 1 << 16


class Questions:
    """Asks on a connection that nobody else uses, from one thread."""

    def __init__(self, connection: Any) -> None:
        self._socket = connection.sock
        self._made: dict[tuple[str, str, str, str], tuple[bytes, bytes]] = {}
        self._numbers = count(_FIRST)
        self._rest = b""

    def ask(
        self, place: tuple[str, str], interface: str, members: Sequence[str], patience_s: float
    ) -> list[tuple[int, ...]]:
        """Return the answer of each member of an object, as the 32-bit numbers it is made of.

        Raises `TimeoutError` where one does not come in time, `LookupError` where it is an error.
        """
        end_s = time.monotonic() + patience_s
        wanted = [next(self._numbers) for _ in members]
        self._socket.settimeout(patience_s)
        self._socket.sendall(
            b"".join(
                number.to_bytes(4, "little").join(self._question(*place, interface, member))
                for number, member in zip(wanted, members, strict=True)
            )
        )
        found: dict[int, tuple[int, ...]] = {}
        while not found.keys() >= set(wanted):
            answered = self._next()
            if answered is not None:
                found.update([answered])
                continue
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            self._socket.settimeout(left_s)
            if not (part := self._socket.recv(_READ_BYTES)):
                raise ConnectionResetError
            self._rest += part
        if not all(found[number] for number in wanted):
            raise LookupError(place)
        return [found[number] for number in wanted]

    def _question(self, name: str, path: str, interface: str, member: str) -> tuple[bytes, bytes]:
        """Return what comes before and after the number of a question."""
        key = (name, path, interface, member)
        if key not in self._made:
            from jeepney import DBusAddress, new_method_call

            if len(self._made) > 64:
                self._made.clear()
            call = new_method_call(DBusAddress(path, name, interface), member)
            plain = call.serialise(serial=1)
            self._made[key] = plain[:8], plain[12:]
        return self._made[key]

    def _next(self) -> tuple[int, tuple[int, ...]] | None:
        """Return the number and the words of the next answer that is whole; () for an error."""
        while len(self._rest) >= _HEAD_BYTES:
            order = "<" if self._rest[:1] == b"l" else ">"
            body_bytes, _, fields_bytes = struct.unpack_from(order + "III", self._rest, 4)
            begin = _HEAD_BYTES + fields_bytes + -fields_bytes % 8
            if len(self._rest) < begin + body_bytes:
                return None
            message, self._rest = (
                self._rest[: begin + body_bytes],
                self._rest[begin + body_bytes :],
            )
            if message[1] not in (_ANSWER, _ERROR):
                continue
            number = _answers(message[: _HEAD_BYTES + fields_bytes], order)
            words = body_bytes // 4 if message[1] == _ANSWER else 0
            return number, struct.unpack_from(f"{order}{words}I", message, begin)
        return None


def _answers(head: bytes, order: str) -> int:
    """Return which question a message answers."""
    at = _HEAD_BYTES
    while at < len(head):
        code, kind = head[at], head[at + 2 : at + 3]
        if code == _REPLY_SERIAL:
            return int(struct.unpack_from(order + "I", head, at + 4)[0])
        size = 1 + head[at + 4] if kind == b"g" else 4
        if kind in b"so":
            size += 1 + int(struct.unpack_from(order + "I", head, at + 4)[0])
        at += 4 + size + -(4 + size) % 8
    raise LookupError("an answer to nothing")
