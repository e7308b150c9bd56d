"""Which key it was is told in listed fields that say they may be edited, and nowhere else."""

from __future__ import annotations

import ctypes.util
import itertools

import pytest

from overt.consent.notice import notice_bytes
from overt.device.fields import (
    BUSY,
    LISTED,
    OUTSIDE,
    SUPPRESSED,
    TERMINAL,
    Field,
    is_still,
    kind_of,
)
from overt.device.joining import Offer, letters_where
from overt.device.keyboard import LEVEL3, LOCK, SHIFT, Keymap
from overt.device.letters import Letters
from overt.device.notice import check_notice
from overt.device.wording import Words
from overt.schema.canonical import canonical
from overt.schema.errors import InvalidInput, Refused
from overt.schema.event import SYMBOL_NAMED_BASE, KeyClass, Role
from overt.schema.study import load_study, template

EDITOR, OTHER = 1, 2
KEYMAP = Keymap(8, [(0x61, 0x41), (0x31, 0x21), (0xFF0D,), (0x6C6, 0x6E6), (0xFF95, 0xFFB7)])
APPLICATION = """
[[applications]]
id = "editor"
title = "Text editor"
executables = ["mousepad"]
keys = ["text-area", "text-field"]
"""


def _study(application: str = APPLICATION, level: str = "keys") -> bytes:
    source = template("desk", "At a desk").replace("\n[notice.en]", application + "\n[notice.en]")
    return source.replace('level = "rhythm"', f'level = "{level}"').encode()


def test_a_symbol_is_kept_in_a_listed_fields_role_that_may_be_edited_and_in_no_other() -> None:
    letters = Letters({EDITOR: frozenset({Role.TEXT_AREA})})
    a = letters.symbol(EDITOR, KEYMAP, 8, 0, KeyClass.LETTER)
    assert a == ord("a")
    kept = []
    verdicts = (LISTED, OUTSIDE, SUPPRESSED, BUSY, TERMINAL)
    roles = (Role.TEXT_AREA, Role.TEXT_FIELD, Role.BUTTON)
    for number, verdict, role, may in itertools.product(
        (EDITOR, OTHER), verdicts, roles, (True, False)
    ):
        field = Field(verdict, Role.TEXT_AREA, kind=role if may else Role.NONE)
        if letters.told(a, 1, number, field, down=True):
            kept.append((number, verdict, role, may))
    assert kept == [(EDITOR, LISTED, Role.TEXT_AREA, True)]
    assert letters.symbol(OTHER, KEYMAP, 8, 0, KeyClass.LETTER) == 0, "not even for a moment"
    assert letters.symbol(EDITOR, KEYMAP, 10, 0, KeyClass.ENTER) == SYMBOL_NAMED_BASE + 5


@pytest.mark.parametrize("role", [61, 79])
@pytest.mark.parametrize("listed", ["text-area", "text-field"])
def test_a_field_of_one_line_is_no_text_area_though_a_toolkit_has_one_role_for_both(
    role: int, listed: str
) -> None:
    letters = Letters.of([{"number": EDITOR, "keys": [listed]}], "keys")
    told = {
        name: letters.told(97, 1, EDITOR, Field(LISTED, kind=kind_of(role, states)), down=True)
        for name, states in {
            "text-field": 1 << 7 | 1 << 26,
            "text-area": 1 << 7 | 1 << 17,
            "to be read alone": 1 << 17,
        }.items()
    }
    assert [name for name, symbol in told.items() if symbol] == [listed]
    assert kind_of(61, 1 << 7) == Role.NONE, "it does not say"
    assert {kind_of(role, 1 << 7 | 1 << 26) for role in (40, 60, 73)} == {Role.NONE}


def test_a_field_that_has_become_another_is_not_the_one_that_a_key_went_to() -> None:
    focused = 1 << 12
    for role, found in ((61, Role.TEXT_AREA), (79, Role.TEXT_FIELD), (94, Role.EDITABLE)):
        same = [to for to in range(130) if is_still(Field(LISTED, found), to, focused)]
        assert role in same
        assert not {40, 60, 43} & set(same), "for passwords, a terminal, a button"
        assert not is_still(Field(LISTED, found), role, 0), "it has not the keyboard"
    assert is_still(Field(), 73, focused), "nothing is recorded of it; nobody looks for another"


def test_a_release_says_what_its_press_said_and_nothing_where_that_said_nothing() -> None:
    letters = Letters({EDITOR: frozenset({Role.TEXT_AREA})})
    here = Field(LISTED, Role.TEXT_AREA, kind=Role.TEXT_AREA)
    letters.told(ord("a"), 1, EDITOR, here, down=True)
    letters.told(ord("s"), 2, EDITOR, Field(), down=True)
    assert [letters.told(0, slot, EDITOR, here, down=False) for slot in (1, 2, 1)] == [97, 0, 0]


def test_below_level_keys_and_in_terminals_nothing_is_told() -> None:
    listed = {"number": EDITOR, "keys": ["text-area"]}
    assert Letters.of([listed], "keys").at(EDITOR)
    assert not Letters.of([listed], "rhythm").at(EDITOR)
    assert not Letters.of([{**listed, "terminal": True}], "keys").at(EDITOR)
    assert not Letters.of([{"number": EDITOR}], "keys").at(EDITOR)


def test_a_key_is_what_it_writes_in_that_state_and_nothing_where_that_is_not_known() -> None:
    written = [
        *((8, 0), (8, SHIFT), (8, LOCK), (8, LOCK | SHIFT), (9, SHIFT), (9, LOCK)),
        *((10, 0), (12, SHIFT), (8, LEVEL3), (8, 1 << 14)),
    ]
    said = [chr(KEYMAP.character(*one)) for one in written]
    assert said == ["a", "A", "A", "a", "!", "1", "\0", "7", "a", "\0"]
    assert Keymap(8, [(0x61,)], unsure=[8]).character(8, 0) == 0
    if ctypes.util.find_library("xkbcommon"):
        assert chr(KEYMAP.character(11, 0)) == "ф", "as X called it before Unicode"


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        (("", ""), "rhythm", "level keys alone"),
        (('"text-field"]', '"terminal"]'), "keys", "no kind of field"),
        (('"text-field"]', '"text-area"]'), "keys", "twice"),
        (('"text-field"]', '"text-field"]\nterminal = true'), "keys", "in a terminal"),
        (('["mousepad"]', '["firefox"]\nprivate_windows = true'), "keys", "do not say"),
        (('["mousepad"]', '["qutebrowser"]\nprivate_windows = true'), "keys", "do not say"),
        (('["mousepad"]', '["/usr/share/code/code"]'), "keys", "a terminal inside"),
        (('["mousepad"]', '["com.microsoft.VSCode"]'), "keys", "a terminal inside"),
        (("Text editor", "Seahorse"), "keys", None),
    ],
)
def test_a_study_names_fields_in_which_secrets_can_be_told_apart(
    change: tuple[str, str], level: str, words: str | None
) -> None:
    source = _study(APPLICATION.replace(*change), level)
    if words is None:
        assert load_study(source).applications[0].keys == ("text-area", "text-field")
        return
    with pytest.raises(InvalidInput, match=words):
        load_study(source)


def test_the_notice_says_where_and_who_joins_chooses_it_for_each_application(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import json

    notice = json.loads(notice_bytes(load_study(_study()), "en"))
    said = " ".join(text for section in notice["sections"] for text in section["text"])
    assert "Text editor (text areas, text fields)" in said
    check_notice(notice, "desk")
    silent = json.loads(canonical(notice).replace(b"(text areas, text fields)", b""))
    with pytest.raises(Refused, match="without saying so"):
        check_notice(silent, "desk")
    with pytest.raises(Refused, match="without saying so"):
        check_notice({**notice, "settings": {**notice["settings"], "level": "rhythm"}}, "desk")
    monkeypatch.setattr("overt.device.joining.kind", lambda: "Linux, X11")
    offer = Offer(notice)
    where = letters_where(offer.applications[0], Words("en"))
    assert "fields of mousepad, and in no others: text areas, text fields." in where
    for chosen, keys in ((["editor"], ["text-area", "text-field"]), ([], None)):
        (one,) = offer.choice(["next-action"], "keys", ["editor"], (), chosen).applications
        assert one.get("keys") == keys
    monkeypatch.setattr("overt.device.joining.kind", lambda: "Windows")
    assert (
        "keys" not in Offer(notice).choice([], "keys", ["editor"], (), ["editor"]).applications[0]
    )
