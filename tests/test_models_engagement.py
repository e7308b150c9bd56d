"""Reading on, and what is wanted next: asked while it is open, counted without who is asked."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.models.engagement import menus, orders, readings, scored, told
from overt.models.engagement.choices import Choices
from overt.models.engagement.readings import NAMES, Reading
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput, TooFew


def quiet(_what: str, _share: float) -> None:
    """Say nothing."""


def made_up(people: int, seed: int = 0) -> Choices:
    """Return people in one task who mostly take entry 2 after entry 1, and 1 otherwise; of five."""
    rng = np.random.default_rng(seed)
    person, before, step, taken, entry = [], [], [], [], []
    for one in range(people):
        last = -1
        for number in range(10):
            wanted = (2 if last == 1 else 1) if rng.random() < 0.9 else int(rng.integers(0, 5))
            person.append(one)
            before.append((last, -1))
            step.append(number)
            entry.append([4, 3, 2, 1, 0])
            taken.append([wanted == e for e in entry[-1]])
            last = wanted
    count = len(person)
    return Choices(
        np.array(person),
        np.zeros(count, np.int64),
        np.array(before),
        np.array(step),
        np.arange(count + 1) * 5,
        np.array(entry).ravel(),
        np.array(taken).ravel(),
    )


def _hits(choices: Choices, score: Array) -> float:
    return float((orders.ranks(choices, score) == 0).mean())


def test_what_comes_after_what_is_learned_from_others_and_frequency_alone_is_not_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(orders, "ROUNDS", 15)
    choices = made_up(20)
    made = orders.scores(choices, choices.person % 2)
    assert _hits(choices, made[orders.ONE]) > 0.85
    assert _hits(choices, made[orders.BOOSTED]) > 0.85
    assert _hits(choices, made[orders.COMMONEST]) < 0.6


def test_nothing_of_who_is_asked_is_counted_but_what_they_did_before() -> None:
    choices = made_up(6)
    turned = choices.taken.reshape(-1, 5).copy()
    mine = choices.person == 0
    turned[mine] = np.roll(turned[mine], 1, axis=1)
    other = Choices(**{**vars(choices), "taken": turned.ravel()})
    rows = mine[choices.choice]
    both = [orders.counts_of(one).shares(~rows, without_own=False) for one in (choices, other)]
    for before, after in zip(*both, strict=True):
        assert np.array_equal(before[rows], after[rows])


def test_counts_without_own_are_counts_of_everybody_else() -> None:
    choices = made_up(5)
    counted = orders.counts_of(choices)
    own = choices.person[choices.choice]
    everyone = np.ones(own.size, bool)
    without = counted.shares(everyone, without_own=True)
    for person in range(5):
        others = counted.shares(own != person, without_own=False)
        for a, b in zip(without, others, strict=True):
            assert np.allclose(a[own == person], b[own == person])


@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), min_size=1, max_size=20),
    st.integers(1, 5),
)
@settings(max_examples=40, deadline=None)
def test_a_menu_saves_only_where_it_is_right_and_costs_where_it_is_wrong(
    found: list[tuple[int, int]], shown: int
) -> None:
    rank, place = np.array(found).T
    made = menus.replayed(rank, place, np.full(rank.size, 12), shown)
    wrong = rank >= shown
    assert (made.read_saved[wrong] == -shown).all()
    assert (made.newcomer_s[wrong] < 0).all()
    assert (made.practised_s[wrong] < 0).all()
    assert (made.read_saved[~wrong] == place[~wrong] - rank[~wrong]).all()


@given(st.lists(st.floats(0, 60_000), min_size=1, max_size=12), st.floats(1_000, 60_000))
@settings(max_examples=40, deadline=None)
def test_what_is_scrolled_later_changes_nothing_that_is_asked_with(
    times: list[float], now_ms: float
) -> None:
    t = np.sort(np.array(times))
    at = np.linspace(0.1, 1.2, t.size)
    later = t > now_ms
    one = Reading(0, "a", False, t, at)
    other = Reading(0, "a", False, t[~later], at[~later])
    assert np.array_equal(readings.numbers(one, now_ms), readings.numbers(other, now_ms))
    assert np.isfinite(readings.numbers(one, now_ms)).all()


def test_a_reading_is_asked_about_only_while_it_is_open() -> None:
    quick = Reading(0, "a", False, np.array([100.0, 200, 300]), np.array([0.1, 0.2, 0.3]))
    slow = Reading(1, "a", True, np.array([100.0, 9_000, 20_000]), np.array([0.1, 0.5, 1.0]))
    gone = Reading(2, "a", True, np.array([100.0]), np.array([0.1]))
    asked = {one.name: one for one in told.questions([quick, slow, gone])}
    first = asked["reads on, asked at 5 s"]
    assert first.person.tolist() == [1, 2]
    assert first.aim.tolist() == [True, False]
    assert asked["comes to the end, asked at 30 s"].person.tolist() == [0, 2]


def _written(path: Path, people: int) -> Path:
    """Write people of whom those who stop early scroll in small steps."""
    rng = np.random.default_rng(3)
    names = [f"{a}_{p}_{w}" for a in ("elementary", "advanced") for p in ("reading", "question")
             for w in ("event_ms", "scroll_event")]  # fmt: skip
    rows = []
    for person in range(people):
        row = dict.fromkeys(names, "[]")
        for article, ending in (("elementary", "ele"), ("advanced", "adv")):
            stays = rng.random() < 0.5
            count = int(rng.integers(25, 40)) if stays else int(rng.integers(2, 9))
            t = np.cumsum(rng.uniform(800, 2_000, count)).astype(int)
            at = np.minimum(np.cumsum(np.full(count, 100 if stays else 30)), 2_400)
            row[f"{article}_reading_event_ms"] = str([str(v) for v in t.tolist()])
            row[f"{article}_reading_scroll_event"] = str([str(v) for v in at.tolist()])
            row[f"{article}_text"] = f"Text {person % 6}-{ending}.txt"
        rows.append(row)
    text = io.StringIO()
    writer = csv.DictWriter(text, [*names, "elementary_text", "advanced_text"])
    writer.writeheader()
    writer.writerows(rows)
    (path / "scroll_readability_dataset.csv").write_text(text.getvalue())
    return path


def test_early_scrolling_tells_what_it_can_and_every_figure_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "SECONDS", (5,))
    monkeypatch.setattr(told, "PARTS", 2)
    (file,) = _written(tmp_path, 60).iterdir()
    found = scored.evaluate(file, quiet)
    value = {(row.name, row.metric): row.value for row in found.rows}
    assert value[told.BOOSTED, "AUC, comes to the end, asked at 5 s"] > 0.8
    assert value[told.COMMONER, "log loss, comes to the end, asked at 5 s"] > 0.6
    assert any("Left out: reads on" in note for note in found.notes)
    assert json.dumps(found.as_dict(), allow_nan=False)


def test_too_few_people_are_refused_with_the_number_needed(tmp_path: Path) -> None:
    with pytest.raises(TooFew, match=r"4 people.*20 people"):
        scored.evaluate(_written(tmp_path, 4), quiet)


def test_a_folder_without_such_files_says_which_are_needed(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b")
    with pytest.raises(InvalidInput, match="neither readings nor choices"):
        scored.evaluate(tmp_path, quiet)


def test_a_participant_whose_row_lies_there_twice_is_one(tmp_path: Path) -> None:
    once = readings.read(_written(tmp_path, 6))
    (file,) = tmp_path.rglob("*.csv")
    (file.parent / "scroll_readability_again.csv").write_bytes(file.read_bytes())
    twice = readings.read(tmp_path)
    assert [one.person for one in twice] == [one.person for one in once]


def test_no_number_of_a_reading_tells_how_long_the_page_is() -> None:
    short = Reading(0, "a", False, np.array([500.0, 3_000]), np.array([0.2, 0.6]))
    assert len(readings.numbers(short, 5_000)) == len(NAMES)
    assert readings.numbers(short, 5_000)[NAMES.index("how_far")] == pytest.approx(0.6)
