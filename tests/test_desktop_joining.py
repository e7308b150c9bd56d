"""The agent on a real desktop, joined on a page: by keyboard alone, in a browser of one's own."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop_fixtures import Desktop, add_study, at_a_terminal, desktop, until
from overt.device.vault import Vault
from studio_fixtures import chromium, studio

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
