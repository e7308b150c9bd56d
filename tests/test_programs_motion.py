"""Programs that imitate people, what is measured of motion, and who can tell."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_fixtures import DATA
from overt.models.programs import grain, groups, pixels
from overt.models.programs.altered import ALTERATIONS, ALTERED, again
from overt.models.programs.classifiers import BOOSTED, Judge, Trees, bound, out_of_fold
from overt.models.programs.features import NAMES, along_axes, row_of
from overt.models.programs.generators import MAKERS
from overt.models.programs.learned import learned
from overt.models.programs.rates import auc, found_at
from overt.models.programs.rounds import Part, _at_a_site, _rounds
from overt.models.programs.sessions import (
    Channel,
    Errands,
    channel_of,
    errand_strokes,
    errands_of,
    performed,
)
from overt.models.programs.sources import recordings
from overt.models.programs.trace import Trace, cut, input_ms, joined, trace_of
from overt.models.programs.varied import VARIED, varied
from overt.models.programs.windows import KINDS, PERSON, Windows, measured, windows_of
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput, TooFew

MOUSETRAP = DATA / "mousetrap-kh2017"
BROWSER = Channel(16.7, np.array([16.0, 17.0, 17.0]), 1.0)
ERRANDS = Errands(
    np.array([400.0, -250, 90, -300]), np.array([30.0, 220, -150, -60]), np.full(4, 300.0)
)


def _silent(_what: str, _done: float) -> None:
    pass


@cache
def _library() -> list[Trace]:
    """Strokes of nobody: bowed, uneven, enough of them to learn from."""
    rng = np.random.default_rng(7)
    made = []
    for _ in range(40):
        mover = MAKERS["minimum jerk"](rng, [])
        t, x, y = mover(rng.uniform(60, 600), rng.uniform(-300, 300))
        made.append(trace_of(t[::8], x[::8], y[::8]))
    return made


def _done(kind: str, seed: int = 1, until_ms: float = 15_000) -> Trace:
    rng = np.random.default_rng(seed)
    library = _library()
    maker = learned(library) if kind == "learned" else MAKERS[kind]
    return performed(maker(rng, library), ERRANDS, BROWSER, rng, until_ms=until_ms)


@pytest.mark.parametrize("kind", KINDS)
def test_every_program_gets_where_it_is_sent_and_looks_like_the_device_it_is_on(kind: str) -> None:
    trace = _done(kind)
    assert input_ms(trace)[-1] >= 12_000
    assert (np.diff(trace.t_ms) > 0).all()
    assert (trace.x_px == np.round(trace.x_px)).all()
    around = np.cumsum(ERRANDS.dx_px)
    for x_px in around[:4]:
        assert np.abs(trace.x_px - x_px).min() <= 1
    np.testing.assert_array_equal(trace.t_ms, _done(kind).t_ms)
    channel = channel_of(trace)
    assert channel is None or set(np.round(channel.intervals_ms)) <= {16, 17}


@given(st.integers(0, 10_000), st.integers(-3000, 3000), st.floats(0, 1e7))
@settings(max_examples=15, deadline=None)
def test_when_and_where_a_window_is_changes_no_number(seed: int, off_px: int, at_ms: float) -> None:
    trace = _done("minimum jerk", seed, 3_000)
    moved = Trace(trace.t_ms + round(at_ms), trace.x_px + off_px, trace.y_px - off_px)
    np.testing.assert_allclose(row_of(moved), row_of(trace), rtol=1e-6, atol=1e-6)


def test_the_same_movement_seen_60_or_125_times_a_second_has_nearly_the_same_numbers() -> None:
    t = np.arange(0, 900.0)
    s = t / t[-1]
    along = 500 * s**3 * (10 - 15 * s + 6 * s**2)
    rows = [
        row_of(trace_of(t[::every], along[::every], 40 * np.sin(np.pi * s[::every])))
        for every in (8, 16)
    ]
    for name in ("straightness", "deviation", "speed_peak", "speed_peak_at", "from_minimum_jerk"):
        at = NAMES.index(f"{name}_median")
        assert rows[0][at] == pytest.approx(rows[1][at], abs=0.05), name


def test_what_each_number_says_of_a_movement_that_is_known() -> None:
    straight, bowed = row_of(_done("straight")), row_of(_done("minimum jerk"))
    jumps = row_of(_done("browser jump"))
    number = NAMES.index
    assert straight[number("straightness_median")] > 0.99
    assert straight[number("speed_variation_median")] < bowed[number("speed_variation_median")]
    assert straight[number("from_constant_median")] < bowed[number("from_constant_median")]
    assert straight[number("steady_median")] > bowed[number("steady_median")]
    assert jumps[number("jumped")] == 1
    assert straight[number("jumped")] == 0


def _numbers(t: Array, x: Array, y: Array) -> dict[str, float]:
    return dict(zip(grain.NAMES, grain.row_of(trace_of(t, x, y)), strict=True))


def test_added_noise_does_not_grow_with_speed_and_shows_at_the_shortest_times() -> None:
    t = np.arange(0, 900.0, 8)
    s = t / t[-1]
    along, speed = 900 * s**3 * (10 - 15 * s + 6 * s**2), 16 * s**2 * (1 - s) ** 2
    shaken = np.random.default_rng(4).normal(0, 3, t.size)
    smooth, hand, noisy = (
        _numbers(t, along, 60 * np.sin(np.pi * s) + one)
        for one in (np.zeros(t.size), shaken * speed, shaken)
    )
    assert hand["off_with_speed"] > noisy["off_with_speed"] + 0.3
    assert hand["off_fast_to_slow"] > noisy["off_fast_to_slow"] + 0.5
    assert smooth["aside_100_to_50_ms"] > 1 > noisy["aside_100_to_50_ms"] + 0.5
    assert smooth["along_100_to_50_ms"] > 1


def test_noise_turns_a_path_back_where_a_hand_goes_on() -> None:
    t = np.arange(0, 1200.0, 10)
    s = t / t[-1]
    along, aside = 300 * s**3 * (10 - 15 * s + 6 * s**2), 30 * np.sin(np.pi * s)
    rng = np.random.default_rng(5)
    smooth, shaken, wobbly = (
        dict(zip(pixels.NAMES, pixels.row_of(trace_of(t, along + a, aside + b)), strict=True))
        for a, b in (
            (np.zeros(t.size), np.zeros(t.size)),
            rng.normal(0, 1, (2, t.size)),
            (np.zeros(t.size), 4 * np.sin(2 * np.pi * t / 150)),
        )
    )
    for name in ("turns_back_1_px_per_s", "reversed", "reversed_where_slow", "aside_where_slow"):
        assert shaken[name] > smooth[name] + 0.2, name
    # One turn of the bow, and a turn and back again every 150 ms.
    assert smooth["turns_back_3_px_per_s"] == pytest.approx(np.log(1.5 / 1.69), abs=0.02)
    assert wobbly["turns_back_3_px_per_s"] == pytest.approx(np.log(16 / 1.69), abs=0.1)
    assert wobbly["reversed"] < 0.2 < shaken["reversed"]


def test_what_a_hand_does_between_strokes_changes_nothing_pixel_by_pixel() -> None:
    stroke = _done("minimum jerk", until_ms=4_000)
    t = stroke.t_ms[-1] + 500 + np.arange(4) * 16.0
    x, y = stroke.x_px[-1] + np.array([0.0, 1, 0, 1]), np.full(4, stroke.y_px[-1])
    more = joined([stroke, Trace(t, x, y)])
    np.testing.assert_array_equal(pixels.row_of(more), pixels.row_of(stroke))


def test_of_a_pointer_that_is_moved_by_keys_nothing_is_said() -> None:
    moved = groups.with_keys(ERRANDS)
    assert (moved.x_px[-1], moved.y_px[-1]) == (ERRANDS.dx_px.sum(), ERRANDS.dy_px.sum())
    hand = np.stack([measured(_done(kind)) for kind in ("minimum jerk", "noisy replay")])
    both = np.concatenate([measured(moved)[None], hand])
    assert along_axes(both).tolist() == [True, False, False]
    part = Part("", _described([PERSON], ["a/1"]), np.zeros(1), (), unsure=along_axes)

    class Sure(Judge):
        def score(self, x: Array) -> Array:
            return np.full(len(x), 50.0)

    judge = Sure(Trees(), program_above=3.0, person_below=-3.0)
    assert part.answers(judge, both).tolist() == [-1, 1, 1]


def test_strokes_that_take_their_course_alike_are_alike_however_long_they_are() -> None:
    alike, unlike = (
        dict(zip(grain.NAMES, grain.row_of(_done(kind)), strict=True))
        for kind in ("straight", "learned")
    )
    assert alike["timed_alike_least"] < unlike["timed_alike_least"] - 1
    assert alike["timed_alike_middle"] < unlike["timed_alike_middle"] - 1


@pytest.mark.parametrize("kind", ["Bézier", "browser jump", "straight"])
def test_a_varied_program_gets_where_it_is_sent_in_ways_of_its_own(kind: str) -> None:
    plain = MAKERS[kind](np.random.default_rng(1), [])
    mover = varied(np.random.default_rng(2), MAKERS[kind](np.random.default_rng(1), []))
    for dx, dy in [(300.0, -40.0), (-9.0, 3.0), (50.0, 400.0)] * 20:
        t, x, y = mover(dx, dy)
        assert np.hypot(x[0], y[0]) < 1e-6
        assert np.hypot(x[-1] - dx, y[-1] - dy) < 1e-6
        assert (np.diff(t) >= 0).all()
        assert not np.array_equal(t, plain(dx, dy)[0])


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_altered_stroke_is_the_persons_own_errand_with_one_thing_changed(name: str) -> None:
    person = _done("noisy replay")
    strokes, errands = errand_strokes(person), errands_of(person)
    mover = again(strokes, ALTERATIONS[name](np.random.default_rng(3)))
    changed = 0.0
    for turn in range(len(strokes) + 2):
        own = strokes[turn % len(strokes)]
        goal = complex(errands.dx_px[turn % len(strokes)], errands.dy_px[turn % len(strokes)])
        t, x, y = mover(goal.real, goal.imag)
        made, took = x + 1j * y, own.t_ms - own.t_ms[0]
        z = np.interp(t, took, own.x_px) + 1j * np.interp(t, took, own.y_px)
        z -= z[0]
        assert t[-1] == pytest.approx(took[-1])
        assert abs(made[0]) < 1e-6
        assert abs(made[-1] - goal) < 1e-6
        changed += np.abs(made - z).mean() / len(strokes)
        if name == "smoothed":
            assert np.abs(np.diff(made, 3)).mean() < 0.2 * np.abs(np.diff(z, 3)).mean()
        elif name == "bent":
            assert np.abs(((made - z) * np.conj(goal)).real).max() < 1e-6 * abs(goal) ** 2
        else:
            apart = np.abs(made[:, None] - z).min(1)
            assert apart.max() < 6
    assert changed > 0.5


def _described(kinds: list[str], persons: list[str]) -> Windows:
    kind, person = np.array(kinds), np.array(persons)
    source = np.array([name.partition("/")[0] for name in persons])
    nothing = np.zeros((kind.size, 1))
    unit = np.char.add(np.char.add(kind, "/"), person)
    return Windows(nothing, nothing, np.full(kind.size, 5.0), kind, source, person, unit)


def test_varied_programs_are_learned_from_never_asked_about_and_leave_with_their_kind() -> None:
    kinds = [PERSON, "straight", "wind", f"{VARIED}straight", f"{VARIED}wind"]
    kinds += [ALTERED + name for name in ALTERATIONS]
    persons = [f"{source}/{one}" for source in "ab" for one in range(2)]
    windows = _described(kinds * 4, np.repeat(persons, len(kinds)).tolist())
    part = Part("", windows, np.repeat([0, 1, 0, 1], len(kinds)), ("straight", "wind"))
    rounds = list(_rounds(part))
    assert [one.left_out for one in rounds][::2] == ["", "straight", "wind", "people of a"]
    for one in rounds:
        learned_from, asked = windows.where(one.train), windows.where(one.test)
        assert asked.asked.all()
        assert set(asked.person) & set(learned_from.person) == set()
        assert one.left_out not in set(learned_from.base)
        assert f"{VARIED}{'wind' if one.left_out == 'straight' else 'straight'}" in set(
            learned_from.kind
        )
        assert {ALTERED + name for name in ALTERATIONS} <= set(learned_from.kind)


def test_what_is_altered_as_a_kind_does_it_leaves_with_that_kind() -> None:
    altered = {ALTERED + name for name in ALTERATIONS}
    kinds = [PERSON, "Bézier", "noisy replay", *altered]
    windows = _described(kinds * 2, np.repeat(["a/0", "a/1"], len(kinds)).tolist())
    part = Part("", windows, np.repeat([0, 1], len(kinds)), ("Bézier", "noisy replay"))
    learned_from = {one.left_out: set(windows.kind[one.train]) for one in _rounds(part)}
    assert learned_from["Bézier"] == set(kinds) - {"Bézier", f"{ALTERED}retimed"}
    assert learned_from["noisy replay"] == set(kinds) - {"noisy replay"}
    assert learned_from[""] == set(kinds)
    assert set(windows.kind[windows.asked]) == {PERSON, "Bézier", "noisy replay"}


def test_each_alteration_has_trees_of_its_own_and_any_of_them_may_suspect() -> None:
    rng = np.random.default_rng(2)
    kinds = [PERSON, "wind", f"{ALTERED}bent", f"{ALTERED}smoothed"]
    windows = _described(kinds * 60, ["a/1"] * 240)
    # People are in the middle; the program and one alteration are below, the other one above.
    middle = np.tile([0.0, -4.0, 4.0, -4.0], 60)
    windows = replace(windows, x=rng.normal(middle, 1.0)[:, None])
    without = windows.where(windows.kind != f"{ALTERED}bent")
    x = np.array([[-4.0], [0.0], [4.0]])
    below, above, neither = Trees(40).fit(windows).score(x)[[0, 2, 1]]
    assert min(below, above) > 1 > 0 > neither
    assert Trees(40).fit(without).score(x)[2] < 0
    plain = windows.where(~windows.altered)
    assert [len(Trees(9).fit(one).models) for one in (windows, plain)] == [2, 1]


def test_a_site_that_sets_the_bound_by_its_own_people_wrongs_few_and_still_finds_programs() -> None:
    rng = np.random.default_rng(5)
    persons = [f"b/{number % 40}" for number in range(800)]
    windows = _described([PERSON, "wind"] * 400, persons)
    odds = rng.normal(np.where(windows.program, 9.0, 4.0), 1.0)
    part = Part("", windows, np.zeros(800, int), ("wind",))
    rows = {row.metric: row.value for row in _at_a_site(part, {(BOOSTED, "people of b"): odds})}
    assert rows["people called programs, bound set by half of its people, 5 s"] <= 0.03
    assert rows["programs called programs, bound set by half of its people, 5 s"] >= 0.95
    assert _at_a_site(part, {(BOOSTED, "wind"): odds}) == []


@pytest.mark.parametrize("size", [0, 1, 2])
def test_next_to_nothing_gives_no_numbers_and_no_error(size: int) -> None:
    trace = trace_of(np.arange(size) * 10.0, np.arange(size) * 1.0, np.zeros(size))
    assert np.isnan(row_of(trace)[:-3]).all()
    assert np.isnan(grain.row_of(trace)).all()
    assert np.isnan(pixels.row_of(trace)).all()
    assert cut(trace, 5.0) == []


def test_samples_are_in_order_finite_and_moved() -> None:
    t = np.array([30.0, 10, 20, 20, np.nan, 40])
    x = np.array([3.0, 1, 5, 2, 9, 3.2])
    trace = trace_of(t, x, np.zeros(6))
    assert trace.t_ms.tolist() == [10, 20, 30]
    assert trace.x_px.tolist() == [1, 2, 3]


def test_a_long_pause_is_half_a_second_of_input() -> None:
    one = trace_of(np.arange(0, 1000, 10.0), np.arange(100.0), np.zeros(100))
    both = joined([one, one], pause_ms=60_000)
    assert input_ms(both)[-1] == pytest.approx(990 * 2 + 500)
    assert sum(piece.size for piece in cut(both, 1.0, least=0.0)) == both.size


def test_auc_and_found_are_what_counting_pairs_says() -> None:
    rng = np.random.default_rng(3)
    score, program = np.round(rng.normal(size=200), 1), rng.random(200) < 0.4
    weight = rng.integers(0, 4, 200).astype(float)
    pairs = [
        (weight[a] * weight[b], (score[a] > score[b]) + 0.5 * (score[a] == score[b]))
        for a in np.flatnonzero(program)
        for b in np.flatnonzero(~program)
    ]
    wanted = sum(w * hit for w, hit in pairs) / sum(w for w, _hit in pairs)
    assert auc(score, program, weight) == pytest.approx(wanted)
    people = np.arange(200.0)
    both = np.append(people, [197.5, 198.5, 250.0, -1.0])
    which = np.append(np.zeros(200, bool), np.ones(4, bool))
    # Two of 200 people may be above the bound, so it lies at the third highest.
    assert found_at(both, which, np.ones(204)) == pytest.approx(0.75)


def test_too_few_people_to_set_a_bound_means_that_nobody_is_called_a_program() -> None:
    assert bound(np.zeros(20), 0.99) == np.inf
    judge = Judge(Trees(), program_above=np.inf, person_below=-2.0)
    assert judge.said(np.array([50.0, 0.0, -3.0])).tolist() == [-1, -1, 0]


@pytest.mark.skipif(not MOUSETRAP.exists(), reason=f"no recordings at {MOUSETRAP}")
def test_programs_nobody_has_seen_are_told_from_people_nobody_has_seen() -> None:
    people = recordings(MOUSETRAP, _silent)[:14]
    windows = windows_of(people, lambda one: int(one.person) % 2, _silent, vary=True)
    assert set(windows.base) <= {PERSON, *KINDS, *(ALTERED + name for name in ALTERATIONS)}
    assert windows.altered.sum() > 100
    side = np.array([int(name.split("/")[1]) % 2 for name in windows.person])
    left_out = np.isin(windows.base, ["straight", "browser jump", "minimum jerk"])
    judge = Judge(Trees(60)).fit(windows.where((side == 0) & ~left_out))
    asked = windows.where((side == 1) & windows.asked & (left_out | (windows.kind == PERSON)))
    assert auc(judge.score(asked.x), asked.program, np.ones(asked.kind.size)) > 0.95
    score, program, weight = out_of_fold(windows, Trees(60))
    assert score.size == program.size == weight.size > 0


def test_a_folder_without_people_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
    with pytest.raises(InvalidInput, match="no recordings"):
        recordings(tmp_path, _silent)


def test_one_class_alone_is_refused_in_words() -> None:
    windows = windows_of([], lambda _one: 0, _silent)
    with pytest.raises(TooFew):
        Trees().fit(windows)


def test_a_damaged_file_is_named_and_what_it_lacks_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "cursory-human-trajectories"
    folder.mkdir()
    file = folder / "trajectories.json"
    for data, said in (
        ('[{"points": [[1,', "is not JSON"),
        ('[{"points": [[1, 2]]}]', "no points"),
    ):
        file.write_text(data)
        with pytest.raises(InvalidInput, match=said) as caught:
            recordings(folder, lambda _what, _share: None)
        assert "trajectories.json" in str(caught.value.where)
