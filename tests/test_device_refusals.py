"""What must not begin does not: one clear line, and nothing is kept."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest

from overt.consent.notice import notice_bytes
from overt.device.keyboard import Keymap
from overt.device.notice import check_notice, check_receipt
from overt.device.vault import Vault
from overt.device.x11 import look, refuse_wayland
from overt.schema.errors import InvalidInput, Missing, Refused
from overt.schema.study import load_study, template

LISTED = """
[[applications]]
id = "editor"
title = "Text editor"
executables = ["mousepad"]
"""


@pytest.fixture(scope="module")
def notice() -> dict[str, Any]:
    source = template("desk", "Writing").replace("\n[notice.en]", LISTED + "\n[notice.en]")
    shown: dict[str, Any] = json.loads(notice_bytes(load_study(source.encode()), "en"))
    return shown


def test_a_notice_as_the_server_makes_it_may_be_followed(notice: dict[str, Any]) -> None:
    check_notice(notice, "desk")


@pytest.mark.parametrize(
    ("asks", "words"),
    [
        ({"applications": [{"title": "Mail"}]}, "more than its words say"),
        ({"applications": [{"executables": ["python3"]}]}, "followed"),
        ({"applications": [{"number": 2}]}, "number"),
        ({"applications": [{"terminal": "yes"}]}, "followed"),
        ({"applications": []}, "no desktop application"),
        ({"level": "keys"}, "which key it was"),
        ({"outbox_delay_s": -1}, "delay"),
        ({"outbox_delay_s": 1e9}, "delay"),
        ({"hold_days": True}, "days"),
        ({"level": None}, "which key it was"),
    ],
)
def test_a_study_that_asks_for_more_than_its_notice_says_is_refused(
    notice: dict[str, Any], asks: dict[str, Any], words: str
) -> None:
    more = copy.deepcopy(notice)
    settings = more["settings"]
    for name, value in asks.items():
        if name == "applications" and value:
            settings["applications"][0].update(value[0])
        else:
            settings[name] = value
    with pytest.raises(Refused, match=words):
        check_notice(more, "desk")


def test_a_notice_of_another_study_an_unknown_purpose_or_nonsense_is_refused(
    notice: dict[str, Any],
) -> None:
    with pytest.raises(Refused, match="another study"):
        check_notice(notice, "other")
    mood = copy.deepcopy(notice)
    mood["choices"]["purposes"].append({"id": "mood", "title": "Mood", "text": ""})
    with pytest.raises(Refused, match="does not exist"):
        check_notice(mood, "desk")
    for nonsense in ({}, {"settings": []}, {**notice, "sections": None}):
        with pytest.raises(Refused, match="followed"):
            check_notice(nonsense, "desk")


def test_a_receipt_that_says_other_than_what_was_chosen_is_refused() -> None:
    receipt = {
        "receipt_id": "1" * 32,
        "recovery_code": "AAAA",
        "processing": {"purposes": [{"purpose": "typing-assist"}]},
        "overt": {"level": "rhythm"},
    }
    check_receipt(receipt, ["typing-assist"], "rhythm")
    for purposes, detail in ((["next-action"], "rhythm"), (["typing-assist"], "rhythm/1")):
        with pytest.raises(InvalidInput, match="other than what you chose"):
            check_receipt(receipt, purposes, detail)
    with pytest.raises(InvalidInput, match="not a receipt"):
        check_receipt({}, [], "rhythm")


@pytest.mark.parametrize(
    ("name", "value"), [("WAYLAND_DISPLAY", "wayland-0"), ("XDG_SESSION_TYPE", "wayland")]
)
def test_a_wayland_session_is_refused_even_where_an_x_display_is_there(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv(name, value)
    with pytest.raises(Missing, match="Wayland session"):
        look(None)
    monkeypatch.delenv(name)
    refuse_wayland()


def test_without_a_display_or_with_one_that_is_not_there_nothing_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("xcffib")
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Missing, match="there is no display"):
        look(None)
    with pytest.raises(Missing, match="cannot be reached"):
        look(":7654")


def test_a_layout_without_a_letter_is_not_known() -> None:
    assert Keymap(8, [(0, 0), (0x61, 0x41)]).has_letters
    assert Keymap(8, [(0x6C1, 0)]).has_letters  # Cyrillic
    assert not Keymap(8, [(0, 0), (0xFF0D,), (), (0x31, 0x21)]).has_letters


def test_a_folder_that_is_no_folder_of_ours_is_one_clear_line(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    with pytest.raises(Missing, match="read and written by you"):
        Vault(taken / "desk")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "vault.sqlite").write_bytes(os.urandom(8192))
    with pytest.raises(Missing, match="read and written by you"):
        Vault(tmp_path / "odd")
