"""Curves of texts, spelling and elements: sums over people, without minutes where none are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from overt.audit.growth import page
from overt.datasets import synthetic
from overt.datasets.transform import to_rhythm0
from overt.models.engagement.choices import Choices
from overt.models.enough import chosen, listed, spelled
from overt.models.enough.measured import measure, part_of
from overt.models.enough.tables import Sum
from overt.models.text.alphabet import codes
from overt.schema.errors import InvalidInput, TooFew
from test_models_engagement import made_up


def quiet(*_: object) -> None:
    """Say nothing."""


def _spelled(*texts: str) -> spelled.Spelled:
    coded = [codes(text) for text in texts]
    came = np.concatenate([code[1:] for code in coded])
    return spelled.Spelled(
        came,
        np.concatenate([spelled._before(code) for code in coded]),
        np.linspace(0, 1, came.size),
        1.0,
    )


def test_characters_are_told_better_by_who_wrote_alike_and_no_worse_than_their_frequency() -> None:
    made = spelled.tables_of([_spelled(*["so it goes"] * 9)] * 3 + [_spelled(*["qqzz"] * 9)])
    one, nobody, other = Sum(made), Sum(made), Sum(made)
    one.add([0, 1], np.inf)
    other.add([3, 3], np.inf)
    assert one.loss(2) < 0.3 * nobody.loss(2)
    assert one.loss(2) < other.loss(2)
    short = Sum(made)
    short.add([0, 1], 0.0)
    assert short.loss(2) > one.loss(2)


def test_what_was_written_is_known_at_level_keys_alone_each_before_its_time() -> None:
    sessions = next(synthetic.people(1, 3, sessions=2, minutes=1.0)).sessions
    found = part_of("next-text", sessions, 0)
    assert isinstance(found, spelled.Spelled)
    assert (np.diff(found.minute) >= 0).all()
    assert found.minute[-1] <= found.minutes
    assert found.came.size == len(found.before) >= spelled.CHARACTERS_MIN
    assert part_of("next-text", [to_rhythm0(one) for one in sessions], 0) is None
    for task in ("spelling", "next-element"):
        with pytest.raises(InvalidInput, match="published data alone"):
            part_of(task, sessions, 0)


def test_rates_of_elements_save_bits_and_forget_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    people = chosen.split(made_up(34))
    model = chosen.Pressed(people)
    whole = model.add(model.start(), range(33), np.inf)
    again = model.add(model.add(model.start(), range(20), 1.0), range(20, 33), 1.0)
    bits, choices = model.parts(whole, whole, 33)
    assert choices == 10
    assert bits == pytest.approx(model.parts(again, whole, 33)[0])
    assert 0 < bits / choices < np.log2(5)
    assert model.parts(model.start(), whole, 33)[0] == pytest.approx(0)
    found = measure("next-element", people, resamplings=2, progress=quiet)
    told = json.dumps(found.as_dict(), allow_nan=False)
    assert "minutes" not in found.advice.sentence
    assert '"minutes": null' in told
    assert "inf" not in page(found, "Made up.")


def test_choices_of_a_person_are_theirs_alone() -> None:
    whole: Choices = made_up(5)
    people = chosen.split(whole)
    assert sum(one.taken.sum() for one in people) == whole.person.size
    assert all((np.add.reduceat(one.taken, one.first[:-1]) == 1).all() for one in people)


def test_words_of_a_list_stand_for_people_each_with_its_misspellings(tmp_path: Path) -> None:
    lines = []
    for number in range(34):
        word = f"wo{'abcdefghij'[number % 10]}rd{'klmn'[number // 10]}"
        lines += [f"${word}", word[1:], word.replace("o", "oo"), word]
    (tmp_path / "made-up.dat").write_text("\n".join(lines))
    words = listed.words_of(tmp_path)
    assert len(words) == 34
    assert all(len(one.pairs) == 2 for one in words)
    found = measure("spelling", words, resamplings=2, progress=quiet)
    assert found.as_dict()["who"] == "words"
    assert "words" in found.advice.sentence
    assert found.grid.value[0, 0, -1] > 0
    with pytest.raises(TooFew, match="29 words"):
        measure("spelling", words[:29], resamplings=2, progress=quiet)
