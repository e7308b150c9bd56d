"""What one's own words say comes next: the vectors shared with the page, and what holds."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.models.text import cards, mixture, taught
from overt.models.text.alphabet import codes
from overt.models.text.own import COMMON, Expected, standing
from overt.models.text.vocabulary import learned, words_of
from overt.models.typos.channel import edits
from overt.schema.errors import Damaged

VECTORS = Path(__file__).parents[1] / "spec" / "vectors" / "text.json"
CASES = json.loads(VECTORS.read_text("utf-8"))["cases"]
words = st.text("abc'", min_size=1, max_size=3)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_vector_is_expected_as_written(case: dict[str, Any]) -> None:
    expected = Expected(case["given"], case.get("after", {}))
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
        taught.Sample(
            bytes([number]) * 8,
            "synthetic",
            "train",
            number % 2,
            (said[number % 4], f"tell zorro{number} of the sea"),
            (("teh", "the"), ("zoro", f"zorro{number}")),
        )
        for number in range(people)
    ]


KNOWN = learned([["the", "sea"]])


def test_a_model_of_text_without_a_person_is_the_one_they_never_taught() -> None:
    everyone = _samples(14)
    whole = taught.train(everyone, general=KNOWN)
    left = [one for one in everyone if one is not everyone[5]]
    again = taught.train(left, shards=[1], before=whole, general=KNOWN)
    never = taught.train(left[::-1], general=KNOWN)
    assert again.sha256() == never.sha256() != whole.sha256()
    assert again.certified
    assert again.shard_hashes()[0] == whole.shard_hashes()[0]
    assert whole.predictor(KNOWN).words("we go", "t")[0] == "to"
    back = taught.Taught.from_bytes(whole.to_bytes())
    assert back.sha256() == whole.sha256()
    text = ["we go to the sea"]
    assert np.array_equal(
        back.predictor(KNOWN).characters(text), whole.predictor(KNOWN).characters(text)
    )
    with pytest.raises(Damaged):
        taught.Taught.from_bytes(whole.to_bytes()[:-9])


def test_what_one_person_alone_wrote_is_in_no_model() -> None:
    model = taught.train(_samples(14), general=KNOWN)
    assert b"sea" in model.to_bytes()
    assert b"zor" not in model.to_bytes()
    assert model.predictor(KNOWN).words("tell", "zo") == []
    alone = taught.train(_samples(1), general=KNOWN)
    assert alone.shards[0]["texts"].size == 0
    assert alone.predictor(KNOWN).characters(["sea"]).sum(axis=1) == pytest.approx(1)


def test_a_page_gets_the_study_s_words_and_what_follows_which_and_no_slip_of_two() -> None:
    people = _samples(16)
    slip = dataclasses.replace(people[0], texts=("to the sae",))
    for place in (0, 2):
        people[place] = dataclasses.replace(slip, tag=people[place].tag)
    model = taught.train(people, general=KNOWN)
    assert b"sae" in model.to_bytes()
    page = cards.page(model, learned([["the", "quay"]]))
    assert page["words"][:2] == ["the", "sea"], "the most frequent first"
    assert page["words"][-1] == "quay", "general English behind"
    assert "sae" not in page["words"]
    assert page["after"]["the"] == ["sea"]
    assert page["after"]["we"] == ["go"]
    assert "zor" not in str(page)


def test_own_corrections_make_a_slip_cheaper_and_a_shard_a_mean() -> None:
    model = taught.train(_samples(14), general=KNOWN)
    costs = [float(tensors["swap"][0]) for tensors in model.shards.values()]
    assert max(costs) < edits().swap
    hand = taught.mean([taught.costs(tensors) for tensors in model.shards.values()])
    assert min(costs) - 1e-6 <= hand.swap <= max(costs) + 1e-6


@settings(deadline=None, max_examples=40)
@given(st.text("ab c.", max_size=20), st.sets(st.sampled_from(["a", "b", "ab", "ba", "c"])))
def test_what_is_left_of_a_text_has_shared_words_alone(text: str, shared: set[str]) -> None:
    kept = taught.cut(text, shared)
    words = [match.group() for piece in kept for match in words_of(piece)]
    assert words == [m.group() for m in words_of(text) if m.group() in shared]
    assert all(piece in text for piece in kept)


def test_a_speller_takes_texts_shorter_than_its_longest_run() -> None:
    spelt = mixture.speller(["a", "abcdefghij", ""])
    assert spelt.everything([codes("a"), codes("")]).sum(axis=1) == pytest.approx(1)


def test_what_nobody_taught_knows_public_words_alone() -> None:
    model = taught.only_public(learned([["the", "sea"]]))
    assert model.words("the", "") == ["sea", "the"]
    assert model.characters(["the s"]).sum(axis=1) == pytest.approx(1)
