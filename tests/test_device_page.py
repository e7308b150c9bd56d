"""The person's own page: in their language, by keyboard alone, with what it costs and a code."""

from __future__ import annotations

import ast
import re
import socket
import struct
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overt.commands.whereabouts import study_at
from overt.device import daybook, outbox_page, qr, wording
from overt.device.at_login import Login
from overt.device.costs import Costs, Meter, held
from overt.device.daybook import Daybook
from overt.device.facts import FACTS
from overt.device.outbox import Outbox
from overt.device.outbox_page import OutboxPage
from overt.device.pairing import LASTS_S, code_in, new_code, scanned
from overt.device.seam import no_display
from overt.device.session import Recording, Session
from overt.device.vault import Vault
from overt.device.wording import Words, in_own_words, page_words
from overt.schema.errors import InvalidInput, Missing, Refused
from overt.schema.event import KeyClass, Kind, Role
from overt.schema.study import LANGUAGES

CODE = "7Z3K-4QHM-0WXB"


@dataclass
class Standing:
    """What the page asks of an agent, where nothing is recorded."""

    outbox: Outbox
    acts: list[str] = field(default_factory=list)
    recording: bool = True
    online: bool = True
    offline: bool = False
    hold_days: int = 7

    def phase(self) -> tuple[str, float | None]:
        return ("recording", None) if self.recording else ("paused person", 9.6)

    def pause(self, minutes: float | None = None) -> None:
        self.acts.append(f"pause {minutes}")
        self.recording = False

    def resume(self) -> None:
        self.acts.append("resume")
        self.recording = True

    def settle(self) -> None: ...

    def costs(self) -> Costs:
        return Costs(1.5, 54.0, 61.0, 0.037, 5400, 31_000)

    def pair(self) -> str:
        if not self.online:
            raise Missing("cannot be reached", where="server")
        return CODE


def filled(folder: Path) -> Outbox:
    """Return an outbox with keys in two applications, parts of a window, and a picture of it."""
    vault = Vault(folder)
    purposes = ("screen-elements", "screen-pictures", "typing-assist")
    about: dict[str, Any] = {"study": "desk", "receipt": "1" * 32, "level": "rhythm"}
    about |= {"transform": "rhythm/0", "time_origin_ms": 1_790_000_000_000, "outbox_delay_s": 600}
    session = Session(Recording(session="a" * 32, purposes=purposes, **about), vault)
    rows = np.zeros(1240, FACTS)
    rows["kind"], rows["key_class"] = Kind.KEY_DOWN, KeyClass.LETTER
    rows["t_us"] = np.arange(len(rows)) * 90_000
    rows["kind"][[0, 700]], rows["value"][[0, 700]] = Kind.FOCUS, (1, 2)
    look, parts = rows[600:604], ((24, 80, 520, 500), (24, 80, 520, 24), (350, 80, 160, 24))
    look["kind"] = (Kind.ELEMENT, Kind.ELEMENT, Kind.PICTURE, Kind.PICTURE)
    look["key_class"], look["element"] = 0, (1, 2, 1, 1)
    look["edit_chars"][1], look["value"][3] = 1, 0x6F7B
    look["role"] = (Role.PAGE, Role.MENU_ITEM, Role.PAGE, 0)
    for row, (x, y, wide, high) in zip(look, (*parts[:2], parts[0], parts[2]), strict=True):
        row["x_8th_css_px"], row["y_8th_css_px"] = 8 * x, 8 * y
        row["scroll_x_css_px"], row["scroll_y_css_px"] = wide, high
    session.add(rows)
    session.close(0)
    return Outbox(vault)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Standing, OutboxPage]]:
    agent = Standing(filled(tmp_path))
    titles = {1: "Texteditor", 2: "Terminal"}
    page = OutboxPage(agent, titles, "desk", server="https://example.org", language="de")
    yield agent, page
    page.close()
    agent.outbox.vault.close()


def asked(page: OutboxPage, path: str = "", **form: str) -> str:
    parts = urllib.parse.urlsplit(page.url)
    sent = urllib.request.Request(
        page.url + path,
        urllib.parse.urlencode(form).encode() if path and not path.startswith("batch") else None,
        {"Origin": f"{parts.scheme}://{parts.netloc}"},
    )
    with urllib.request.urlopen(sent) as answer:
        return str(answer.read().decode())


def _texts(words: dict[str, Any], at: str = "") -> Iterator[tuple[str, str]]:
    for name, value in words.items():
        if isinstance(value, dict):
            yield from _texts(value, f"{at}{name}.")
        else:
            yield f"{at}{name}", str(value)


def test_every_language_says_the_same_with_the_same_things_filled_in() -> None:
    shapes = [
        {at: sorted(re.findall(r"\{\w+\}", text)) for at, text in _texts(page_words(language))}
        for language in LANGUAGES
    ]
    assert all(shape == shapes[0] for shape in shapes)
    assert Words("fr").language == "en"
    assert Words("de").number(1234.5, 1) == "1.234,5"


def test_what_stops_a_program_is_said_in_the_persons_language_as_it_stands_in_the_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LC_ALL", "de_AT.UTF-8")
    with pytest.raises(Missing) as said, in_own_words():
        raise no_display()
    assert str(said.value).startswith(
        "DISPLAY: Es gibt keinen Bildschirm, und ohne einen wird nichts aufgezeichnet. Starten Sie"
    )
    with pytest.raises(Refused, match="of which nobody has words"), in_own_words():
        raise Refused("of which nobody has words")
    source = Path(str(files("overt"))).joinpath
    places = [
        one for part in ("device", "commands", "consent") for one in source(part).glob("*.py")
    ]
    there = {
        node.value
        for place in places
        for node in ast.walk(ast.parse(place.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not set(wording._errors("de")) - there, "each is said somewhere"


def test_the_page_is_in_the_persons_language_throughout(
    own: tuple[Standing, OutboxPage],
) -> None:
    _, page = own
    shown = asked(page)
    assert '<html lang="de">' in shown
    assert "1.236 Ereignisse" not in shown
    for words in ("Aufzeichnung läuft", "1.240", "Wh", "Flecken von Bildern", "Beim Tippen helfen"):
        assert words in shown, words
    batch = asked(page, next(iter(re.findall(r'href="(batch/[^"]+)"><svg', shown))))
    assert "genau wie es weggehen würde" in batch
    text = re.sub(
        r"<style.*?</style>|<table.*?</table>|<code.*?</code>|<[^>]+>",
        " ",
        shown + batch,
        flags=re.DOTALL,
    )
    english = {word for _, text in _texts(page_words("en")) for word in re.findall(r"\w+", text)}
    german = {word for _, text in _texts(page_words("de")) for word in re.findall(r"\w+", text)}
    columns = {*FACTS.names, "modifiers"}
    assert not set(re.findall(r"\b[A-Za-zäöüß]{3,}\b", text)) & (english - german) - columns


def test_what_the_page_says_after_each_press_is_in_that_language_too(
    own: tuple[Standing, OutboxPage],
) -> None:
    agent, page = own
    assert "Für 10 Minuten angehalten" in asked(page, "pause", minutes="10")
    assert "noch 10 min" in asked(page)
    assert "sobald nichts dagegen steht" in asked(page, "resume")
    assert agent.acts == ["pause 10", "resume"]
    assert "Für 25 Minuten angehalten" in asked(page, "pause", own="25")
    for wrong in ("0", "1441", "-5", "x"):
        with pytest.raises(urllib.error.HTTPError):
            asked(page, "pause", own=wrong)
    agent.offline = True
    shown = asked(page)
    assert "Der Server ist gerade nicht zu erreichen" in shown
    assert "bis zu 7 Tage weiter" in shown, "for how long it waits"
    assert "1.240 Ereignisse herausgenommen" in asked(page, "remove-last", minutes="99999999")
    assert "Nichts wartet" in asked(page)


def test_a_code_is_shown_with_its_square_for_as_long_as_it_is_good(
    own: tuple[Standing, OutboxPage], monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, page = own
    agent.online = False
    assert "nicht zu erreichen" in asked(page, "pair")
    agent.online = True
    shown = asked(page, "pair")
    assert CODE in shown
    assert 'class="qr"' in shown
    now_s = outbox_page.time.monotonic()
    monkeypatch.setattr(outbox_page.time, "monotonic", lambda: now_s + LASTS_S + 1)
    assert CODE not in asked(page)


def test_the_square_says_the_study_and_the_code_and_the_terminals_is_the_same() -> None:
    segno = pytest.importorskip("segno", reason="the desktop extra is not installed")
    code = new_code()
    text = scanned("https://example.org", "desk", code)
    assert code_in(text) == code
    assert code_in("https://example.org/study/desk") is None
    assert study_at(text) == ("https://example.org", "desk")
    for study in ("../../desk", "..", "%2e%2e", "a/b", "coach"):
        with pytest.raises(InvalidInput):
            study_at(f"https://example.org/study/{study}")
    for server in ("https://[", "https://a:b", "https://a:70000", "https://me:word@a", "https://"):
        with pytest.raises(InvalidInput):
            study_at(f"{server}/study/desk")
    modules = [
        [bool(one) for one in row] for row in segno.make(text, micro=False, error="m").matrix
    ]
    lines = re.sub(r"\x1b\[[0-9;]*m", "", qr.in_terminal(text)).splitlines()
    upper = [[letter in " ▄" for letter in line] for line in lines]
    lower = [[letter in " ▀" for letter in line] for line in lines]
    rows = [row for pair in zip(upper, lower, strict=True) for row in pair]
    size = len(modules)
    edge = (len(lines[0]) - size) // 2
    assert edge >= 4, "room around it"
    assert [row[edge : edge + size] for row in rows[edge : edge + size]] == modules


def battery(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / name).write_text(f"{value}\n")


def test_what_the_battery_gave_counts_by_our_share_of_all_processor_time(tmp_path: Path) -> None:
    assert held(tmp_path / "none") is None
    battery(tmp_path / "AC", type="Mains", online=0)
    battery(tmp_path / "mouse", type="Battery", scope="Device", status="Discharging", energy_now=1)
    assert held(tmp_path) is None
    battery(tmp_path / "BAT0", type="Battery", status="Discharging", energy_now=50_000_000)
    battery(
        tmp_path / "BAT1",
        type="Battery",
        status="Full",
        charge_now=2_000_000,
        voltage_now=10_000_000,
    )
    assert held(tmp_path) == pytest.approx(50 + 20)
    meter = Meter(lambda: 0, tmp_path)
    assert meter.costs().battery_wh is None
    meter.look()
    assert meter.costs().battery_wh is None
    sum(k * k for k in range(1_500_000))  # some processor time that is ours
    battery(tmp_path / "BAT0", energy_now=49_000_000)
    meter.look()
    assert meter.costs().battery_wh is None, "not so often"
    meter._looked_s = -1e9
    meter.look()
    cost = meter.costs().battery_wh
    assert cost is not None
    assert 0 < cost <= 1
    battery(tmp_path / "BAT0", status="Charging", energy_now=60_000_000)
    for _ in range(2):
        meter._looked_s = -1e9
        meter.look()
    assert meter.costs().battery_wh == cost, "what is charged costs nothing"


def test_what_it_cost_today_is_the_sum_of_all_runs_of_the_day_and_of_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(tmp_path)
    for run in range(3):
        meter = Meter(lambda: 0, tmp_path)
        book = Daybook(vault, meter)
        before = book.costs()
        meter._began_s -= 3600
        for _ in range(2):
            book.keep(now=True)
        vault.change(daybook.made(vault, 500, 1000))
        after = book.costs()
        assert after.hours - before.hours == pytest.approx(1, abs=0.01)
        assert after.hours == pytest.approx(run + 1, abs=0.02)
        assert (after.events, after.sealed_bytes) == (500 * (run + 1), 1000 * (run + 1))
    monkeypatch.setattr(daybook, "today", lambda: "2099-01-01")
    book.keep(now=True)
    assert book.costs().events == 0
    assert book.costs().hours == pytest.approx(0, abs=0.01)
    assert not vault.names("cost/")
    vault.close()


def test_who_sends_nonsense_or_hangs_up_gets_nothing_and_writes_nothing_into_the_terminal(
    own: tuple[Standing, OutboxPage], capfd: pytest.CaptureFixture[str]
) -> None:
    agent, page = own
    place = urllib.parse.urlsplit(page.url)
    head = (
        f"POST {place.path}pause HTTP/1.1\r\nHost: {place.netloc}\r\nOrigin: http://{place.netloc}"
    )
    for sent in ("\r\nContent-Length: \xb2\r\n\r\n", "\r\nContent-Length: 9\r\n\r\n", "\xff\r\n"):
        with socket.create_connection((str(place.hostname), place.port or 0)) as connection:
            linger = struct.pack("ii", 1, 0)  # hang up at once, so that an answer cannot be written
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.sendall((head + sent).encode("latin-1"))
    with pytest.raises(urllib.error.HTTPError):
        asked(page, "remove-last", minutes="\xb2")
    # A page elsewhere that guessed the address, or made its own name lead here.
    own, form = f"http://{place.netloc}", b"minutes=10"
    for headers, status in (
        ({"Origin": "http://x.example"}, 403),
        ({"Origin": own, "Host": "x.example"}, 403),
        ({"Host": "x.example"}, 404),
    ):
        sent_to = page.url + "pause" if "Origin" in headers else page.url
        data = form if "Origin" in headers else None
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(sent_to, data, headers))
        assert refused.value.code == status
        refused.value.close()
    page.close()
    assert agent.acts == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform != "linux", reason="XDG autostart is Linux's")
def test_a_press_on_the_page_lets_it_begin_at_login_and_another_takes_that_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    agent, place, ended = Standing(filled(tmp_path / "desk")), tmp_path / "desk", threading.Event()
    agent.outbox.vault.change({"grant": b"{}"})
    login = Login(agent.outbox.vault, place, "https://example.org/study/desk")
    page = OutboxPage(agent, {}, "desk", server="https://example.org", login=login, end=ended.set)
    try:
        assert "Nothing begins by itself" in asked(page)
        assert "From your next login on" in asked(page, "at-login", on="yes")
        assert login.is_on
        with pytest.raises(urllib.error.HTTPError):
            asked(page, "at-login", on="maybe")
        assert "Nothing begins by itself" in asked(page, "at-login", on="no")
        assert not login.is_on
        assert not ended.is_set()
        assert "The recording has ended" in asked(page, "end")
        assert ended.wait(30)
    finally:
        page.close()
        agent.outbox.vault.close()


@pytest.mark.soak
def test_by_keyboard_alone_on_a_phone_one_pauses_looks_and_takes_out(
    own: tuple[Standing, OutboxPage],
) -> None:
    from studio_fixtures import chromium

    agent, page = own
    with chromium() as browser:
        tab = browser.new_context(viewport={"width": 390, "height": 844}, locale="de").new_page()
        tab.goto(page.url)
        here = "document.activeElement.textContent.trim()"

        def go(words: str) -> None:
            for _ in range(60):
                tab.keyboard.press("Tab")
                if tab.evaluate(here).startswith(words):
                    return
            raise AssertionError(f"Tab does not reach {words!r}")

        def whole(*, reached: bool = True) -> None:
            assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            small = (
                "[...document.querySelectorAll('button')].filter(b => b.offsetHeight < 44).length"
            )
            assert tab.evaluate(small) == 0
            if not reached:
                return
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert tab.evaluate(outline) != "none"

        go("30 min anhalten")
        whole()
        tab.keyboard.press("Enter")
        tab.wait_for_selector("text=Von Ihnen angehalten")
        go("Weiter aufzeichnen")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("text=Aufzeichnung läuft")
        assert agent.acts == ["pause 30", "resume"]
        go("Code zeigen")
        tab.keyboard.press("Enter")
        tab.wait_for_selector(f"text={CODE}")
        whole(reached=False)
        before = tab.locator(".lines li").count()
        tab.locator(".lines a.picture").first.focus()
        tab.keyboard.press("Enter")
        tab.wait_for_selector("text=genau wie es weggehen würde")
        go("Dieses Paket herausnehmen")
        whole()
        tab.keyboard.press("Enter")
        tab.wait_for_selector("text=herausgenommen")
        assert tab.locator(".lines li").count() == before - 1
