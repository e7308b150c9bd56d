"""The sign that recording is on, where the desktop has a tray: an icon in it, by D-Bus.

`python -m overt.device.tray` speaks with the agent as `overt.device.chip` does. It is a
StatusNotifierItem. It says `beat` only while a tray that has fetched the icon is there still: if
that goes, or this does, the agent stops within a second; if the agent dies, the icon goes.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from queue import Empty, SimpleQueue
from typing import Any

from overt.device.signs import look_of, said, say, words_of
from overt.device.tray_icon import icons
from overt.device.tray_menu import MENU, MENU_PATH, menu_answer

WATCHER, WATCHER_PATH = "org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher"
ITEM, ITEM_PATH = "org.kde.StatusNotifierItem", "/StatusNotifierItem"
HOSTS = "org.kde.StatusNotifierHost"
PROPERTIES, BUS = "org.freedesktop.DBus.Properties", "org.freedesktop.DBus"
BEAT_S = 0.2
PATIENCE_S = 2.0


def is_there() -> bool:
    """Return whether the desktop has a tray that shows icons, and says so."""
    from jeepney.io.blocking import open_dbus_connection

    try:
        with open_dbus_connection("SESSION") as bus:
            return _host_is_there(bus)
    except Exception:  # noqa: BLE001 - whatever goes wrong, there is none
        return False


def _host_is_there(bus: Any) -> bool:
    from jeepney import DBusAddress, MessageFlag, MessageType, new_method_call

    where = DBusAddress(WATCHER_PATH, WATCHER, PROPERTIES)
    asked = new_method_call(where, "Get", "ss", (WATCHER, "IsStatusNotifierHostRegistered"))
    asked.header.flags |= MessageFlag.no_auto_start
    reply = bus.send_and_get_reply(asked, timeout=PATIENCE_S)
    return reply.header.message_type == MessageType.method_return and reply.body[0][1] is True


class Item:
    """The icon on the bus. `seen_by` is the connection of the tray that shows it.

    Only what that tray says counts: another program can press nothing, and seeing by it is none.
    """

    def __init__(self, bus: Any, asking: Any, words: dict[str, str]) -> None:
        from jeepney import MatchRule, message_bus

        self._bus, self._asking = bus, asking
        self._words = words
        self.state = "paused"
        self.seen_by = ""
        self.was_seen = self.toggled = False
        self._revision = 1
        self._name = f"{ITEM}-{os.getpid()}-1"
        bus.send_and_get_reply(message_bus.RequestName(self._name), timeout=PATIENCE_S)
        rule = MatchRule(type="signal", interface=BUS, member="NameOwnerChanged")
        bus.send_and_get_reply(message_bus.AddMatch(rule), timeout=PATIENCE_S)
        self.register()

    def register(self) -> None:
        """Tell the tray, or nobody, that there is an icon."""
        from jeepney import DBusAddress, MessageFlag, new_method_call

        where = DBusAddress(WATCHER_PATH, WATCHER, WATCHER)
        asked = new_method_call(where, "RegisterStatusNotifierItem", "s", (self._name,))
        asked.header.flags |= MessageFlag.no_reply_expected | MessageFlag.no_auto_start
        self._bus.send(asked)

    def show(self, state: str) -> None:
        """Show a state: `recording` or `paused`, and a word more."""
        from jeepney import DBusAddress, new_signal

        self.state = state
        self._revision += 1
        here = DBusAddress(ITEM_PATH, interface=ITEM)
        for name in ("NewIcon", "NewTitle", "NewToolTip"):
            self._bus.send(new_signal(here, name))
        menu = DBusAddress(MENU_PATH, interface=MENU)
        self._bus.send(new_signal(menu, "LayoutUpdated", "ui", (self._revision, 0)))

    def take(self, message: Any) -> None:
        """Answer a call, or notice that the tray came or went."""
        from jeepney import HeaderFields, MessageType

        fields = message.header.fields
        member = str(fields.get(HeaderFields.member, ""))
        if message.header.message_type == MessageType.signal:
            if member == "NameOwnerChanged":
                self._changed(*map(str, message.body))
            return
        if message.header.message_type != MessageType.method_call:
            return
        interface = str(fields.get(HeaderFields.interface, ""))
        sender = str(fields.get(HeaderFields.sender, ""))
        body = message.body or ()
        if interface == MENU or (interface == PROPERTIES and body and body[0] == MENU):
            self._answer_menu(message, member, body, sender)
        elif interface == PROPERTIES and body and body[0] == ITEM:
            self._answer_properties(message, member, body)
            if sender != self.seen_by and self._is_tray(sender):
                self.seen_by, self.was_seen = sender, True
        elif interface == ITEM:
            self._pressed(sender, pressed=member in ("Activate", "SecondaryActivate"))
            self._reply(message)
        else:
            self._refuse(message)

    def _pressed(self, sender: str, *, pressed: bool) -> None:
        self.toggled = self.toggled or (pressed and sender == self.seen_by != "")

    def _is_tray(self, sender: str) -> bool:
        """Return whether a connection is one that shows icons: the watcher's own, or a host's."""
        from jeepney import message_bus

        ask = self._asking.send_and_get_reply
        names = ask(message_bus.ListNames(), timeout=PATIENCE_S).body[0]
        shows = [one for one in names if one == WATCHER or one.startswith(HOSTS)]
        owners = [ask(message_bus.GetNameOwner(one), timeout=PATIENCE_S) for one in shows]
        return sender in [one.body[0] for one in owners]

    def _changed(self, name: str, _before: str, now: str) -> None:
        if name == self.seen_by and not now:
            self.seen_by = ""
        if name == WATCHER:
            self.seen_by = ""
            if now:
                self.register()

    def _answer_menu(self, message: Any, member: str, body: Any, sender: str) -> None:
        label = self._words["resume" if look_of(self.state) == "paused" else "pause"]
        answer = menu_answer(member, body, self._title(), label, self._revision)
        if answer is None:
            self._refuse(message)
            return
        self._reply(message, *answer)
        pressed = member == "Event" and tuple(body[:2]) == (1, "clicked")
        grouped = member == "EventGroup" and any(one[:2] == (1, "clicked") for one in body[0])
        self._pressed(sender, pressed=pressed or grouped)

    def _answer_properties(self, message: Any, member: str, body: Any) -> None:
        said = self.properties()
        if member == "GetAll":
            self._reply(message, "a{sv}", (said,))
        elif member == "Get" and body[1] in said:
            self._reply(message, "v", (said[body[1]],))
        else:
            self._refuse(message)

    def properties(self) -> dict[str, tuple[str, Any]]:
        """Return what a tray asks of an item."""
        pixels = icons(look_of(self.state))
        return {
            "Category": ("s", "ApplicationStatus"),
            "Id": ("s", "overt"),
            "Title": ("s", self._title()),
            "Status": ("s", "Active"),
            "WindowId": ("i", 0),
            "IconName": ("s", ""),
            "IconPixmap": ("a(iiay)", pixels),
            "OverlayIconName": ("s", ""),
            "OverlayIconPixmap": ("a(iiay)", []),
            "AttentionIconName": ("s", ""),
            "AttentionIconPixmap": ("a(iiay)", []),
            "AttentionMovieName": ("s", ""),
            "ToolTip": ("(sa(iiay)ss)", ("", [], self._title(), "Ctrl+Alt+P")),
            "ItemIsMenu": ("b", False),
            "Menu": ("o", MENU_PATH),
        }

    def _title(self) -> str:
        return said(self.state, self._words)

    def _reply(self, message: Any, signature: str | None = None, body: Any = ()) -> None:
        from jeepney import new_method_return

        self._bus.send(new_method_return(message, signature, body))

    def _refuse(self, message: Any) -> None:
        from jeepney import new_error

        self._bus.send(new_error(message, f"{BUS}.Error.UnknownMethod"))


def main() -> None:
    """Show the icon until standard input ends, or the bus does."""
    from jeepney.io.blocking import open_dbus_connection

    told: SimpleQueue[str] = SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            told.put(line.strip())
        told.put("bye")

    threading.Thread(target=listen, daemon=True).start()
    with open_dbus_connection("SESSION") as bus, open_dbus_connection("SESSION") as asking:
        item = Item(bus, asking, words_of(sys.argv[1:]))
        beat_s = 0.0
        while _told(told, item):
            with contextlib.suppress(TimeoutError):
                item.take(bus.receive(timeout=BEAT_S))
            if item.was_seen and not item.seen_by:
                item.was_seen = False
                say("gone")
            if item.toggled:
                item.toggled = False
                say("toggle")
            if item.seen_by and time.monotonic() - beat_s >= BEAT_S:
                beat_s = time.monotonic()
                say("beat")


def _told(told: SimpleQueue[str], item: Item) -> bool:
    """Take in what the agent says; False once it has gone."""
    while True:
        try:
            line = told.get_nowait()
        except Empty:
            return True
        if line == "bye":
            return False
        item.show(line)


if __name__ == "__main__":
    main()
