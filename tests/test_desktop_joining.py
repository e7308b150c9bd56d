"""The agent on a real desktop, joined on a page: by keyboard alone, in a browser of one's own."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop_fixtures import Desktop, add_study, at_a_terminal, desktop, join, recording, until
from overt.consent.invitation import invitation
from overt.device.vault import Vault
from overt.gateway import studies
from overt.store.store import Store
from studio_fixtures import chromium, studio

jeepney = pytest.importorskip("jeepney")
pytest.importorskip("xcffib", reason="the desktop extra is not installed (Linux only)")
pytestmark = pytest.mark.soak


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Desktop, str, Path]]:
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$*" > {tmp_path}/asked\n')
    opener.chmod(0o755)
    with desktop(tmp_path / "home") as bare:
        path = f"{opener.parent}{os.pathsep}{bare.environment['PATH']}"
        screen = replace(bare, environment={**bare.environment, "PATH": path})
        add_study(tmp_path / "data", outbox_delay_s=600)
        with studio(tmp_path) as server:
            yield screen, f"{server.url.rstrip('/')}/study/desk", tmp_path


def test_who_says_page_joins_there_by_keyboard_and_sees_what_waits_at_the_same_address(
    place: tuple[Desktop, str, Path],
) -> None:
    screen, address, folder = place
    device = folder / "device"
    overt = [sys.executable, "-m", "overt", "record", "--study", address]
    with (
        at_a_terminal(screen, [*overt, "--device-dir", str(device)]) as agent,
        chromium() as browser,
    ):
        agent.answer("or on a page in your browser", "page")
        agent.until("Read and choose there")
        until((folder / "asked").exists, "the browser is asked")
        (url,) = set(re.findall(r"http://127\S+/", agent.shown.split("Read and choose")[1]))
        tab = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        tab.goto(url)
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        about = "(e => (e.name || '') + ' ' + (e.value || '') + ' ' + e.textContent)"

        def go(words: str) -> None:
            for _ in range(60):
                tab.keyboard.press("Tab")
                if words in tab.evaluate(f"{about}(document.activeElement)"):
                    return
            raise AssertionError(f"Tab does not reach {words!r}")

        for box in ("purpose.typing-assist", "detail", "application.editor"):
            go(box)
            tab.keyboard.press("Space")
        go("Join with")
        assert not _grant(device / "desk")
        tab.keyboard.press("Enter")
        code = tab.locator("#code").inner_text()
        assert "overt: recording" not in agent.shown
        assert code == _grant(device / "desk")["receipt"]["recovery_code"]
        go("begin to record")
        tab.keyboard.press("Enter")
        agent.until("overt: recording")
        tab.wait_for_selector("text=What waits to leave")
        assert tab.url == url
        assert code not in agent.shown


def _grant(place: Path) -> dict[str, Any]:
    vault = Vault(place)
    try:
        return dict(vault.get_json("grant", {}))
    finally:
        vault.close()


def test_who_stops_before_they_said_that_they_have_the_code_is_shown_it_in_the_terminal(
    place: tuple[Desktop, str, Path],
) -> None:
    screen, address, folder = place
    overt = [sys.executable, "-m", "overt", "record", "--study", address, "--page"]
    with (
        at_a_terminal(screen, [*overt, "--device-dir", str(folder / "device")]) as agent,
        chromium() as browser,
    ):
        agent.until("Read and choose there")
        tab = browser.new_page()
        tab.goto(re.findall(r"http://127\S+/", agent.shown)[-1])
        for box in ("purpose.typing-assist", "application.editor"):
            tab.check(f'input[name="{box}"]')
        tab.check('input[value="rhythm"]')
        tab.get_by_role("button", name="Join with").click()
        code = tab.locator("#code").inner_text()
        os.kill(agent.process.pid, 2)
        agent.until(code)
        assert agent.process.wait(60) == 1
        assert "overt: recording" not in agent.shown


def test_a_study_that_says_other_than_its_invitation_is_not_shown_and_nothing_is_kept(
    place: tuple[Desktop, str, Path],
) -> None:
    screen, address, folder = place
    with Store.open(folder / "data") as store:
        good = invitation(studies.study_of(store, "desk"), address)
    (file := folder / "other.toml").write_text(re.sub(r"[0-9a-f]{64}", "0" * 64, good))
    with recording(screen, str(file), folder / "device") as agent:
        agent.until("other.toml: the study at this address says other than this invitation")
        assert agent.process.wait(60) == 1
        assert "Choose purposes" not in agent.shown
        assert agent.shown.count("\n") == 2, "what can be recorded, and why not"
    assert not list((folder / "device").rglob("*.sqlite"))
    file.write_text(good)
    with recording(screen, str(file), folder / "device") as agent:
        join(agent, "1")


class Notifications(threading.Thread):
    """What a desktop shows notifications with, on a session bus."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.told: list[tuple[str, str]] = []
        from jeepney.io.blocking import open_dbus_connection

        self._bus = open_dbus_connection("SESSION")
        name = "org.freedesktop.Notifications"
        self._bus.send_and_get_reply(jeepney.message_bus.RequestName(name), timeout=5)
        self.start()

    def run(self) -> None:
        with suppress(Exception):
            while True:
                call = self._bus.receive()
                if call.header.fields.get(jeepney.HeaderFields.member) == "Notify":
                    self.told.append((call.body[3], call.body[4]))
                    self._bus.send(jeepney.new_method_return(call, "u", (len(self.told),)))

    def close(self) -> None:
        self._bus.close()


def test_at_login_it_begins_as_the_person_chose_seen_and_told_and_stays_paused(
    place: tuple[Desktop, str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen, address, folder = place
    config = folder / "config"
    screen = replace(screen, environment={**screen.environment, "XDG_CONFIG_HOME": str(config)})
    device = folder / "device"
    overt = [sys.executable, "-m", "overt"]
    there = ["--study", address, "--device-dir", str(device)]
    with recording(screen, address, device) as agent:
        join(agent, "1")
        assert agent.process.poll() is None
        os.kill(agent.process.pid, signal.SIGINT)
        assert agent.process.wait(60) == 0
    at = [*overt, "record", *there, "--at-login"]
    with at_a_terminal(screen, [*at, "on"]) as agent:
        agent.until("It begins by itself when you log in, in: Text editor")
        assert agent.process.wait(60) == 0
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", screen.environment["DBUS_SESSION_BUS_ADDRESS"])
    (entry,) = (config / "autostart").iterdir()
    how = shlex.split(re.findall(r"(?m)^Exec=(.*)$", entry.read_text())[0])
    desk = Notifications()

    @contextmanager
    def logged_in() -> Iterator[subprocess.Popen[str]]:
        """Do what a desktop does at login: start the entry, without a terminal."""
        log = (folder / "log").open("w+")
        with (
            log,
            subprocess.Popen(
                how,
                env=screen.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
            ) as started,
        ):
            try:
                yield started
            finally:
                started.terminate()
                started.wait(60)

    def said(words: str) -> None:
        until(lambda: words in (folder / "log").read_text(), words)

    with logged_in() as started:
        said("overt: recording")
        until(lambda: desk.told, "the person is told")
        title, text = desk.told[-1]
        assert title == "Overt records again, as you chose"
        assert "Text editor" in text
        assert "--at-login off" in text
        done = subprocess.run(
            [*overt, "device", "page", *there],
            env=screen.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        own = done.stdout.strip()
        assert posted(own, "pause", minutes="").count("Paused")
        said("overt: paused (person)")
        posted(own, "end")
        assert started.wait(60) == 0
    with logged_in():
        said("overt: paused (person)")
        until(lambda: len(desk.told) == 2, "the person is told")
        assert desk.told[-1][0] == "Overt has started, and is paused as you left it"
        assert "overt: recording" not in (folder / "log").read_text()
    with Store.open(folder / "data") as store:
        known = store.control.study("desk")
        assert known is not None
        studies.register(store, known.document.replace(b"version = 1 ", b"version = 2 "))
    with logged_in() as started:
        assert started.wait(60) == 1
        assert desk.told[-1][0] == "Overt records nothing"
        assert "notice has changed since you agreed" in desk.told[-1][1]
    done = subprocess.run(
        [*overt, "device", "leave", *there],
        env=screen.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "You have left" in done.stdout
    assert not entry.exists()
    desk.close()


def posted(page: str, path: str, **form: str) -> str:
    parts = urllib.parse.urlsplit(page)
    data = urllib.parse.urlencode(form).encode()
    origin = {"Origin": f"{parts.scheme}://{parts.netloc}"}
    with urllib.request.urlopen(urllib.request.Request(page + path, data, origin)) as answer:
        return str(answer.read().decode())
