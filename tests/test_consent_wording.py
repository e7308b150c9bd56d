"""Words of notices as data: whole, signed off, in any language; easy ones; a person to ask."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from overt.consent import wording
from overt.consent.notice import notice_bytes, notice_sha256
from overt.gateway import studies
from overt.schema.errors import InvalidInput
from overt.schema.event import Command, Edit, KeyClass, Kind, Role
from overt.schema.study import LANGUAGES, Study, load_study, study_sha256, template
from overt.store.store import Store
from pseudo_locales import LONG, RTL, notice

LIVE = template("writing", "Writing")


def study(text: str) -> Study:
    made = load_study(text.encode())
    wording.check(made)
    return made


def shown(made: Study, language: str) -> Any:
    return json.loads(notice_bytes(made, language))


def section(told: Any, name: str) -> str:
    return "\n".join(next(s["text"] for s in told["sections"] if s["id"] == name))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_easy_words_come_first_are_short_and_follow_the_settings(language: str) -> None:
    text = LIVE + "\n[notice.de]\nabout = 'Wozu.'\n"
    rhythm = shown(study(text), language)
    keys = shown(study(text.replace('level = "rhythm"', 'level = "keys"')), language)
    assert rhythm["sections"][0]["id"] == "easy"
    for told in (rhythm, keys):
        easy = section(told, "easy")
        assert all(len(one.split()) <= 16 for one in re.split(r"[.:?!,]\s", easy)), easy
        assert not re.search(r"[{;(…]", easy)
        assert "90" in easy
    assert section(rhythm, "easy") != section(keys, "easy")


def test_the_notice_names_the_person_to_ask_where_the_study_does() -> None:
    assert section(shown(study(LIVE), "en"), "ask") == "Write to: privacy@example.org"
    named = study(LIVE.replace("[notice.en]", 'person = "Ada, +49 30 1"\n[notice.en]'))
    assert "Ada, +49 30 1 answers your questions" in section(shown(named, "en"), "ask")
    assert study_sha256(named) != study_sha256(study(LIVE))


def test_a_study_brings_a_language_of_its_own_and_its_notice_says_the_same_things() -> None:
    made = study(LIVE + notice(LONG) + notice(RTL))
    english = shown(made, "en")
    for language, direction in ((LONG, "ltr"), (RTL, "rtl")):
        told = shown(made, language)
        assert told["direction"] == told["indicator"]["direction"] == direction
        assert [s["id"] for s in told["sections"]] == [s["id"] for s in english["sections"]]
        assert "privacy@example.org" in section(told, "ask")
        assert "90" in section(told, "kept")
        assert "{" not in section(told, "kept")
        kinds = told["events"]["kind"]
        assert kinds.keys() == {kind.name.lower() for kind in Kind}
        assert "key down" not in kinds.values()
    assert "events" not in english, "mirror and outbox know these words"
    assert len({notice_sha256(made, language) for language in ("en", LONG, RTL)}) == 3


def test_what_is_printed_to_translate_is_accepted_once_somebody_answers_for_it() -> None:
    text = LIVE + "\n[notice.fr]\nabout = 'x'\n\n" + wording.to_translate("fr")
    with pytest.raises(InvalidInput, match=r"words\.fr\.signed_off"):
        study(text)
    made = study(text.replace('signed_off = ""', 'signed_off = "Zoé, 2026-11-26"'))
    told = {k: v for k, v in made.words["fr"].items() if k != "signed_off"}
    assert told == wording.shipped("en")


def test_the_words_for_events_are_whole_or_left_out_and_then_english() -> None:
    english = wording.shipped("en")["events"]
    sets = {"kind": Kind, "key_class": KeyClass, "edit": Edit, "command": Command, "role": Role}
    named = {
        name: {str(one.name).lower(): str(one.name).lower().replace("_", " ") for one in members}
        for name, members in sets.items()
    }
    assert english == {"characters": "characters: {count}", **named}
    whole, _, events = SIGNED.partition("[words.fr.events]")
    assert events
    told = shown(study(LIVE + "\n[notice.fr]\nabout = 'x'\n\n" + whole), "fr")
    assert "events" not in told


SIGNED = wording.to_translate("fr").replace('signed_off = ""', 'signed_off = "Zoé"')
BROKEN = {
    "declined = ": ("", r"words\.fr\.declined"),
    "{retention_days}, sealed": ("some days, sealed", r"words\.fr\.kept\.text"),
    'recording = "Recording"': (f'recording = "{"x" * 81}"', r"words\.fr\.indicator\.recording"),
    'direction = "ltr"': ('direction = "up"', r"words\.fr\.direction"),
    'easy = "In easy words"': ('easy = "x"\nmore = "y"', r"words\.fr\.headings\.more"),
    'pause = "Pause recording"': ("pause = 3", r"words\.fr\.indicator\.pause"),
    'key_down = "key down"': ("", r"words\.fr\.events\.kind\.key_down"),
    "[words.fr]": ('[words."French!"]', r"words\.French!"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_words_that_leave_something_out_are_refused_by_name(what: str) -> None:
    instead, where = BROKEN[what]
    lines = SIGNED.splitlines()
    assert any(what in line for line in lines)
    if instead == "":
        lines = [line for line in lines if what not in line]
    text = LIVE + "\n" + "\n".join(lines).replace(what, instead or what)
    with pytest.raises(InvalidInput) as error:
        study(text)
    assert re.search(where, str(error.value))


def test_a_language_without_words_is_refused_before_anyone_could_join(tmp_path: Path) -> None:
    with Store.open(tmp_path, create=True) as store:
        with pytest.raises(InvalidInput, match="overt study words"):
            studies.register(store, (LIVE + "\n[notice.fr]\nabout = 'x'\n").encode())
        assert studies.register(store, (LIVE + notice(RTL)).encode()).words
