"""Programs that type in a person's place, what is measured of rhythm, and who can tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.datasets import rows
from overt.models.programs import habits, order, scored, shown, writers
from overt.models.programs.classifiers import Trees
from overt.models.programs.drawn import drawn
from overt.models.programs.habits import Habits
from overt.models.programs.keyboard import pace_of, performed, windows_of
from overt.models.programs.rhythm import NAMES, row_of, trivial_of
from overt.models.programs.rounds import name_of, sides_of
from overt.models.programs.strip import Strip
from overt.models.programs.typed import (
    PAUSE_MAX_MS,
    Clock,
    Typed,
    clock_of,
    cut,
    in_a_row,
    text_of,
    typing_ms,
)
from overt.models.programs.typists import TYPISTS, Pace
from overt.models.programs.windows import PERSON, Windows
from overt.models.programs.writers import Writer
from overt.schema.errors import InvalidInput
from overt.schema.event import KeyClass, Kind

FINE = Clock(1.0, 1.0, np.zeros(1))
PACE = Pace(200.0, 90.0)
AT = {name: place for place, name in enumerate(NAMES)}


def _silent(_what: str, _done: float) -> None:
    pass


def _somebody(seed: int, texts: int = 6, step_ms: float = 1.0) -> Typed:
    """Return typing of nobody: slower at words, each interval like the one before."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(texts):
        key_class = np.where(np.arange(40) % 6 == 5, int(KeyClass.SPACE), int(KeyClass.LETTER))
        after = np.append(False, key_class[:-1] == KeyClass.SPACE)
        drift = np.convolve(rng.normal(0, 0.3, 44), np.ones(5) / 2, "valid")
        wait = 180 * np.exp(drift + 0.5 * after)
        down = np.floor(np.cumsum(wait) / step_ms) * step_ms
        hold = np.floor(rng.lognormal(4.5, 0.3, 40) / step_ms) * step_ms
        made.append(Typed(down, hold, key_class.astype(np.int8), np.arange(40) == 0))
    return in_a_row(made)


def _done(kind: str, seed: int = 1, clock: Clock = FINE) -> Typed:
    rng = np.random.default_rng(seed)
    typist = TYPISTS[kind](rng, PACE, [_somebody(8), _somebody(9)])
    return performed(typist, _somebody(seed), clock, rng, until_ms=30_000)


@pytest.mark.parametrize("kind", TYPISTS)
def test_every_program_types_the_persons_keys_through_the_persons_clock(kind: str) -> None:
    for step in (1.0, 8.0):
        done = _done(kind, clock=Clock(step, 1.0, np.zeros(1)))
        assert typing_ms(done)[-1] >= 25_000
        assert (np.diff(done.down_ms) > 0).all()
        assert (done.hold_ms >= 0).all()
        for text in done.texts():
            np.testing.assert_array_equal(text.key_class, _somebody(1).texts()[0].key_class)
            if kind != "instant":
                assert (np.diff(text.down_ms) % step == 0).all()
    again = _done(kind, clock=Clock(8.0, 1.0, np.zeros(1)))
    np.testing.assert_array_equal(again.down_ms, done.down_ms)


def test_each_number_says_what_an_imitation_forgets() -> None:
    person = row_of(_somebody(3))
    rows_of = {kind: row_of(_done(kind)) for kind in TYPISTS}
    assert rows_of["fixed delay"][AT["interval_repeats"]] > 0.4 > person[AT["interval_repeats"]]
    assert person[AT["word_start"]] > 0.3 > rows_of["log-normal delay"][AT["word_start"]]
    assert rows_of["slower at words"][AT["word_start"]] > 0.1
    assert rows_of["person by key class"][AT["word_start"]] > 0.3
    assert person[AT["interval_follows"]] > 0.3
    for kind in ("log-normal delay", "shuffled person", "person by key class"):
        assert abs(rows_of[kind][AT["interval_follows"]]) < 0.3, kind
        assert person[AT["rest_follows"]] > 0.5 > rows_of[kind][AT["rest_follows"]] + 0.2, kind
        assert person[AT["rest_drifts"]] > 1 > rows_of[kind][AT["rest_drifts"]] + 0.5, kind
    assert person[AT["interval_by_classes"]] > 0.05
    assert abs(rows_of["shuffled person"][AT["interval_by_classes"]]) < 0.1
    assert rows_of["instant"][AT["down_down_us_mean"]] < 10_000


@given(st.integers(0, 1000), st.integers(0, 10**9))
@settings(max_examples=10, deadline=None)
def test_when_a_window_is_changes_no_number(seed: int, at_ms: int) -> None:
    typed = _somebody(seed, 2)
    later = Typed(typed.down_ms + at_ms, typed.hold_ms, typed.key_class, typed.begins)
    np.testing.assert_allclose(row_of(later), row_of(typed), rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(trivial_of(later), trivial_of(typed))


def test_means_and_shares_are_those_of_the_catalogue_and_modifiers_are_left_out() -> None:
    keys = [1, 1, 4, 9, 1, 1, 2]
    t = np.array([0, 90, 250, 300, 380, 470, 700]) * 1000
    up = t + np.array([110, 80, 60, 300, 95, 240, 50]) * 1000
    order = np.argsort(np.concatenate([t, up]), kind="stable")
    made = {
        "kind": np.repeat([int(Kind.KEY_DOWN), int(Kind.KEY_UP)], 7)[order],
        "t_us": np.concatenate([t, up])[order],
        "slot": np.tile(np.arange(1, 8), 2)[order],
        "key_class": np.tile(keys, 2)[order],
    }
    text = text_of(rows.table(14, made))
    assert text.key_class.tolist() == [1, 1, 4, 1, 1, 2]
    t_us, up_us = np.delete(t, 3), np.delete(up, 3)
    row = row_of(text)
    assert row[AT["hold_us_mean"]] == pytest.approx((up_us - t_us).mean())
    assert row[AT["down_down_us_sd"]] == pytest.approx(np.diff(t_us).std(ddof=1))
    assert row[AT["up_down_us_mean"]] == pytest.approx((t_us[1:] - up_us[:-1]).mean())
    assert row[AT["rollover_share"]] == pytest.approx((up_us[:-1] > t_us[1:]).mean())


def _described(people: int, kind: str) -> tuple[list[Typed], Windows]:
    """Return typing of nobody in particular, and of a program after each, as windows."""
    pieces = [_somebody(20 + one, 4) for one in range(people)]
    pieces += [_done(kind, 20 + one) for one in range(people)]
    kinds = np.repeat([PERSON, kind], people)
    names = np.tile([f"made up/{one}" for one in range(people)], 2)
    nothing = np.zeros((2 * people, 0))
    return pieces, Windows(nothing, nothing, np.full(2 * people, 60.0), kinds, kinds, names, names)


def test_a_program_without_a_persons_habits_is_found_by_who_has_met_no_program() -> None:
    pieces, windows = _described(24, "person by key class")
    half = np.tile(np.arange(24) < 12, 2)
    rows = shown.Shown(pieces, windows)(half)
    evidence = rows[:, habits.NAMES.index("lacks_place_and_memory")]
    people, programs = (evidence[~half & (windows.program == one)] for one in (False, True))
    assert np.median(programs) > 2 > -2 > np.median(people)
    assert (np.sort(programs)[2] > people).mean() > 0.8
    # Nobody is shown by their own habits: whatever else they typed changes nothing of their row.
    other = [_somebody(99, 4), *pieces[1:]]
    again = shown.Shown(other, windows)(half)
    np.testing.assert_array_equal(again[24], rows[24])
    assert (again[12] != rows[12]).any()


@given(st.integers(0, 2**32 - 1), st.integers(1, order.DEGREES))
@settings(max_examples=15, deadline=None)
def test_taking_order_away_moves_presses_and_changes_none(seed: int, degree: int) -> None:
    typed = _somebody(seed, 3)
    made = order.disordered(typed, degree, np.random.default_rng(seed))
    np.testing.assert_array_equal(made.key_class, typed.key_class)
    np.testing.assert_array_equal(np.isnan(made.interval_ms()), np.isnan(typed.interval_ms()))
    np.testing.assert_array_equal(np.sort(made.hold_ms), np.sort(typed.hold_ms))
    kept, was = np.round(made.interval_ms()), typed.interval_ms()
    np.testing.assert_array_equal(np.sort(kept), np.sort(was))
    assert (kept != was)[np.isfinite(was)].any()
    if degree == 1:
        before = np.append(0, typed.key_class[:-1])
        for one in (1, 4):
            pair = (before == one) & (typed.key_class == 1) & np.isfinite(was)
            both = [
                sorted(zip(a[pair], b.hold_ms[pair], strict=True))
                for a, b in ((kept, made), (was, typed))
            ]
            assert both[0] == both[1]


@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 8.0]))
@settings(max_examples=15, deadline=None)
def test_a_program_drawn_at_random_has_of_a_person_the_keys_and_the_clock(
    seed: int, step_ms: float
) -> None:
    typed, clock = _somebody(3), Clock(step_ms, 1.0, np.zeros(1))
    made = drawn(typed, clock, np.random.default_rng(seed))
    np.testing.assert_array_equal(made.key_class, typed.key_class)
    np.testing.assert_array_equal(np.isnan(made.interval_ms()), np.isnan(typed.interval_ms()))
    assert (np.diff(made.down_ms) > 0).all()
    assert (made.hold_ms >= 0).all()
    assert np.isin(made.down_ms % step_ms, [0.0]).mean() > 0.9  # but those moved apart
    again, other = (
        drawn(typed, clock, np.random.default_rng(one)) for one in (seed, (seed + 1) % 2**32)
    )
    np.testing.assert_array_equal(again.down_ms, made.down_ms)
    assert (other.down_ms != made.down_ms).any()


def test_programs_drawn_at_random_are_none_twice() -> None:
    made = [drawn(_somebody(3), FINE, np.random.default_rng(seed)) for seed in range(60)]
    interval = np.log([one.interval_ms() for one in made])
    before = np.append(0, made[0].key_class[:-1])
    pace = np.nanmedian(interval, 1) - np.log(np.nanmedian(_somebody(3).interval_ms()))
    assert abs(np.median(pace)) < 0.3  # about the person's
    assert pace.min() < -0.5
    assert pace.max() > 0.5
    spread = np.nanstd(interval, 1)
    assert spread.min() < 0.1
    assert spread.max() > 0.6
    after = np.nanmedian(interval[:, before == KeyClass.SPACE], 1)
    inside = np.nanmedian(interval[:, before == KeyClass.LETTER], 1)
    slower = after - inside
    assert slower.min() < -0.1
    assert slower.max() > 0.1
    overlap = [float(np.nanmean(one.interval_ms()[1:] < one.hold_ms[:-1])) for one in made]
    assert min(overlap) == 0
    assert max(overlap) > 0.3


def _taught(monkeypatch: pytest.MonkeyPatch) -> list[Writer]:
    """Return teachers enough for a network that is to learn in a second."""
    monkeypatch.setattr(order, "LENGTHS_S", (15.0,) * 12)
    monkeypatch.setattr(order, "_PRESSES", 1000)
    monkeypatch.setattr(shown, "TEACHERS_MIN", 12)
    return [Writer("made up", f"teacher {one}", _somebody(500 + one)) for one in range(12)]


def test_who_knows_people_finds_programs_it_was_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    teachers = [one.typed for one in _taught(monkeypatch)]
    people = [_somebody(20 + one, 4) for one in range(20)]
    known = order.learned(teachers, lambda _done: None)
    found = known.evidence([*people, people[0].at(slice(0, 3))])
    assert np.isnan(found[20])
    for kind in ("person by key class", "slower at words", "log-normal delay", "normal delay"):
        shown_to = known.evidence([_done(kind, 20 + one) for one in range(20)])
        assert np.median(found[:20]) < 0 < np.median(shown_to), kind
        assert (np.sort(shown_to)[3] > found[:20]).mean() > 0.8, kind
    np.testing.assert_allclose(known.evidence(people[:1]), found[:1], atol=1e-4)
    monkeypatch.setattr(order, "LENGTHS_S", (15.0,))
    one, other = (order.learned(teachers[:4], lambda _done: None) for _ in range(2))
    np.testing.assert_array_equal(one.evidence(people), other.evidence(people))


def test_of_what_is_no_running_text_only_the_order_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    teachers = [one.typed for one in _taught(monkeypatch)]
    monkeypatch.setattr(order, "LENGTHS_S", (15.0,))
    known = order.learned(teachers[:4], lambda _done: None)
    programs = [_done("normal delay", 20 + one) for one in range(4)]
    code = np.arange(1000) % 3 == 0
    coded = [
        replace(one, key_class=np.where(code[: one.size], int(KeyClass.DIGIT), one.key_class))
        for one in programs
    ]
    as_code, as_text = (known.evidence(one) for one in (coded, programs))
    monkeypatch.setattr(order, "NO_TEXT", 1.01)
    heard = known.evidence(coded)
    assert (as_code < heard).all()
    np.testing.assert_allclose(known.evidence(programs), as_text, atol=1e-5)


def test_a_sources_teachers_are_not_heard_where_it_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    teachers = _taught(monkeypatch)
    monkeypatch.setattr(order, "LENGTHS_S", (15.0,))
    pieces, windows = _described(8, "person by key class")
    source = np.where(np.arange(16) % 8 < 4, "made up", "others")
    seen = shown.Shown(pieces, replace(windows, source=source), teachers)
    heard, lone = seen(source == "made up"), seen(source == "others")
    at = shown.NAMES.index("unlike_people")
    lacking = [shown.NAMES.index(name) for name in habits.LACKING]
    assert np.isfinite(heard[:, at]).all()
    assert np.isnan(heard[:, lacking]).all()
    assert np.isnan(lone[:, at]).all()
    assert np.isfinite(lone[:, lacking]).all()
    people = (source == "made up") & ~windows.program
    np.testing.assert_allclose(seen.taught(people).rows(pieces[:1])[0, at], heard[0, at], atol=1e-4)


def test_windows_laid_end_to_end_are_as_each_alone() -> None:
    pieces = [_somebody(1, 2), _done("instant"), _somebody(2, 1).at(slice(0, 0)), _somebody(3, 3)]
    taught = [_somebody(30 + one, 4) for one in range(4)]
    strip = Strip(taught)
    learned = Habits().fit(strip, habits.effects_of(strip), np.ones(4, bool))
    together = learned.rows(*_laid(pieces))
    for row, piece in zip(together, pieces, strict=True):
        np.testing.assert_allclose(learned.rows(*_laid([piece]))[0], row, rtol=1e-6, atol=1e-6)
    assert np.isnan(together[2]).all()
    assert np.isfinite(together[[0, 1, 3]]).all()


def _laid(pieces: list[Typed]) -> tuple[Strip, habits.Effects]:
    strip = Strip(pieces)
    return strip, habits.effects_of(strip)


def test_evidence_for_other_programs_adds_to_that_for_known_ones() -> None:
    rng = np.random.default_rng(1)
    known, others = rng.normal(size=(200, 1)), np.full((200, 1), np.nan)
    names = np.where(known[:, 0] > 0, "fixed delay", PERSON)
    windows = Windows(np.append(known, others, 1), known, *[names] * 5)
    trees = Trees(20, others=1).fit(windows)
    asked = np.array([[-1.0, np.nan], [-1.0, -9.0], [-1.0, 9.0], [1.0, -9.0]])
    said = trees.score(asked)
    assert said[0] == pytest.approx(said[1], abs=0.1)
    assert said[2] == pytest.approx(9, abs=0.1)
    assert said[3] > said[1]


@pytest.mark.parametrize("size", [0, 1, 2])
def test_next_to_nothing_gives_no_rhythm_and_no_error(size: int) -> None:
    few = Typed(
        np.arange(size) * 100.0, np.full(size, np.nan), np.ones(size, np.int8), np.arange(size) == 0
    )
    assert np.isnan(row_of(few)[AT["interval_follows"] :]).all()
    assert np.isnan(trivial_of(few)).all()
    assert cut(few, 5.0) == []
    assert in_a_row([few]).size == 0
    assert pace_of(few) is None


def test_texts_follow_each_other_with_a_second_between_that_is_no_interval() -> None:
    both = in_a_row([_somebody(1, 1), _somebody(2, 1)])
    joint = int(np.flatnonzero(both.begins)[1])
    assert both.down_ms[joint] - both.down_ms[joint - 1] == PAUSE_MAX_MS
    assert np.isnan(both.interval_ms()[[0, joint]]).all()
    assert [text.size for text in both.texts()] == [40, 40]


@pytest.mark.parametrize("step_ms", [0.1, 1.0, 8.0, 10.0])
def test_a_persons_clock_is_read_from_their_own_times(step_ms: float) -> None:
    assert clock_of(_somebody(4, step_ms=step_ms)).step_ms == step_ms


def test_programs_in_a_persons_place_know_nothing_of_that_person_or_the_other_side() -> None:
    people = [Writer("made up", str(n), _somebody(n)) for n in range(6)]
    sides = sides_of(people)

    def made(known: list[Writer]) -> dict[str, float]:
        windows = windows_of(known, lambda one: sides[name_of(one)], _silent)
        mine = (windows.person == "made up/0") & windows.program
        return dict(
            zip(windows.unit[mine].tolist(), np.nan_to_num(windows.x[mine]).sum(1), strict=True)
        )

    assert sorted(set(sides.values())) == [0, 1]
    other = [one for one in people if sides[name_of(one)] != sides["made up/0"]]
    without = [one for one in people if one is not other[-1]]
    assert made(people) == made(without)
    alone = [people[0], *other]
    assert not {one.split("/")[0] for one in made(alone)} & {
        "shuffled person",
        "person by key class",
    }


def test_aaltos_layout_alone_is_judged_as_typing_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "PEOPLE_MAX", 40)
    head = "PARTICIPANT_ID\tTEST_SECTION_ID\tPRESS_TIME\tRELEASE_TIME\tLETTER\tKEYCODE"
    for person in range(writers.PEOPLE_MAX + 3):
        lines = [head]
        typed = _somebody(person, 1) if person % 20 else _somebody(person, 1).at(slice(0, 3))
        for down, hold, key_class in zip(
            typed.down_ms, typed.hold_ms, typed.key_class, strict=True
        ):
            code = 32 if key_class == KeyClass.SPACE else 65
            lines.append(f"{person}\t1\t{down:.0f}\t{down + hold:.0f}\t{chr(code)}\t{code}")
        (tmp_path / f"{person}_keystrokes.txt").write_text("\n".join(lines), encoding="utf-8")
    everyone, found = scored.found(tmp_path, _silent)
    assert everyone == []
    assert len({one.person for one in found}) == len(found)
    assert writers.PEOPLE_MAX - 4 <= len(found) <= writers.PEOPLE_MAX
    assert {one.source for one in found} == {"aalto-desktop-subset"}
    assert writers.writers(tmp_path, _silent) == []
    # Who teaches the order of presses is nobody who is judged.
    judged = {tuple(one.typed.hold_ms) for one in found}
    others = {tuple(one.typed.hold_ms) for one in writers.teachers(tmp_path, _silent)}
    assert 1 <= len(others) <= 3
    assert not judged & others


def test_a_folder_without_anyone_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
    with pytest.raises(InvalidInput, match="no recordings"):
        scored.found(tmp_path, _silent)
