"""The menu of the icon in the tray: what the state is, and one thing to press (dbusmenu)."""

from __future__ import annotations

from typing import Any

MENU, MENU_PATH = "com.canonical.dbusmenu", "/MenuBar"
_STATE, _TOGGLE = 2, 1
_ITEM = "(ia{sv}av)"


def menu_answer(
    member: str, body: Any, title: str, label: str, revision: int
) -> tuple[str | None, Any] | None:
    """Return signature and body of an answer; None where the call is not known."""
    items = {
        _STATE: {"label": ("s", title), "enabled": ("b", False)},
        _TOGGLE: {"label": ("s", label), "enabled": ("b", True)},
    }
    about = {"Version": ("u", 3), "Status": ("s", "normal"), "TextDirection": ("s", "ltr")}
    about["IconThemePath"] = ("as", [])
    if member == "GetLayout":
        below: list[Any] = [(_ITEM, (number, said, [])) for number, said in items.items()]
        root = (0, {"children-display": ("s", "submenu")}, below if body[0] == 0 else [])
        return f"u{_ITEM}", (revision, root)
    answers: dict[str, tuple[str | None, Any]] = {
        "GetGroupProperties": ("a(ia{sv})", (list(items.items()),)),
        "AboutToShow": ("b", (False,)),
        "AboutToShowGroup": ("aiai", ([], [])),
        "Event": (None, ()),
        "EventGroup": ("ai", ([],)),
        "GetAll": ("a{sv}", (about,)),
    }
    if member == "Get" and body[1] in about:
        return "v", (about[body[1]],)
    if member == "GetProperty" and body[1] in items.get(body[0], {}):
        return "v", (items[body[0]][body[1]],)
    return answers.get(member)
