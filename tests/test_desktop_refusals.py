"""A desktop where something is missing or goes away: one clear line, and nothing recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktop_fixtures import Desktop, Terminal, add_study, desktop, join, recording, until
from studio_fixtures import studio

pytest.importorskip("xcffib", reason="the desktop extra is not installed (Linux only)")
pytestmark = pytest.mark.soak


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Desktop, str, Path]]:
    with desktop(tmp_path / "home") as screen:
        add_study(tmp_path / "data", outbox_delay_s=600)
        with studio(tmp_path) as server:
            yield screen, f"{server.url.rstrip('/')}/study/desk", tmp_path / "device"


def _ended(agent: Terminal, words: str) -> None:
    agent.until(words)
    assert agent.process.wait(30) == 1
    assert agent.shown.count("overt: ") - agent.shown.count("overt: rec") <= 2, agent.shown
    assert "Traceback" not in agent.shown


def test_without_the_accessibility_service_nothing_is_recorded(
    place: tuple[Desktop, str, Path],
) -> None:
    screen, address, folder = place
    bare = {**screen.environment, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}
    with recording(replace(screen, environment=bare), address, folder) as agent:
        agent.until("only terminals could be recorded")
        agent.answer("Choose purposes", "all")
        agent.answer("Choose one of them", "1")
        agent.answer("Choose applications", "all")
        agent.answer('Type "join"', "join")
        _ended(agent, "accessibility service does not answer")
        assert "overt: recording" not in agent.shown


def test_where_a_tray_is_the_icon_in_it_is_the_sign_and_recording_stops_with_it(
    place: tuple[Desktop, str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tray_fixtures import Tray

    screen, address, folder = place
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", screen.environment["DBUS_SESSION_BUS_ADDRESS"])
    tray = Tray(shows=True)
    with recording(screen, address, folder) as agent:
        join(agent)
        until(lambda: tray.shown()["Title"] == "Overt records", "the icon says so")
        agent.shown = ""
        tray.ask("org.kde.StatusNotifierItem", "Activate", "/StatusNotifierItem", 0, 0)
        agent.until("overt: paused (person)")
        tray.ask("org.kde.StatusNotifierItem", "Activate", "/StatusNotifierItem", 0, 0)
        agent.until("overt: recording")
        agent.shown = ""
        tray.close()
        agent.until("overt: paused (gone)")


def test_a_display_that_goes_away_ends_the_recording_with_a_line_that_says_so(
    place: tuple[Desktop, str, Path],
) -> None:
    screen, address, folder = place
    with recording(screen, address, folder) as agent:
        join(agent)
        screen.server.kill()
        _ended(agent, "the display has gone away")


def test_a_keyboard_without_letters_is_refused_before_anybody_is_asked_to_join(
    place: tuple[Desktop, str, Path],
) -> None:
    import xcffib
    import xcffib.xproto

    screen, address, folder = place
    own = xcffib.connect(display=screen.display)
    setup = own.get_setup()
    count = setup.max_keycode - setup.min_keycode + 1
    own.core.ChangeKeyboardMapping(
        count, setup.min_keycode, 1, [0xFF0D] * count, is_checked=True
    ).check()
    with recording(screen, address, folder) as agent:
        _ended(agent, "layout is not known")
        assert "Choose purposes" not in agent.shown
    own.disconnect()
    assert not folder.exists()
