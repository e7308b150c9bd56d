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
from typing import Any, NamedTuple

_FIRST = 1 << 16
"""Numbers of ours begin where those of the connection's own greeting are long over."""

_HEAD_BYTES = 16
_ANSWER, _ERROR = 2, 3
SIGNAL = 4
_REPLY_SERIAL = 5
_READ_BYTES = 1 << 16


Member = str | tuple[str, str, tuple[Any, ...]]
"""What is called: its name, or its name with the signature and values that go with it."""


class Message(NamedTuple):
    """A message of the bus, as far as anybody here reads it."""

    kind: int
    head: bytes
    words: tuple[int, ...]
    """Its body as 32-bit numbers, as far as it is made of them; () of an error."""
    answers: int
    """Number of the question that it answers; 0 where it is a signal."""


class Questions:
    """Asks on a connection that nobody else uses, from one thread."""

    def __init__(self, connection: Any) -> None:
        self._socket = connection.sock
        self._made: dict[tuple[str, str, str, Member], tuple[bytes, bytes]] = {}
        self._numbers = count(_FIRST)
        self._rest = b""

    def ask(
        self, place: tuple[str, str], interface: str, members: Sequence[Member], patience_s: float
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

    def _question(
        self, name: str, path: str, interface: str, member: Member
    ) -> tuple[bytes, bytes]:
        """Return what comes before and after the number of a question."""
        key = (name, path, interface, member)
        if key not in self._made:
            from jeepney import DBusAddress, new_method_call

            if len(self._made) > 64:
                self._made.clear()
            called, *with_it = (member,) if isinstance(member, str) else member
            call = new_method_call(DBusAddress(path, name, interface), called, *with_it)
            plain = call.serialise(serial=1)
            self._made[key] = plain[:8], plain[12:]
        return self._made[key]

    def _next(self) -> tuple[int, tuple[int, ...]] | None:
        """Return the number and the words of the next answer that is whole; () for an error."""
        while (found := _taken(self._rest)) is not None:
            message, self._rest = found
            if message.kind in (_ANSWER, _ERROR):
                return message.answers, message.words
        return None


def messages(data: bytes) -> tuple[list[Message], bytes]:
    """Return the whole messages in what was received, and the beginning of one that is not."""
    made = []
    while (found := _taken(data)) is not None:
        message, data = found
        made.append(message)
    return made, data


def _taken(data: bytes) -> tuple[Message, bytes] | None:
    """Return the first message and what comes after it; None if it is not whole."""
    if len(data) < _HEAD_BYTES:
        return None
    order = "<" if data[:1] == b"l" else ">"
    body_bytes, _, fields_bytes = struct.unpack_from(order + "III", data, 4)
    begin = _HEAD_BYTES + fields_bytes + -fields_bytes % 8
    if len(data) < begin + body_bytes:
        return None
    kind, head = data[1], data[: _HEAD_BYTES + fields_bytes]
    is_answer = kind in (_ANSWER, _ERROR)
    words = 0 if kind == _ERROR else body_bytes // 4
    told = struct.unpack_from(f"{order}{words}I", data, begin)
    answers = _answers(head, order) if is_answer else 0
    return Message(kind, head, told, answers), data[begin + body_bytes :]


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
