"""Questions that go out together: their answers come in any order, in pieces, late, or never."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from overt.device.questions import Questions

jeepney = pytest.importorskip("jeepney", reason="the desktop extra is not installed")
PLACE, INTERFACE = (":1.7", "/org/a11y/atspi/accessible/42"), "org.a11y.atspi.Accessible"


@pytest.fixture
def asked() -> Iterator[tuple[Questions, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Questions(SimpleNamespace(sock=ours)), theirs


def _answer(number: int, signature: str = "u", body: tuple[object, ...] = (79,)) -> bytes:
    to = jeepney.new_method_call(jeepney.DBusAddress("/a", "b.c"), "Any")
    to.header.fields[jeepney.HeaderFields.sender] = ":1.9"
    to.header.serial = number
    return bytes(jeepney.new_method_return(to, signature, body).serialise(serial=number + 7))


def _signal() -> bytes:
    emitter = jeepney.DBusAddress("/org/freedesktop/DBus", interface="org.freedesktop.DBus")
    return bytes(jeepney.new_signal(emitter, "NameAcquired", "s", (":1.30",)).serialise(serial=2))


def test_answers_are_told_apart_whatever_their_order_and_what_lies_between(
    asked: tuple[Questions, socket.socket],
) -> None:
    questions, theirs = asked
    theirs.sendall(_signal() + _answer(5) + _answer(65537, "au", ([1 << 12, 3],)) + _answer(65536))
    both = ("GetRole", "GetState")
    assert questions.ask(PLACE, INTERFACE, both, 5.0) == [(79,), (8, 1 << 12, 3)]
    sent = theirs.recv(1 << 16)
    parser = jeepney.Parser()
    parser.add_data(sent)
    for number, member in zip((65536, 65537), both, strict=True):
        said = parser.get_next_message().header
        fields = {name.name: value for name, value in said.fields.items()}
        assert (said.serial, fields["member"], fields["path"]) == (number, member, PLACE[1])
        assert (fields["destination"], fields["interface"]) == (PLACE[0], INTERFACE)


def test_an_answer_in_pieces_is_waited_for_and_one_that_never_comes_is_not(
    asked: tuple[Questions, socket.socket],
) -> None:
    questions, theirs = asked
    whole = _answer(65536)
    theirs.sendall(whole[:23])
    with pytest.raises(TimeoutError):
        questions.ask(PLACE, INTERFACE, ("GetRole",), 0.01)
    theirs.sendall(whole[23:] + _answer(65537, "u", (40,)))  # the late one is nobody's any more
    assert questions.ask(PLACE, INTERFACE, ("GetRole",), 5.0) == [(40,)]


def test_an_error_or_a_bus_that_is_gone_is_no_answer(
    asked: tuple[Questions, socket.socket],
) -> None:
    questions, theirs = asked
    to = jeepney.new_method_call(jeepney.DBusAddress("/a", "b.c"), "Any")
    to.header.fields[jeepney.HeaderFields.sender] = ":1.9"
    to.header.serial = 65536
    theirs.sendall(jeepney.new_error(to, "org.freedesktop.DBus.Error.UnknownObject").serialise(9))
    with pytest.raises(LookupError):
        questions.ask(PLACE, INTERFACE, ("GetRole",), 5.0)
    theirs.close()
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        questions.ask(PLACE, INTERFACE, ("GetRole",), 5.0)
