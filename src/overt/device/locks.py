"""Whether the screen is locked or the computer sleeps, as logind and screen savers say on D-Bus.

Two things are told apart. A *state* (the screen is locked, the session is not the one in front)
closes recording as long as it lasts. An *interruption* (it was locked, it slept, the service that
would tell went away) pauses it until the person goes on by an act of their own: whoever comes back
to the computer need not be who left it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

SAVERS = (
    "org.freedesktop.ScreenSaver",
    "org.gnome.ScreenSaver",
    "org.cinnamon.ScreenSaver",
    "org.mate.ScreenSaver",
    "org.xfce.ScreenSaver",
)
LOGIN = "org.freedesktop.login1"
SESSION, MANAGER = f"{LOGIN}.Session", f"{LOGIN}.Manager"
PROPERTIES = "org.freedesktop.DBus.Properties"
_CLOSED_WHEN = {"LockedHint": True, "Active": False}
"""Properties of a session of logind → the value that closes recording."""

PATIENCE_S = 5.0
SLEPT_S = 2.0
"""The clock that runs in sleep got so far ahead of the one that does not."""


class Locks:
    """Listens on both buses, on a thread each. A bus that is not there says nothing."""

    def __init__(self, interrupted: Callable[[], None]) -> None:
        """`interrupted` is called, on any thread, whenever the person may have gone away."""
        self._interrupted = interrupted
        self._closed: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._asleep_s = _asleep_s()
        self._own = ""
        """Path of our session at logind; where it is unknown, every session counts as ours."""
        self._ready = [threading.Event(), threading.Event()]
        for (bus, listen), ready in zip(
            (("SESSION", self._savers), ("SYSTEM", self._login)), self._ready, strict=True
        ):
            work = (bus, listen, ready)
            threading.Thread(target=self._follow, args=work, name=f"{bus} bus", daemon=True).start()

    @property
    def closed(self) -> bool:
        """Whether the screen is locked now, or the session not in front."""
        return bool(self._closed)

    def wait(self) -> None:
        """Wait until both buses have said how things stand, or are known not to be there."""
        for ready in self._ready:
            ready.wait(PATIENCE_S)

    def look(self) -> None:
        """Notice a sleep that no bus told of, by the clocks."""
        asleep_s = _asleep_s()
        if asleep_s - self._asleep_s > SLEPT_S:
            self._interrupted()
        self._asleep_s = asleep_s

    def _follow(self, bus: str, listen: Callable[[Any, Any], Any], ready: threading.Event) -> None:
        from jeepney.io.blocking import open_dbus_connection

        with ExitStack() as stack:
            try:
                connection, asking = (
                    stack.enter_context(open_dbus_connection(bus)) for _ in range(2)
                )
            except Exception:  # noqa: BLE001 - no such bus: nothing to listen to
                ready.set()
                return
            try:
                handle = listen(connection, asking)
                ready.set()
                while True:
                    handle(connection.receive())
            except Exception:  # noqa: BLE001 - whatever went wrong: nobody would tell of a lock now
                self._interrupted()
        ready.set()

    def _savers(self, connection: Any, asking: Any) -> Callable[[Any], None]:
        from jeepney import MatchRule, message_bus

        for saver in SAVERS:
            rule = MatchRule(type="signal", interface=saver, member="ActiveChanged")
            connection.send_and_get_reply(message_bus.AddMatch(rule))
        rule = MatchRule(type="signal", interface="org.freedesktop.DBus", member="NameOwnerChanged")
        connection.send_and_get_reply(message_bus.AddMatch(rule))
        for saver in SAVERS:
            path = "/" + saver.replace(".", "/")
            self._state(saver, "", closed=_asked(asking, saver, path, saver) is True)
        return self._saver_said

    def _saver_said(self, message: Any) -> None:
        interface, member, _ = _of(message)
        if member == "ActiveChanged" and interface in SAVERS and message.body:
            self._state(interface, "", closed=bool(message.body[0]))
        elif member == "NameOwnerChanged" and message.body[0] in SAVERS and not message.body[2]:
            self._state(message.body[0], "", closed=False)  # a saver that ended locks nothing

    def _login(self, connection: Any, asking: Any) -> Callable[[Any], None]:
        from jeepney import MatchRule, message_bus

        for interface in (SESSION, MANAGER, PROPERTIES):
            rule = MatchRule(type="signal", interface=interface, sender=LOGIN)
            connection.send_and_get_reply(message_bus.AddMatch(rule))
        own = _asked(
            asking, LOGIN, "/org/freedesktop/login1", MANAGER, "GetSessionByPID", os.getpid()
        )
        self._own = own if isinstance(own, str) else ""
        for name in _CLOSED_WHEN if self._own else ():
            value = _asked(asking, LOGIN, self._own, PROPERTIES, "Get", SESSION, name)
            if isinstance(value, tuple):
                self._state(LOGIN, name, closed=value[1] is _CLOSED_WHEN[name])
        return self._login_said

    def _login_said(self, message: Any) -> None:
        interface, member, path = _of(message)
        if interface == MANAGER and member == "PrepareForSleep":
            self._interrupted()
        elif path != self._own and self._own:
            return
        elif interface == SESSION and member == "Lock":
            self._interrupted()
        elif interface == PROPERTIES and message.body and message.body[0] == SESSION:
            for name, (_, value) in message.body[1].items():
                if name in _CLOSED_WHEN:
                    self._state(LOGIN, name, closed=value is _CLOSED_WHEN[name])

    def _state(self, who: str, what: str, *, closed: bool) -> None:
        with self._lock:
            before = (who, what) in self._closed
            (self._closed.add if closed else self._closed.discard)((who, what))
        if closed and not before:
            self._interrupted()


def _of(message: Any) -> tuple[str, str, str]:
    from jeepney import HeaderFields

    fields = message.header.fields
    names = (HeaderFields.interface, HeaderFields.member, HeaderFields.path)
    interface, member, path = (str(fields.get(name, "")) for name in names)
    return interface, member, path


def _asked(
    connection: Any, name: str, path: str, interface: str, member: str = "GetActive", *body: Any
) -> Any:
    """Return the first value of an answer, or None where nobody answers."""
    from jeepney import DBusAddress, MessageFlag, MessageType, new_method_call

    signature = {str: "s", int: "u"}
    call = new_method_call(
        DBusAddress(path, name, interface),
        member,
        "".join(signature[type(one)] for one in body) or None,
        body,
    )
    call.header.flags |= MessageFlag.no_auto_start
    reply = connection.send_and_get_reply(call, timeout=PATIENCE_S)
    answered = reply.header.message_type == MessageType.method_return and reply.body
    return reply.body[0] if answered else None


def _asleep_s() -> float:
    """Return how long this computer slept since it was started, seconds."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
