"""What one's own words say comes next: the vectors shared with the page, and what holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.models.text import taught
from overt.models.text.own import COMMON, Expected, standing
from overt.models.text.vocabulary import learned
from overt.schema.errors import TooFew

VECTORS = Path(__file__).parents[1] / "spec" / "vectors" / "text.json"
CASES = json.loads(VECTORS.read_text("utf-8"))["cases"]
words = st.text("abc'", min_size=1, max_size=3)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_vector_is_expected_as_written(case: dict[str, Any]) -> None:
    expected = Expected(case["given"])
    for before, word in case["taught"]:
        expected.learn(before, word)
    for before, word in case["slips"]:
        expected.unlearn(before, word)
    for text, at, wanted, offered in case["asked"]:
        place = standing(text, at)
        assert (place and [list(place[0]), place[1]]) == wanted
        assert (expected.expect(*place) if place else []) == offered


@settings(deadline=None, max_examples=20)
@given(st.lists(words, max_size=12), st.lists(words, max_size=12), st.text("ab'", max_size=2))
def test_words_that_are_unlearned_leave_no_trace(
    kept: list[str], gone: list[str], prefix: str
) -> None:
    one, other = Expected(), Expected()
    for model, texts in ((one, (kept, gone)), (other, (kept,))):
        for text in texts:
            for at, word in enumerate(text):
                model.learn(text[max(0, at - 2) : at], word)
    for at, word in enumerate(gone):
        one.unlearn(gone[max(0, at - 2) : at], word)
    assert one.expect(kept[-2:], prefix, 10) == other.expect(kept[-2:], prefix, 10)
    one.forget()
    assert one.expect([], "", 3) == list(COMMON[:3])


def test_there_is_a_bound_to_what_is_learned() -> None:
    many = Expected(words_max=3, learned_max=5)
    for word in ("a", "b", "c", "d", "a", "b", "c"):
        many.learn([], word)
    assert many.counts[""] == {"a": 2, "b": 2, "c": 1}


def _samples(people: int) -> list[taught.Sample]:
    said = ("we go to the sea", "they go home", "tea and bread", "the sea is near")
    return [
        taught.Sample(bytes([number]) * 8, (said[number % 4], f"my word{'xyz'[number % 3]} is"))
        for number in range(people)
    ]


def test_a_model_without_a_person_is_the_one_they_never_taught() -> None:
    known = learned([["the", "sea"]])
    everyone = _samples(13)
    with_all = taught.fit(everyone, known)
    without = taught.fit([one for one in everyone if one is not everyone[5]], known)
    never = taught.fit([*everyone[:5], *everyone[:5:-1]], known)
    assert without.sha256() == never.sha256() != with_all.sha256()
    assert with_all.predictor.words("we go", "t")[0] == "to"
    with pytest.raises(TooFew):
        taught.fit(everyone[:9], known)


def test_what_nobody_taught_knows_public_words_alone() -> None:
    model = taught.only_public(learned([["the", "sea"]]))
    assert model.words("the", "") == ["sea", "the"]
    assert model.characters(["the s"]).sum(axis=1) == pytest.approx(1)
