"""A small tray on a session bus, as a panel is one."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import pytest

from overt.device.tray import ITEM, ITEM_PATH, WATCHER

jeepney = pytest.importorskip("jeepney", reason="the desktop extra is not installed")
PROPERTIES = "org.freedesktop.DBus.Properties"


class Tray:
    """A watcher that is a tray too: it fetches what is registered, as panels do."""

    def __init__(self, *, shows: bool = False) -> None:
        """`shows`: fetch what is registered at once."""
        from jeepney.io.blocking import open_dbus_connection

        self._bus, self.asking = (open_dbus_connection("SESSION") for _ in range(2))
        self.item = ""
        for bus, name in ((self._bus, WATCHER), (self.asking, "org.kde.StatusNotifierHost-1")):
            bus.send_and_get_reply(jeepney.message_bus.RequestName(name), timeout=5)
        threading.Thread(target=self._serve, args=(shows,), daemon=True).start()

    def _serve(self, shows: bool) -> None:
        with suppress(Exception):
            while True:
                call = self._bus.receive()
                member = call.header.fields.get(jeepney.HeaderFields.member)
                if member == "Get":
                    reply = jeepney.new_method_return(call, "v", (("b", True),))
                    self._bus.send(reply)
                elif member == "RegisterStatusNotifierItem":
                    self.item = call.body[0]
                    if shows:
                        self.shown()

    def ask(self, interface: str, member: str, path: str = ITEM_PATH, *body: Any) -> Any:
        signature = {str: "s", int: "i"}
        where = jeepney.DBusAddress(path, self.item, interface)
        call = jeepney.new_method_call(
            where, member, "".join(signature[type(one)] for one in body) or None, body
        )
        reply = self.asking.send_and_get_reply(call, timeout=5)
        assert reply.header.message_type == jeepney.MessageType.method_return, reply.body
        return reply.body

    def shown(self) -> dict[str, Any]:
        (said,) = self.ask(PROPERTIES, "GetAll", ITEM_PATH, ITEM)
        return {name: value for name, (_, value) in said.items()}

    def close(self) -> None:
        self.asking.close()
        self._bus.close()
