"""Figures of one pointer path: as an obvious loop has them, and what does not change them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.features import pointing
from pointing_loops import Sample, figures

EIGHTHS = st.integers(-8_000, 8_000).map(lambda eighths: eighths / 8)
STEPS_US = st.sampled_from([100, 900, 4_000, 8_000, 16_700, 150_000])


@st.composite
def paths(draw: st.DrawFn, samples_min: int = 2) -> list[Sample]:
    """Draw a path in order of time, with rests and turns on the spot."""
    t_us = draw(st.integers(0, 10**12))
    x, y = draw(EIGHTHS), draw(EIGHTHS)
    path = [(t_us, x, y)]
    for _ in range(draw(st.integers(samples_min - 1, 20))):
        t_us += draw(STEPS_US)
        far = draw(st.sampled_from([0, 1, 1, 40, 400]))
        x += draw(st.integers(-far, far)) / 8
        y += draw(st.integers(-far, far)) / 8
        path.append((t_us, x, y))
    return path


def found(path: list[Sample]) -> dict[str, float]:
    t_us, x, y = (np.array(column) for column in zip(*path, strict=True))
    return pointing.figures_of(t_us, x, y)


def assert_same(mine: dict[str, float], theirs: dict[str, float | None]) -> None:
    assert list(theirs) == list(pointing.FIGURES)
    for name, value in theirs.items():
        if value is None:
            assert math.isnan(mine[name]), name
        else:
            assert mine[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name


@settings(deadline=None, max_examples=150)
@given(paths())
def test_every_figure_of_a_path_agrees_with_an_obvious_loop(path: list[Sample]) -> None:
    assert_same(found(path), figures(path))


@settings(deadline=None, max_examples=50)
@given(paths(), EIGHTHS, EIGHTHS, st.integers(0, 10**12))
def test_another_place_and_another_time_change_nothing(
    path: list[Sample], x: float, y: float, t_us: int
) -> None:
    moved = [(t + t_us, a + x, b + y) for t, a, b in path]
    assert found(moved) == pytest.approx(found(path), nan_ok=True, rel=1e-12)


LENGTHS = {name for name in pointing.FIGURES if "css_px" in name} - {"curvature_rad_per_css_px"}


@settings(deadline=None, max_examples=50)
@given(paths(), st.sampled_from([0.5, 2.0, 4.0]))
def test_lengths_grow_with_the_scale_and_nothing_else_does(
    path: list[Sample], scale: float
) -> None:
    t_us, x, y = (np.array(column) for column in zip(*path, strict=True))
    whole = pointing.figures_of(t_us, x, y)
    scaled = pointing.figures_of(t_us, scale * x, scale * y, radius=scale * 12)
    for name, value in whole.items():
        factor = scale if name in LENGTHS else 1.0
        factor = 1 / scale if name == "curvature_rad_per_css_px" else factor
        assert scaled[name] == pytest.approx(factor * value, nan_ok=True, rel=1e-12), name


@settings(deadline=None, max_examples=50)
@given(paths())
def test_a_mirror_turns_the_average_deviation_round_and_nothing_else(path: list[Sample]) -> None:
    expected = found(path)
    expected["average_deviation_css_px"] *= -1
    mirrored = [(t, -x, y) for t, x, y in path]
    assert found(mirrored) == pytest.approx(expected, nan_ok=True, rel=1e-12)


def arc(samples: int) -> list[Sample]:
    """Half a circle of radius 100, walked in a second with minimum jerk."""
    made = []
    for s in np.linspace(0, 1, samples):
        angle = math.pi * (10 * s**3 - 15 * s**4 + 6 * s**5)
        made.append((round(s * 1e6), -100 * math.cos(angle), 100 * math.sin(angle)))
    return made


def test_half_a_circle_has_the_figures_of_half_a_circle() -> None:
    made = found(arc(20_001))
    assert made["path_css_px"] == pytest.approx(100 * math.pi, rel=1e-6)
    assert made["straightness"] == pytest.approx(2 / math.pi, rel=1e-6)
    assert made["curvature_rad_per_css_px"] == pytest.approx(1 / 100, rel=1e-3)
    assert made["max_deviation_css_px"] == pytest.approx(100, rel=1e-6)
    assert made["peak_speed_css_px_per_s"] == pytest.approx(1.875 * 100 * math.pi, rel=1e-6)
    assert made["peak_at_share"] == pytest.approx(0.5, abs=1e-3)
    assert made["submovements"] == 1
    assert made["overshoot_css_px"] == pytest.approx(0, abs=1e-12)
    assert made["undershoot_css_px"] == made["reentries"] == 0


def test_going_past_the_end_and_back_is_overshoot_and_a_re_entry() -> None:
    x = [0, 40, 100, 130, 110, 100]
    made = found([(8_000 * number, float(place), 0.0) for number, place in enumerate(x)])
    assert made["overshoot_css_px"] == 30
    assert made["reentries"] == 1
    assert made["submovements"] == 1


def test_stopping_short_and_going_on_is_undershoot_and_two_submovements() -> None:
    x = [0, 30, 70, 80, 81, 91, 100]
    made = found([(60_000 * number, float(place), 0.0) for number, place in enumerate(x)])
    assert made["submovements"] == 2
    assert made["undershoot_css_px"] == 19


@settings(deadline=None, max_examples=50)
@given(paths(samples_min=9))
def test_thinning_a_path_never_makes_it_longer_or_its_peak_higher(path: list[Sample]) -> None:
    thinned = [*path[:-1:3], path[-1]]
    before, after = found(path), found(thinned)
    for name in ("path_css_px", "peak_speed_css_px_per_s"):
        assert after[name] <= before[name] * (1 + 1e-9)


def test_a_denser_path_with_noise_has_more_jerk_but_no_more_submovements() -> None:
    rng = np.random.default_rng(5)
    rows = [(t, x + rng.normal(0, 0.3), y + rng.normal(0, 0.3)) for t, x, y in arc(401)]
    dense, thin = found(rows), found(rows[::10])
    assert dense["jerk_css_px_per_s3"] > 30 * thin["jerk_css_px_per_s3"]
    assert dense["acceleration_css_px_per_s2"] > 5 * thin["acceleration_css_px_per_s2"]
    assert dense["submovements"] == thin["submovements"] == 1
    assert dense["curvature_rad_per_css_px"] > 2 * thin["curvature_rad_per_css_px"]


def test_of_samples_with_one_time_the_last_counts_and_older_ones_do_not() -> None:
    t_us = np.array([5, 5, 9, 7, 9, 12], np.int64)
    assert pointing.in_order(t_us).tolist() == [False, True, False, False, True, True]


def test_a_path_that_goes_nowhere_or_has_one_sample_has_no_figures_of_shape() -> None:
    still = pointing.figures_of([0, 8, 16], [3, 3, 3], [4, 4, 4])
    assert still["path_css_px"] == 0
    assert still["submovements"] == 0
    assert math.isnan(still["straightness"])
    assert math.isnan(still["max_deviation_css_px"])
    for few in ([], [1]):
        assert all(math.isnan(v) for v in pointing.figures_of(few, few, few).values())
    assert len(pointing.movements([], [], [])) == 0


def test_a_press_ends_a_movement_and_so_does_a_rest() -> None:
    t_us = np.arange(12) * 10_000
    x = np.arange(12.0)
    ends = np.zeros(12, bool)
    ends[5] = True
    cut = pointing.movements(t_us, x, x, ends=ends)
    assert (cut.first.tolist(), cut.last.tolist()) == ([0, 6], [5, 11])
    t_us[8:] += pointing.MOVEMENT_GAP_US
    rested = pointing.movements(t_us, x, x)
    assert (rested.first.tolist(), rested.last.tolist()) == ([0, 8], [7, 11])
    assert len(pointing.movements(t_us, x, x, gap_us=10**9)) == 1
