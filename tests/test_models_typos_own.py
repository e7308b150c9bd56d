"""What a person's own corrections teach: the vectors shared with the page, and what holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.models.typos.own import Correction, Own, Watch, edit_between, judge, plain

VECTORS = Path(__file__).parents[1] / "spec" / "vectors" / "typos.json"
CASES = json.loads(VECTORS.read_text("utf-8"))["cases"]
letters = st.text("abehnt' .", max_size=12)


def _told(correction: Correction | None) -> list[Any] | None:
    return correction and [correction.slip, correction.put, correction.matched, correction.start]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_vector_is_told_and_corrected_as_written(case: dict[str, Any]) -> None:
    watch, own = Watch(), Own(case["given"])
    own.knows(case.get("others", ()))
    for text, wanted in zip(case["states"], case["seen"], strict=True):
        seen = watch.change(text)
        assert [seen.word, _told(seen.correction)] == wanted
        own.word(seen.word)
        if seen.correction:
            own.correct(seen.correction)
    if case["leave"]:
        correction = watch.leave()
        assert _told(correction) == case["left"]
        assert correction
        own.correct(correction)
    for what, slip, put in case["then"]:
        getattr(own, what)(slip, put)
    for token, wanted in case["hints"]:
        own.word(plain(token))
        hint = own.hint(token)
        assert (hint and [hint.put, hint.why]) == wanted


@settings(deadline=None)
@given(texts=st.lists(letters, max_size=12))
def test_any_series_of_texts_tells_only_words_that_stood_there(texts: list[str]) -> None:
    watch = Watch()
    stood = {""}
    for text in texts:
        stood.add(text)
        seen = watch.change(text)
        everywhere = " ".join(plain(one) for one in stood) + " ".join(stood).lower()
        if seen.correction:
            assert seen.correction.slip in everywhere
            assert seen.correction.put in everywhere
            assert seen.correction.slip != seen.correction.put
        assert seen.word in everywhere
    watch.leave()


@settings(deadline=None)
@given(word=st.text("abcdef", min_size=1, max_size=6), at=st.integers(0, 5))
def test_swapping_two_letters_is_found_to_be_a_swap(word: str, at: int) -> None:
    at = min(at, len(word) - 2)
    if at < 0 or word[at] == word[at + 1]:
        return
    slip = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    edit = edit_between(word, slip)
    assert edit is not None
    assert edit.key == f"swap:{word[at : at + 2]}"


@settings(deadline=None)
@given(slip=letters, put=letters)
def test_a_correction_is_always_of_two_near_words(slip: str, put: str) -> None:
    found = judge(slip, put, 0)
    assert found is None or (found.put.startswith(found.matched) and found.slip != found.matched)


def test_nothing_is_hinted_before_anything_was_learned() -> None:
    own = Own(["quick", "brown"])
    assert own.hint("qucik") is None


def test_a_hint_taken_back_is_not_given_again() -> None:
    own = Own()
    own.accept("teh", "the")
    assert own.hint("teh")
    own.refuse("teh", "the")
    own.accept("teh", "the")
    assert own.hint("teh") is None
