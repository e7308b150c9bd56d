"""Level `keys` on a real desktop: what is typed in the listed field comes out; no secret does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from desk_fixtures import Desk, device
from desktop_fixtures import Hand, add_study, desktop, join, recording, until
from overt.device.fields import LISTED, SUPPRESSED, Field, Fields
from overt.schema import batch
from overt.schema.event import Kind, Role
from overt.store.store import Store
from studio_fixtures import studio

pytest.importorskip("xcffib", reason="the desktop extra is not installed (Linux only)")
pytestmark = pytest.mark.soak

TEXT = "Dear Ann, 42 of them: yes! (Quite so.) wEird_caps; a/b?"
CANARY = "zqxjkvwz"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("keys")
    with ExitStack() as stack:
        screen = stack.enter_context(desktop(folder / "home"))
        add_study(folder / "data", outbox_delay_s=600, keys=True)
        server = stack.enter_context(studio(folder))
        editor, terminal = screen.editor_and_terminal()
        address = f"{server.url.rstrip('/')}/study/desk"
        agent = stack.enter_context(recording(screen, address, folder / "device"))
        join(agent, keys=True)
        hand = Hand(screen.display)
        stack.callback(hand.close)
        page = re.findall(r"http://127\S+/", agent.shown)[-1]
        place = folder / "device"
        yield Desk(screen, address, place, server.data_dir, agent, editor, terminal, hand, page)


def text_of(rows: Any) -> str:
    """Return what presses wrote, as the symbols say it."""
    down = rows["key_symbol"][rows["kind"] == Kind.KEY_DOWN]
    return "".join(chr(one) for one in down.tolist() if 0 < one < 0x110000)


def test_what_is_typed_in_the_listed_field_comes_out_identical_and_no_secret_anywhere(
    desk: Desk, tmp_path: Path
) -> None:
    desk.ready(desk.editor)
    before = len(desk.settled())
    desk.screen.do("type", "--delay", "12", TEXT)
    assert text_of(desk.settled()[before:]) == TEXT
    told = len(desk.settled())
    desk.screen.do("key", "ctrl+f")  # a field of one line: not of the listed kind
    desk.screen.do("sleep", "1")
    desk.screen.do("type", "--delay", "12", CANARY)
    desk.screen.do("sleep", "4")
    desk.screen.do("key", "Escape")

    desk.screen.start("zenity", "--password", "--title", "asks")
    desk.screen.start("zenity", "--entry", "--title", "plain")
    desk.screen.start("xev")
    places = {"asks": 300, "plain": 450, "Event Tester": 600}
    for name, y in places.items():
        window = desk.screen.window(f"^{name}$", 700, y, 300, 100, by="--name")
        desk.screen.focus(window)
        until(lambda w=window: desk.screen.do("getwindowfocus") == w, "it has the keyboard")
        desk.screen.do("sleep", "1")
        desk.screen.do("type", "--delay", "12", CANARY)
    desk.ready(desk.terminal)
    desk.screen.do("key", "ctrl+u")
    desk.screen.do("type", "--delay", "12", CANARY)
    desk.screen.do("key", "ctrl+u")
    for window in (desk.terminal, desk.editor):  # a race out of the listed field, and back
        desk.screen.do("windowactivate", window)
        if window == desk.terminal:
            desk.screen.do("type", "--delay", "2", CANARY)
    desk.screen.focus(desk.editor)
    desk.ready(desk.editor)

    rows = desk.settled()
    assert not set(text_of(rows[told:])) & set(CANARY)
    classes = (rows[told:]["kind"] == Kind.KEY_DOWN) & (rows[told:]["key_symbol"] == 0)
    assert classes.sum() >= 2 * len(CANARY), "of listed applications' other fields: the class"

    waiting = _plain(desk)
    device(desk, "send")
    with Store.open(desk.data_dir) as store:
        (person,) = store.subjects("desk")
        stored = [body for _, body in store.read(store.batches_of(person))]
    tables = [batch.to_events(*batch.decode(body)) for body in stored]
    symbols = "".join(
        chr(one["key_symbol"])
        for table in tables
        for one in table.to_pylist()
        if one["kind"] == Kind.KEY_DOWN and 0 < one["key_symbol"] < 0x110000
    )
    assert TEXT in symbols
    assert not set(symbols.replace(TEXT, "")) & set(CANARY)
    kept = [path.read_bytes() for path in desk.folder.parent.rglob("*") if path.is_file()]
    for found in (*kept, *waiting, *stored, desk.agent.shown.encode()):
        for code in ("utf-8", "utf-16-le", "utf-32-le"):
            assert CANARY.encode(code) not in found


def test_a_terminal_that_a_page_draws_is_no_text_field(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "editor.html"
    page.write_text(
        '<title>editor</title><textarea class="xterm-helper-textarea"></textarea>'
        '<textarea></textarea><script>document.querySelector("textarea").focus()</script>'
    )
    for name, value in desk.screen.environment.items():
        monkeypatch.setenv(name, value)
    fields = Fields()
    assert fields.wait()
    told = ("--no-sandbox", "--no-first-run", "--force-renderer-accessibility")
    place = (f"--user-data-dir={tmp_path / 'profile'}", f"--app={page.as_uri()}")
    desk.screen.start("env", "ACCESSIBILITY_ENABLED=1", "chromium", *told, *place)
    desk.screen.focus(desk.screen.window("chromium", 620, 80, 500, 400))
    seen: list[Field] = []

    def field() -> Field:
        seen.append(fields.now)
        return fields.now

    until(lambda: (one := field()).place[0] and one.verdict == SUPPRESSED, "the terminal has it")
    turn, pid = fields.turn, fields.now.pid
    assert fields.confirmed(pid, turn).verdict == SUPPRESSED
    assert fields.turn == turn, "nobody looks for another"
    desk.screen.do("key", "Tab")
    until(lambda: field().verdict == LISTED, "the text area has it")
    assert seen[0].verdict != LISTED
    assert fields.confirmed(fields.now.pid, fields.turn).kind == Role.TEXT_AREA


def _plain(desk: Desk) -> list[bytes]:
    """Return what leaves this computer, as it will lie on the wire."""
    from overt.device.outbox import Outbox
    from overt.device.vault import Vault

    vault = Vault(desk.folder / "desk")
    try:
        return [entry.plain for entry in Outbox(vault).entries()]
    finally:
        vault.close()
