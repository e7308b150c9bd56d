"""Next element: features do not look at what was pressed, rules repeat, bad input is refused."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_fixtures import DATA
from overt.commands import evaluating
from overt.models.elements import (
    agreement,
    boosted,
    course,
    features,
    figures,
    matching,
    places,
    ranker,
    rates,
    rules,
    scored,
    second,
)
from overt.models.elements.pages import ACTS, Pages, read
from overt.models.elements.words import words, words_of
from overt.models.engagement.choices import choices_of
from overt.schema.errors import InvalidInput, TooFew

MINIWOB = DATA / "miniwob-human-demos"
needs_miniwob = pytest.mark.skipif(not MINIWOB.exists(), reason=f"no recordings at {MINIWOB}")
NAMES = ("ash", "birch", "cedar", "elm", "fir", "oak")


def made_up(people: int, seed: int = 0) -> dict[str, pa.Table]:
    """Return episodes in which each person ticks the named boxes, then presses the button."""
    rng = np.random.default_rng(seed)
    episodes, elements, events = [], [], []
    for person in range(people):
        for demo in range(2):
            key = person * 10 + demo
            wanted = rng.choice(NAMES, 2, replace=False).tolist()
            asked = f"Select {', '.join(wanted)} and click Submit."
            episodes.append((key, person, demo, "tick-boxes", asked))
            shown = rng.permutation(NAMES).tolist()
            for step, name in enumerate([*wanted, "Submit"]):
                ticked = wanted[:step]
                for place, label in enumerate([*shown, "Submit"]):
                    box = label != "Submit"
                    tag = "INPUT_checkbox" if box else "BUTTON"
                    value = str(label in ticked) if box else None
                    row = (key, step, place + 1, place + 1, tag, "", f"c{place}", label, value)
                    elements.append((*row, 5, 20 * place, 60, 15, label == name))
                events.append((key, 1000 * step + 10, "mousedown", None, step))
                events.append((key, 1000 * step + 50, "keydown", 13, None))
    return {
        "episodes": _table("episode assignment demo task utterance", episodes),
        "elements": _table(
            "episode step ref group_ref tag classes id text value left top width height is_target",
            elements,
        ),
        "events": _table("episode t_ms type key_code step", events),
    }


def _table(names: str, rows: list[tuple[object, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table(
        {name: list(column) for name, column in zip(names.split(), columns, strict=True)}
    )


def written(folder: Path, tables: dict[str, pa.Table]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return read(written(tmp_path_factory.mktemp("made-up"), made_up(40)))


def columns(pages: Pages, teachers: np.ndarray) -> np.ndarray:
    return features.made(features.seen(pages, words_of(pages)), teachers)


def test_what_was_pressed_at_a_step_changes_no_figure_of_that_step_or_an_earlier_one(
    pages: Pages,
) -> None:
    """Nor do presses of someone who does not teach change anything of others."""
    teachers = pages.who % 5 != 0
    before = columns(pages, teachers)
    for step in np.flatnonzero(~teachers)[[0, 1, 4, -1]]:
        target = pages.target.copy()
        low, high = pages.first[step], pages.first[step + 1]
        target[step] = low + (target[step] - low + 1) % (high - low)
        after = columns(replace(pages, target=target), teachers)
        others = (pages.who != pages.who[step]) | (np.arange(pages.steps) <= step)
        rows = np.repeat(others, pages.candidates)
        np.testing.assert_array_equal(before[rows], after[rows])


def test_a_teachers_own_press_has_no_part_in_the_rates_that_it_is_trained_with(
    pages: Pages,
) -> None:
    teachers = np.ones(pages.steps, bool)
    crowd = [features.NAMES.index(name) for name in (*rates.CROWD, *rates.WORDS)]
    before = columns(pages, teachers)[:, crowd]
    step = 7
    target = pages.target.copy()
    low, high = pages.first[step], pages.first[step + 1]
    target[step] = low + (target[step] - low + 1) % (high - low)
    after = columns(replace(pages, target=target), teachers)[:, crowd]
    np.testing.assert_array_equal(before[low:high], after[low:high])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text("ab 1", max_size=6), min_size=1, max_size=5), st.text("ab 1", max_size=20))
def test_named_means_that_the_words_stand_in_the_instruction_in_a_row(
    texts: list[str], asked: str
) -> None:
    found = words([asked, *texts])

    def run(place: int) -> list[int]:
        return found.word[found.start[place] : found.start[place + 1]].tolist()

    for place in range(1, len(texts) + 1):
        mine, whole = run(place), run(0)
        spots = [at for at in range(len(whole)) if whole[at : at + len(mine)] == mine]
        at = matching._stands(
            found.word,
            *(found.start[0], found.start[1], found.start[place], found.start[place + 1]),
            (found.letters, found.letter_start),
        )[0]
        assert at == (spots[0] if mine and spots else -1)


def test_a_label_in_camel_case_is_compared_as_it_stands_and_a_name_by_its_parts(
    pages: Pages,
) -> None:
    """Only what nobody reads on the page is taken apart."""
    texts = (*pages.texts, "mcqaXf", "btnDone", "Select mcqaXf, done")
    one = replace(pages, texts=texts, text=pages.text.copy(), id=pages.id.copy())
    one = replace(one, utterance=np.full_like(pages.utterance, len(texts) - 1))
    one.text[0], one.id[1] = len(texts) - 3, len(texts) - 2
    match = matching.matched(one, words_of(one))
    assert match[0, matching.AT["named_at"]] == 1
    assert match[1, matching.AT["name_shared"]] == 0.5


def test_open_candidates_are_ordered_as_the_page_and_as_the_instruction_order_them(
    pages: Pages,
) -> None:
    match = matching.matched(pages, words_of(pages))
    way = course.followed(pages, words_of(pages), match, pages.tag)
    first = pages.number == 0
    rows = pages.target[first]
    assert (way[rows, course.AT["open_order"]] == 0).all()  # they press in the order of naming
    second = pages.target[pages.number == 1]
    assert (way[second, course.AT["open_next_order"]] == 0).all()
    assert (way[pages.first[:-1], course.AT["open_count"]].reshape(-1, 3) == [3, 2, 1]).all()


def test_dates_and_months_are_read_in_both_orders() -> None:
    found = words(["12/24/2016", "2016-03-01", "on March 3", "4 of 7"])
    dates = [matching._date(found.amount[run], found.month[run]) for run in np.split(
        found.word, found.start[1:-1])]  # fmt: skip
    assert dates == [(2016, 12, 24), (2016, 3, 1), (0, 3, 3), (0, 0, 0)]


QUICK = second.Settings(
    boosted.Settings(trees=15, rows_in_leaf=5),
    ranker.Settings(epochs=4, steps_a_batch=40, rate=1e-2),
)


@pytest.fixture(scope="module")
def learned(pages: Pages) -> tuple[second.Learned, features.Seen, np.ndarray]:
    """Learn from four of five people; the figures that it was learned from."""
    teachers = pages.who % 5 != 0
    seen = features.seen(pages, words_of(pages))
    table = features.made(seen, teachers)
    return second.learned(seen, table, teachers, QUICK), seen, table


def test_trees_and_the_second_look_learn_what_is_asked_and_repeat(
    pages: Pages, learned: tuple[second.Learned, features.Seen, np.ndarray]
) -> None:
    model, seen, table = learned
    teachers = pages.who % 5 != 0
    steps = np.flatnonzero(~teachers)
    trees = boosted.trained(pages, table, teachers, QUICK.trees)
    after = model.ranked(seen, table, teachers, ~teachers)
    for score in (after, boosted.ranked(trees, pages, table, ~teachers)):
        judged = figures.judged(pages, score, steps, shared=True)
        assert judged.top1.mean() > 0.9
        assert judged.nll is not None
        assert judged.nll.mean() < 0.6
    rows = np.repeat(~teachers, pages.candidates)
    total = np.add.reduceat(np.exp(after[rows]), np.arange(0, rows.sum(), 7))
    np.testing.assert_allclose(total, 1, atol=1e-3)
    assert np.isnan(after[~rows]).all()
    again = second.learned(seen, table, teachers, QUICK)
    np.testing.assert_array_equal(after, again.ranked(seen, table, teachers, ~teachers))


def test_the_second_look_depends_on_the_places_not_on_their_order(
    pages: Pages, learned: tuple[second.Learned, features.Seen, np.ndarray]
) -> None:
    """And on nothing of later steps: an answer is given before these are known."""
    model, seen, table = learned
    teachers = pages.who % 5 != 0
    everyone = np.ones(pages.steps, bool)
    prior = boosted.unbiased(model.trees, pages, table, teachers, everyone)
    data = places.given(pages, seen.words, table, prior, teachers, model.measure)
    before = ranker.ranked(model.networks[0], data, prior, everyone)
    order = np.append(np.random.default_rng(3).permutation(places.RIVALS), places.RIVALS)
    moved = replace(
        data,
        rows=data.rows[:, order],
        prior=data.prior[:, order[:-1]],
        match_text=data.match_text[:, order],
        match_names=data.match_names[:, order],
    )
    after = ranker.ranked(model.networks[0], moved, prior, everyone)
    np.testing.assert_allclose(after, before, atol=1e-4)
    last = np.diff(pages.who, append=-1) != 0
    hidden = replace(data, rows=np.where(last[:, None] & (np.arange(9) == 8), -1, data.rows))
    np.testing.assert_allclose(
        ranker.ranked(model.networks[0], hidden, prior, everyone), before, atol=1e-4
    )


def test_a_step_that_does_not_teach_moves_no_weight(
    pages: Pages, learned: tuple[second.Learned, features.Seen, np.ndarray]
) -> None:
    """The first steps of each episode teach here; what is pressed last of all is never learned."""
    model, seen, table = learned
    first = pages.number == 0
    prior = boosted.unbiased(model.trees, pages, table, first, np.ones(pages.steps, bool))
    data = places.given(pages, seen.words, table, prior, first, model.measure)
    last = np.diff(pages.who, append=-1) != 0
    other = replace(data, hit=np.where(last, 1, data.hit))
    once = ranker.Settings(epochs=1, steps_a_batch=100)
    weights = [dict(ranker.trained(one, first, once).state_dict()) for one in (data, other)]
    for name, weight in weights[0].items():
        np.testing.assert_array_equal(weight, weights[1][name])


def test_no_teacher_is_judged_by_trees_that_learned_from_them(pages: Pages) -> None:
    """What a teacher pressed changes the shares of others' steps, never those of their own."""
    teachers = pages.who % 5 != 0
    table = columns(pages, teachers)
    quick = boosted.Settings(trees=3, rows_in_leaf=5)

    def judged(one: Pages) -> np.ndarray:
        trees = boosted.parted(one, table, teachers, quick)
        return boosted.unbiased(trees, one, table, teachers, teachers)

    mine = pages.who == 6
    target = np.where(mine, pages.first[:-1], pages.target)
    rows = np.repeat(mine, pages.candidates)
    before, after = judged(pages), judged(replace(pages, target=target))
    np.testing.assert_array_equal(before[rows], after[rows])
    others = np.repeat(teachers & ~mine, pages.candidates)
    assert (before[others] != after[others]).any()


def test_judging_prefers_the_first_of_equals_and_does_not_count_no_guess(pages: Pages) -> None:
    steps = np.arange(pages.steps)
    even = figures.judged(pages, np.zeros(len(pages.text)), steps, shared=False)
    assert even.top1.tolist() == (pages.target == pages.first[:-1]).astype(float).tolist()
    none = figures.judged(pages, np.full(len(pages.text), -np.inf), steps, shared=False)
    assert none.top1.sum() == none.top3.sum() == none.widget1.sum() == 0


def test_people_who_press_alike_agree_and_others_do_not(tmp_path: Path) -> None:
    one = made_up(1)
    tables = {
        name: pa.concat_tables([_moved(table, person) for person in range(6)])
        for name, table in one.items()
    }
    same = read(written(tmp_path, tables))
    assert [row.value for row in agreement.agreements(same)] == [1.0] * 4
    split = replace(same, target=np.where(same.who % 2 == 0, same.first[:-1], same.target))
    assert agreement.agreements(split)[0].value < 0.6


def _moved(table: pa.Table, person: int) -> pa.Table:
    names = [name for name in ("episode", "assignment") if name in table.column_names]
    for name in names:
        moved = pa.array(np.asarray(table[name]) + person * (10 if name == "episode" else 1))
        table = table.set_column(table.column_names.index(name), name, moved)
    return table


def test_what_follows_a_press_and_what_was_typed_come_from_the_events(pages: Pages) -> None:
    assert set(pages.follows.tolist()) == {ACTS.index("type")}
    assert pages.typed.reshape(-1, 3, 3)[:, :, :2].tolist() == [[[0, 0], [1, 1], [1, 1]]] * 80


def test_without_events_groups_or_demo_numbers_pages_are_still_read(tmp_path: Path) -> None:
    tables = made_up(3)
    folder = written(
        tmp_path / "less",
        {
            "episodes": tables["episodes"].drop_columns(["demo"]),
            "elements": tables["elements"].drop_columns(["group_ref", "value", "classes"]),
        },
    )
    found = read(folder / "elements.parquet")
    assert found.steps == 18
    assert np.isfinite(columns(found, np.ones(18, bool))).all()


def test_several_folders_are_read_as_one_and_keep_who_is_scored(tmp_path: Path) -> None:
    written(tmp_path / "a", made_up(7))
    written(tmp_path / "b", made_up(7, seed=1))
    both = read(tmp_path)
    assert len(np.unique(both.who)) == 14
    assert sorted(np.unique(both.who) % 5) == sorted([*(n % 5 for n in range(7))] * 2)


def test_people_with_names_instead_of_numbers_are_read(tmp_path: Path) -> None:
    tables = made_up(3)
    plain = read(written(tmp_path / "numbers", tables))
    names = [f"worker {who}" for who in tables["episodes"]["assignment"].to_pylist()]
    at = tables["episodes"].column_names.index("assignment")
    tables["episodes"] = tables["episodes"].set_column(at, "assignment", pa.array(names))
    assert read(written(tmp_path / "names", tables)).who.tolist() == plain.who.tolist()


def test_too_few_people_are_refused_with_the_number_needed(tmp_path: Path) -> None:
    folder = written(tmp_path / "miniwob-human-demos", made_up(10))
    with pytest.raises(TooFew, match=str(scored.PEOPLE_MIN)):
        scored.evaluate(folder, lambda _what, _done: None)
    written(tmp_path / "another", {"episodes": made_up(1)["episodes"]})
    with pytest.raises(TooFew, match="next-element: 10 assignments"):
        evaluating.evaluate("next-element", tmp_path, None)


def test_a_broken_file_a_missing_one_and_a_missing_column_are_named(tmp_path: Path) -> None:
    tables = made_up(2)
    broken = written(tmp_path / "broken", tables)
    (broken / "elements.parquet").write_bytes(b"no such thing")
    with pytest.raises(InvalidInput, match=r"elements\.parquet: is not a Parquet file"):
        read(broken)
    with pytest.raises(InvalidInput, match=r"no elements\.parquet"):
        read(written(tmp_path / "missing", {"episodes": tables["episodes"]}))
    less = tables | {"elements": tables["elements"].drop_columns(["tag"])}
    with pytest.raises(InvalidInput, match="has no column tag"):
        read(written(tmp_path / "less", less))
    stray = tables | {"episodes": tables["episodes"].slice(1)}
    with pytest.raises(InvalidInput, match="does not list"):
        read(written(tmp_path / "stray", stray))


@needs_miniwob
def test_the_rules_score_what_was_measured_of_them_before() -> None:
    """Figures of the data set's README, on the assignments divisible by five."""
    pages = read(MINIWOB)
    teachers = pages.who % 5 != 0
    steps = np.flatnonzero(~teachers & (pages.target >= 0))
    alike = rates.kinds(pages)
    by_step = rules.majority_cell(pages, teachers, by_step=True)
    guesses = {
        9.3: rules.last_pressed(pages),
        18.2: rules.majority_cell(pages, teachers, by_step=False),
        29.1: by_step,
        34.5: rules.next_kind(pages, alike, teachers),
        17.3: rules.longest_named(pages, by_step),
    }
    assert len(steps) == 12688
    assert 100 * figures.by_chance(pages, steps).top1.mean() == pytest.approx(8.4, abs=0.3)
    for figure, score in guesses.items():
        top1 = figures.judged(pages, score, steps, shared=False).top1.mean()
        assert 100 * top1 == pytest.approx(figure, abs=0.3)


def test_each_choice_has_one_entry_taken_and_no_kind_stands_there_twice(pages: Pages) -> None:
    choices = choices_of(pages)
    assert choices.person.size
    assert (np.add.reduceat(choices.taken.astype(int), choices.first[:-1]) == 1).all()
    for low, high in itertools.pairwise(choices.first.tolist()):
        assert len(set(choices.entry[low:high].tolist())) == high - low
