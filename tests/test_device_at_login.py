"""Recording begins at login only where the person chose so, and one switch takes it back."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.commands.at_login import begin
from overt.commands.permitting import doctor
from overt.device import at_login, leaving
from overt.device.account import Grant
from overt.device.vault import Vault, as_json
from overt.schema.errors import Missing, NotConsented, OvertError, Refused

pytest.importorskip("httpx")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="XDG autostart is Linux's")

BASE = "http://127.0.0.1:9"
ADDRESS = f"{BASE}/study/desk"


def granted(place: Path) -> Vault:
    """Return what is kept of somebody who has joined."""
    said: dict[str, Any] = {"receipt": {}, "device_secret": "s", "level": "rhythm"}
    said |= {"transform": "rhythm/0", "outbox_delay_s": 60, "hold_days": 7, "lang": "en"}
    grant = Grant(
        base=BASE,
        study="desk",
        receipt_id="1" * 32,
        purposes=("typing-assist",),
        applications=(),
        notice_sha256="0" * 64,
        **said,
    )
    vault = Vault(place)
    vault.change({"grant": as_json(asdict(grant))})
    return vault


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    return tmp_path / "a device" / "desk"


@pytest.fixture
def joined(place: Path) -> Iterator[Vault]:
    vault = granted(place)
    yield vault
    vault.close()


def test_it_is_off_until_the_person_switches_it_on_and_off_again_leaves_nothing(
    place: Path, joined: Vault, capsys: pytest.CaptureFixture[str]
) -> None:
    login = at_login.Login(joined, place, ADDRESS)
    assert not login.is_on
    with pytest.raises(Refused, match="nobody chose"):
        at_login.check(place)
    other = place.parent / "other"
    other.write_text("theirs")
    planted = at_login.entry(place).with_suffix(".new")
    planted.parent.mkdir(parents=True)
    planted.symlink_to(other)
    login.switch(on=True)
    assert login.is_on
    assert other.read_text() == "theirs", "nothing is written through a link"
    at_login.check(place)
    (entry,) = (place.parents[1] / "config" / "autostart").iterdir()
    assert command(entry)[1:6] == ["-P", "-m", "overt", "record", "--study"]
    assert command(entry)[6:] == [ADDRESS, "--from-login", "--device-dir", str(place.parent)]
    assert at_login.entries() == ["desk"]
    doctor(None, as_json=False)
    assert "begins by itself for the study desk, as you chose" in capsys.readouterr().out
    login.switch(on=False)
    assert not login.is_on
    assert not entry.exists()
    assert joined.get(at_login.CHOSEN) is None
    doctor(None, as_json=False)
    assert "begins by itself" not in capsys.readouterr().out


def command(entry: Path) -> list[str]:
    """Return the command of a desktop entry, read as the Desktop Entry Specification says."""
    lines = dict(line.split("=", 1) for line in entry.read_text().splitlines() if "=" in line)
    return read(lines["Exec"])


def read(line: str) -> list[str]:
    """Unescape a line as a text, then take it apart as a command."""
    text = re.sub(r"\\(.)", lambda found: {"s": " "}.get(found[1], found[1]), line)
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', text)
    words = [bare or re.sub(r"\\(.)", r"\1", within) for within, bare in parts]
    assert not any("%" in word.replace("%%", "") for word in words), "no field code"
    return [word.replace("%%", "%") for word in words]


@settings(max_examples=50)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_whatever_a_folder_is_called_the_desktop_starts_just_that(name: str) -> None:
    assert read(at_login.quoted(name)) == [name]


def test_an_entry_that_anybody_put_there_or_a_mark_alone_begins_nothing(
    place: Path, joined: Vault
) -> None:
    login = at_login.Login(joined, place, ADDRESS)
    login.switch(on=True)
    joined.change({at_login.CHOSEN: None})
    with pytest.raises(Refused, match="nobody chose"):
        begin(place.parent, ADDRESS, None, chip=False)
    assert not at_login.entry(place).exists()
    login.switch(on=True)
    kept = at_login.entry(place).read_text()
    at_login.entry(place).unlink()
    assert not login.is_on, "they took it away in the desktop's settings"
    at_login.entry(place).write_text(kept)
    assert not login.is_on, "and nobody else brings it back"
    with pytest.raises(Refused, match="nobody chose"):
        begin(place.parent, ADDRESS, None, chip=False)


def test_nobody_who_has_not_joined_can_switch_it_on(place: Path) -> None:
    vault = Vault(place)
    with pytest.raises(NotConsented):
        at_login.switch(vault, place, ADDRESS, on=True)
    vault.close()
    assert not at_login.autostart().exists()


def test_leaving_takes_the_entry_away_and_an_entry_that_stayed_begins_nothing(
    place: Path, joined: Vault
) -> None:
    at_login.switch(joined, place, ADDRESS, on=True)
    entry = at_login.entry(place).read_text()
    assert leaving.leave(place, BASE, "desk") is None, "the server is told later"
    assert not at_login.entry(place).exists()
    at_login.entry(place).write_text(entry)
    with pytest.raises(NotConsented, match="nobody takes part"):
        begin(place.parent, ADDRESS, None, chip=False)
    assert not at_login.entry(place).exists()
    assert not (place / "key").exists()


def test_what_stands_against_recording_stands_against_it_at_login_too(
    place: Path, joined: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_login.switch(joined, place, ADDRESS, on=True)
    with pytest.raises(Missing, match="there is no display"):
        begin(place.parent, ADDRESS, None, chip=False)
    assert at_login.entry(place).exists(), "the next login may have one"
    (place / "policy.toml").write_text("stopped = true")
    monkeypatch.setattr("overt.device.policy.place", lambda: place / "policy.toml")
    with pytest.raises(OvertError, match="policy stops all"):
        begin(place.parent, ADDRESS, None, chip=False)
