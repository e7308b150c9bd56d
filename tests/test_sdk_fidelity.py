"""What exactly is recorded of what hands do, in a real Chromium: nothing twice, nothing bent."""

from __future__ import annotations

from typing import Any

from overt.schema.event import Command, Kind
from sdk_fixtures import FIXTURES, Server, join, seen, send

browser, context, page, server, shared = (FIXTURES[n] for n in (0, 1, 3, 4, 5))


def values(page: Any, kind: Kind) -> list[int]:
    return [event["value"] for event in seen(page) if event["kind"] == kind]


def test_shortcuts_are_named_commands_but_not_where_a_secret_has_the_keyboard(
    page: Any, server: Server
) -> None:
    join(page, ["next-action"])
    page.click("#free")
    page.keyboard.type("ab")
    for keys in ("Control+a", "Control+c", "Control+v", "Control+z", "Control+Shift+Z"):
        page.keyboard.press(keys)
    named = [Command.SELECT_ALL, Command.COPY, Command.PASTE, Command.UNDO, Command.REDO]
    assert values(page, Kind.COMMAND) == named
    page.click("#button")
    page.keyboard.press("Control+f")
    for field in ("#password", "#card", "#unlisted", "#secretdiv"):
        page.click(field)
        for keys in ("Control+a", "Control+c", "Control+v", "Control+z", "Control+f"):
            page.keyboard.press(keys)
    assert values(page, Kind.COMMAND) == [*named, Command.FIND]
    assert send(page)["waiting"] == 0
    sent = [event["value"] for event in server.events() if event["kind"] == Kind.COMMAND]
    assert sent == [*named, Command.FIND]
