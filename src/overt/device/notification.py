"""A word to the person by the desktop's own notifications, where a desktop shows any."""

from __future__ import annotations

_NAME = "org.freedesktop.Notifications"
_PATH = "/org/freedesktop/Notifications"
PATIENCE_S = 5.0
_STAYS = 0
"""Until the person closes it."""


def tell(title: str, text: str) -> bool:
    """Show a notification that stays; return whether a desktop took it."""
    # The text may hold a study's own words: it must not be taken for markup.
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    told: tuple[object, ...] = ("Overt", 0, "media-record", title, plain, [], {}, _STAYS)
    try:
        from jeepney import DBusAddress, MessageType, new_method_call
        from jeepney.io.blocking import open_dbus_connection

        with open_dbus_connection("SESSION") as bus:
            where = DBusAddress(_PATH, _NAME, _NAME)
            call = new_method_call(where, "Notify", "susssasa{sv}i", told)
            answer = bus.send_and_get_reply(call, timeout=PATIENCE_S)
    except Exception:  # noqa: BLE001 - whatever goes wrong, nobody has been told
        return False
    return bool(answer.header.message_type is MessageType.method_return)
