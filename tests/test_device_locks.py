"""A locked screen, a sleep, a bus that dies: told by real services on real buses of our own."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from desktop_fixtures import until
from overt.device.locks import LOGIN, MANAGER, PROPERTIES, SESSION, Locks

jeepney = pytest.importorskip("jeepney")
SAVER = "org.freedesktop.ScreenSaver"
OURS, OTHERS = "/org/freedesktop/login1/session/ours", "/org/freedesktop/login1/session/others"


class Bus:
    """A message bus and a service on it that answers with what it was given."""

    def __init__(self, name: str, answers: dict[str, Any], stack: ExitStack) -> None:
        from jeepney.io.blocking import open_dbus_connection

        command = ["dbus-daemon", "--session", "--nofork", "--print-address"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        stack.callback(self.process.wait)
        stack.callback(self.process.kill)
        assert self.process.stdout is not None
        stack.callback(self.process.stdout.close)
        self.address = self.process.stdout.readline().strip()
        self._service, self._says = (open_dbus_connection(self.address) for _ in range(2))
        stack.callback(self._says.close)
        self._service.send_and_get_reply(jeepney.message_bus.RequestName(name))
        threading.Thread(target=self._serve, args=(answers,), daemon=True).start()

    def _serve(self, answers: dict[str, Any]) -> None:
        while True:
            try:
                asked = self._service.receive()
            except (ConnectionError, OSError, ValueError):
                self._service.close()
                return
            fields = asked.header.fields
            if asked.header.message_type != jeepney.MessageType.method_call:
                continue
            member = fields[jeepney.HeaderFields.member]
            found = answers[asked.body[1] if member == "Get" else member]
            self._service.send(jeepney.new_method_return(asked, *found))

    def say(self, path: str, interface: str, member: str, signature: str, *body: Any) -> None:
        where = jeepney.DBusAddress(path, interface=interface)
        self._says.send(jeepney.new_signal(where, member, signature, body))


@contextmanager
def buses(monkeypatch: pytest.MonkeyPatch, *, saver: bool = False) -> Iterator[tuple[Bus, Bus]]:
    with ExitStack() as stack:
        session = Bus(SAVER, {"GetActive": ("b", (saver,))}, stack)
        hints = {"LockedHint": ("v", (("b", False),)), "Active": ("v", (("b", True),))}
        system = Bus(LOGIN, {"GetSessionByPID": ("o", (OURS,)), **hints}, stack)
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session.address)
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", system.address)
        yield session, system


class Heard:
    def __init__(self) -> None:
        self.times = 0
        self.locks = Locks(self)
        self.locks.wait()

    def __call__(self) -> None:
        self.times += 1


def test_a_screen_saver_closes_while_it_is_on_and_interrupts_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with buses(monkeypatch) as (session, _):
        heard = Heard()
        assert (heard.locks.closed, heard.times) == (False, 0)
        session.say("/saver", SAVER, "ActiveChanged", "b", True)
        until(lambda: heard.locks.closed and heard.times == 1, "it is locked")
        session.say("/saver", SAVER, "ActiveChanged", "b", False)
        until(lambda: not heard.locks.closed, "it is open again")
        assert heard.times == 1


def test_a_screen_that_was_locked_before_is_known_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    with buses(monkeypatch, saver=True):
        heard = Heard()
        assert (heard.locks.closed, heard.times) == (True, 1)


def test_logind_tells_of_our_session_of_sleep_and_not_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with buses(monkeypatch) as (_, system):
        heard = Heard()

        def changed(path: str, name: str, *, to: bool) -> None:
            body = (SESSION, {name: ("b", to)}, [])
            system.say(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", *body)

        system._says, said = system._service, system._says  # logind itself must be the sender
        changed(OTHERS, "LockedHint", to=True)
        system.say(OTHERS, SESSION, "Lock", "")
        changed(OURS, "LockedHint", to=True)
        until(lambda: heard.locks.closed, "our session is locked")
        assert heard.times == 1
        changed(OURS, "LockedHint", to=False)
        until(lambda: not heard.locks.closed, "our session is open")
        system.say("/org/freedesktop/login1", MANAGER, "PrepareForSleep", "b", True)
        until(lambda: heard.times == 2, "it sleeps")
        changed(OURS, "Active", to=False)
        until(
            lambda: heard.locks.closed and heard.times == 3, "somebody else's session is in front"
        )
        system._says = said


def test_a_bus_that_dies_interrupts_and_one_that_never_was_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with buses(monkeypatch) as (session, _):
        heard = Heard()
        session.process.kill()
        until(lambda: heard.times == 1, "nobody would tell of a lock now")
    heard = Heard()
    assert (heard.locks.closed, heard.times) == (False, 0)


def test_a_sleep_that_no_bus_told_of_is_seen_by_the_clocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere")
    heard = Heard()
    heard.locks.look()
    assert heard.times == 0
    monkeypatch.setattr("overt.device.locks._asleep_s", lambda: 1e9)
    heard.locks.look()
    heard.locks.look()
    assert heard.times == 1
