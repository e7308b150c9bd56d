"""The icon in a tray: shown, pressed, and gone within a second with whatever showed it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from itertools import product

import pytest

from desktop_fixtures import until
from overt.device.indicator import CHIP, TRAY, Indicator, sign
from overt.device.layer_chip import GLYPHS, drawn
from overt.device.signs import MARKS, look_of, said, words_of
from overt.device.tray import ITEM, ITEM_PATH, is_there
from overt.device.tray_icon import icons
from overt.device.tray_menu import MENU, MENU_PATH, menu_answer
from overt.schema.study import LANGUAGES
from tray_fixtures import Tray


@pytest.fixture(scope="module")
def bus() -> Iterator[str]:
    command = ["dbus-daemon", "--session", "--nofork", "--print-address"]
    try:
        daemon = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    except FileNotFoundError:
        pytest.skip("no dbus-daemon on PATH")
    assert daemon.stdout is not None
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DBUS_SESSION_BUS_ADDRESS", daemon.stdout.readline().strip())
        yield "session"
    daemon.kill()
    daemon.wait()
    daemon.stdout.close()


def test_the_icon_shows_the_state_is_pressed_by_its_tray_alone_and_goes_with_it(bus: str) -> None:
    presses: list[int] = []
    assert not is_there()
    tray = Tray()
    assert is_there()
    icon = Indicator("", "en", lambda: presses.append(1), program=TRAY)
    try:
        until(lambda: tray.item, "the icon is registered")
        assert not icon.is_alive(), "nobody has fetched it yet"
        paused = tray.shown()
        until(icon.is_alive, "it says that it is shown")
        icon.show("recording")
        until(lambda: tray.shown()["Title"] == "Overt records", "the new state")
        recording = tray.shown()
        assert recording["IconPixmap"] != paused["IconPixmap"]
        assert (recording["Status"], recording["Menu"]) == ("Active", MENU_PATH)
        tray.ask(ITEM, "Activate", ITEM_PATH, 0, 0)
        until(lambda: len(presses) == 1, "a press")
        other = Tray.__new__(Tray)
        from jeepney.io.blocking import open_dbus_connection

        other.asking, other.item = open_dbus_connection("SESSION"), tray.item
        other.ask(ITEM, "Activate", ITEM_PATH, 0, 0)
        other.shown()
        other.asking.close()
        _, (_, _, below) = tray.ask(MENU, "GetLayout", MENU_PATH, 0, -1)
        labels = [said["label"][1] for _, (_, said, _) in below]
        assert labels == ["Overt records", "Pause"]
        assert len(presses) == 1, "another program's press is none"
        assert icon.is_alive()
        tray.close()
        closed_s = time.monotonic()
        until(lambda: not icon.is_alive(), "nothing shows it any more")
        assert time.monotonic() - closed_s < 5  # the promise is a second; machines are busy
        again = Tray()
        until(lambda: again.item, "it is registered with the next tray")
        again.shown()
        until(icon.is_alive, "it is shown again")
        os.kill(icon.pid, signal.SIGKILL)
        until(lambda: not icon.is_alive(), "the icon was killed")
        assert not icon.lost
        killed = icon.pid
        icon.keep()
        assert (icon.lost, icon.program) == (True, CHIP)
        assert icon.pid != killed
        icon.accept()
        assert icon.lost, "nobody goes on while no sign is there"
        again.close()
    finally:
        icon.close()


def test_where_no_tray_is_there_the_sign_is_a_chip(bus: str) -> None:
    for chip in (False, True):
        made = sign(":7654", "en", lambda: None, chip=chip)
        made.close()
        assert made.has_window


def test_the_icon_has_a_form_of_its_own_for_each_state() -> None:
    for size, other, pixels in icons("recording"):
        assert (size, len(pixels)) == (other, 4 * size * size)
        middle = 4 * (size // 2 * size + size // 2)
        assert tuple(pixels[middle : middle + 4]) == (255, 255, 255, 255)
        assert pixels[0] == 0, "clear in the corner"
    assert len({str(icons(look)) for look in MARKS}) == 3


def test_the_menu_answers_what_trays_ask_and_nothing_else() -> None:
    assert menu_answer("GetProperty", (1, "label"), "t", "Pause", 1) == ("v", (("s", "Pause"),))
    assert menu_answer("Get", (MENU, "Version"), "t", "l", 1) == ("v", (("u", 3),))
    assert menu_answer("GetProperty", (1, "no"), "t", "l", 1) is None
    assert menu_answer("Fly", (), "t", "l", 1) is None


def test_every_state_is_said_in_every_language_and_can_be_drawn_where_there_are_no_fonts() -> None:
    states = ["recording", "recording elsewhere offline", "paused locked", "paused gone"]
    for language, coach in product(LANGUAGES, ([], ["coach"])):
        words = words_of([language, *coach])
        for state in states:
            text = said(state, words)
            assert text == " · ".join(words[one] for one in state.split())
            assert set(text.upper()) <= set(GLYPHS)
        assert len({drawn(state, words).tobytes() for state in states}) == len(states)
    assert words_of(["fr"]) == words_of(["../../en"]) == words_of([]) == words_of(["en"])
    assert [look_of(one) for one in (*states, "")] == [
        "recording", "elsewhere", "paused", "paused", "paused",
    ]  # fmt: skip
