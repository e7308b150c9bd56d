"""The notice says all it must in plain words, follows the settings, and chooses nothing."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from log_fixtures import study
from overt.consent.notice import KIND_GROUPS, notice_bytes, notice_sha256
from overt.consent.wording import shipped
from overt.schema.canonical import canonical
from overt.schema.errors import InvalidInput
from overt.schema.event import MARKS, Kind
from overt.schema.purpose import REGISTRY
from overt.schema.study import LANGUAGES, Study, load_study, template


def rendered(language: str = "en", **settings: Any) -> Any:
    return json.loads(notice_bytes(dataclasses.replace(study(), **settings), language))


def words_of(language: str) -> dict[str, Any]:
    return shipped(language)


def text_of(notice: Any) -> str:
    parts = [notice["title"], notice["about"], notice["choices"]["heading"]]
    parts += notice["choices"]["text"]
    for section in notice["sections"]:
        parts += [section["heading"], *section["text"]]
    for choice in notice["choices"]["purposes"]:
        parts += [choice["title"], choice["text"]]
    return "\n".join(parts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notice_says_everything_it_must_on_one_screen(language: str) -> None:
    notice = rendered(language)
    assert [section["id"] for section in notice["sections"]] == [
        "easy",
        "recorded",
        "before",
        "kept",
        "readers",
        "leaving",
        "limits",
        "ask",
    ]
    text = text_of({**notice, "sections": notice["sections"][1:-1]})
    assert "{" not in text
    assert len(text.split()) < 450, "one screen"
    assert all(len(sentence.split()) <= 40 for sentence in text.split("."))


def test_each_purpose_is_its_own_choice_and_none_is_preselected() -> None:
    notice = rendered()
    choices = notice["choices"]["purposes"]
    assert [choice["id"] for choice in choices] == list(study().purposes)
    for choice in choices:
        assert set(choice) == {"id", "title", "text"}, "nothing that could select it"
    assert "None is chosen for you" in text_of(notice)


def test_the_words_follow_the_settings() -> None:
    text = text_of(
        rendered(retention_days=365, outbox_delay_s=600, hold_days=0, storage="a cellar")
    )
    assert "365 days" in text
    assert "10 minutes" in text
    assert "a cellar" in text
    assert "is lost" in text
    assert "7 days" in text_of(rendered())
    assert "1 day, sealed" in text_of(rendered(retention_days=1))
    assert "Not which letter" in text_of(rendered())
    keys = text_of(rendered(level="keys"))
    assert "Not which letter" not in keys
    assert "what you type there can be read" in keys


def test_what_a_purpose_needs_is_named_from_the_registry() -> None:
    choices = {c["id"]: c["text"] for c in rendered()["choices"]["purposes"]}
    assert "pointer movement" in choices["person-or-program"]
    assert "pointer movement" not in choices["typing-assist"]
    groups = list(KIND_GROUPS.values())
    assert frozenset().union(*groups) == set(Kind) - MARKS, "every kind of event has its word"
    assert sum(map(len, groups)) == len(set(Kind) - MARKS)


def test_the_limits_name_who_can_still_decrypt_see_recognise_and_keep() -> None:
    limits = next(s for s in rendered()["sections"] if s["id"] == "limits")
    text = " ".join(limits["text"])
    for fact in ("master key", "network", "recognise", "cannot be called back", "model"):
        assert fact in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notice_promises_nothing_the_product_does_not_say_of_itself(language: str) -> None:
    text = text_of(rendered(language)).lower()
    for word in ("anonym", "unlinkable", "gdpr-compliant", "dsgvo-konform", "impossible", "unmögl"):
        assert word not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same_things(language: str) -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(item) for name, item in value.items()}
        if isinstance(value, list):
            return [shape(item) for item in value]
        return sorted(part.split("}")[0] for part in str(value).split("{")[1:])

    assert shape(words_of(language)) == shape(words_of("en"))
    assert set(words_of(language)["purposes"]) == set(REGISTRY)


def test_english_words_for_purposes_are_those_of_the_registry() -> None:
    for purpose, words in words_of("en")["purposes"].items():
        assert (words["title"], words["text"]) == (
            REGISTRY[purpose].title,
            REGISTRY[purpose].explanation,
        )


def test_the_bytes_are_canonical_and_any_change_is_another_hash() -> None:
    exact = notice_bytes(study(), "en")
    assert canonical(json.loads(exact)) == exact
    assert notice_bytes(study(), "en") == exact
    hashes = {notice_sha256(study(), language) for language in LANGUAGES}
    for change in (
        {"version": 2},
        {"retention_days": 31},
        {"outbox_delay_s": 61},
        {"level": "keys"},
        {"fields": ("#a",)},
        {"purposes": ("next-action",)},
        {"readers": ("another",)},
        {"controller": "another"},
    ):
        hashes.add(notice_sha256(dataclasses.replace(study(), **change), "en"))
    assert len(hashes) == len(LANGUAGES) + 8


def test_no_notice_where_there_is_none() -> None:
    with pytest.raises(InvalidInput, match="It has: en, de"):
        notice_bytes(study(), "fr")
    imported: Study = load_study(template("aalto", "Aalto", "imported").encode())
    with pytest.raises(InvalidInput, match="imported"):
        notice_bytes(imported, "en")
