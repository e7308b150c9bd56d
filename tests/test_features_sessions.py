"""Pointing, clicks, scrolling and navigation of whole sessions: as an obvious loop has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import session_loops
from datasets_fixtures import session
from overt.datasets import rows, synthetic
from overt.features import catalogue, sums, windows
from overt.features.catalogue import writing
from overt.features.means import means
from overt.schema.event import EVENTS, Kind, Pointer, Role

NAMES = [f.name for f in catalogue.CATALOGUE if f not in writing.FEATURES]
OFTEN = [Kind.POINTER_MOVE] * 30 + [Kind.POINTER_DOWN, Kind.POINTER_UP, Kind.SCROLL] * 3
RARELY = [*[Kind.CLICK, Kind.KEY_DOWN, Kind.FOCUS] * 2, Kind.TASK, Kind.PAUSE, Kind.VISIBILITY]
KINDS = np.array([int(kind) for kind in OFTEN + RARELY])
ROLES = np.array([int(role) for role in [*Role, *[Role.BUTTON] * 30]])
STEPS_US = np.array([8_000] * 10 + [0, 100, 16_700, 60_000, 210_000, 600_000, -3_000])


@st.composite
def pointer_sessions(draw: st.DrawFn, events_max: int = 150) -> pa.Table:
    """Draw a session with moves, rests, drags, touches, late samples, breaks and scrolling.

    Drawn by a seed, many rows at once: what can shrink is how long it is.
    """
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    count = draw(st.integers(1, events_max))
    kind = rng.choice(KINDS, count)
    still = kind != Kind.POINTER_MOVE
    x, y = rng.choice([0, 1, 30, 80, -50, -90], count), rng.choice([0, 0, 3, -16], count)
    columns = {
        "seq": np.arange(count),
        "kind": kind,
        "t_us": draw(st.integers(10**6, 10**12)) + np.cumsum(rng.choice(STEPS_US, count)),
        "x_8th_css_px": 800 + np.cumsum(np.where(still & (rng.random(count) < 0.9), 0, x)),
        "y_8th_css_px": 800 + np.cumsum(np.where(still, 0, y)),
        "pointer": rng.choice([rng.choice([1, 1, 2])] * 30 + [2, 3], count),
        "button": np.where(np.isin(kind, (7, 8, 9)), rng.choice([1, 1, 3], count), 0),
        "value": rng.integers(0, 3, count),
        "role": rng.choice(ROLES, count),
        "element": rng.integers(0, 4, count),
        "modifiers": rng.choice([0, 16], count),
        "scroll_y_css_px": rng.choice([-50, 0, 50, 100], count),
    }
    return rows.table(count, columns)


def same(found: dict[str, Any], expected: dict[str, float | None]) -> None:
    assert set(expected) == set(NAMES)
    for name, value in expected.items():
        if value is None:
            assert found[name] is None, name
        else:
            assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name


@settings(deadline=None, max_examples=100)
@given(pointer_sessions(), st.sampled_from([None, 50_000, 400_000]))
def test_every_figure_agrees_with_an_obvious_loop(events: pa.Table, window_us: int | None) -> None:
    start = int(events.column("t_us").to_numpy().min())
    found = session_loops.happened(events)
    for row in windows.features([events], window_us=window_us).to_pylist():
        width = window_us or 2**62
        begin = start + row["window"] * width
        same(row, session_loops.figures(found, begin, begin + width))


def test_figures_of_whole_people_agree_with_an_obvious_loop() -> None:
    for person in synthetic.people(2, 3, sessions=1, minutes=2):
        (events,) = person.sessions
        (row,) = windows.features([events]).to_pylist()
        same(row, session_loops.figures(session_loops.happened(events)))


def moved(events: pa.Table, columns: dict[str, Any]) -> pa.Table:
    for name, values in columns.items():
        at = EVENTS.get_field_index(name)
        events = events.set_column(at, EVENTS.field(at), pa.array(values, EVENTS.field(at).type))
    return events


@settings(deadline=None, max_examples=30)
@given(pointer_sessions(), st.integers(-500, 500), st.integers(0, 10**12))
def test_another_place_and_another_time_change_nothing(
    events: pa.Table, by: int, shift_us: int
) -> None:
    there = moved(
        events,
        {
            "t_us": events.column("t_us").to_numpy() + shift_us,
            "x_8th_css_px": events.column("x_8th_css_px").to_numpy() + by,
            "y_8th_css_px": events.column("y_8th_css_px").to_numpy() - by,
        },
    )
    for window_us in (None, 300_000):
        kept = windows.features([events], window_us=window_us)
        assert windows.features([there], window_us=window_us).equals(kept)


@settings(deadline=None, max_examples=30)
@given(pointer_sessions(), st.sampled_from([50_000, 700_000]))
def test_windows_add_up_to_the_session(events: pa.Table, window_us: int) -> None:
    merged = windows.session_sums(events, window_us=window_us).merged()
    whole = windows.session_sums(events)
    for (_, mine), (_, expected) in zip(merged.parts, whole.parts, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-9, atol=1e-6)


def test_merging_is_associative() -> None:
    (person,) = synthetic.people(1, 4, sessions=1, minutes=1)
    parts = windows.session_sums(person.sessions[0], window_us=5_000_000)
    halves = [parts.windows(half).merged() for half in (slice(4), slice(4, None))]
    for (_, mine), (_, whole) in zip(
        sums.joined(halves).merged().parts, parts.merged().parts, strict=True
    ):
        np.testing.assert_allclose(mine, whole, rtol=1e-9)


def pointed(told: list[tuple[int, int, int, int]], **more: int) -> pa.Table:
    """Rows of kind, ms, x and y in CSS px."""
    return session(
        [
            {"kind": k, "t_us": 1000 * ms, "x_8th_css_px": 8 * x, "y_8th_css_px": 8 * y}
            | {"pointer": int(Pointer.MOUSE), "button": int(k in (7, 8)), **more}
            for k, ms, x, y in told
        ]
    )


MOVE, DOWN, UP = int(Kind.POINTER_MOVE), int(Kind.POINTER_DOWN), int(Kind.POINTER_UP)
THERE = [(MOVE, 8 * n, 20 * n, 0) for n in range(6)]


def only(events: pa.Table) -> dict[str, Any]:
    (row,) = windows.features([events]).to_pylist()
    return dict(row)


def test_hesitation_is_the_time_over_the_place_before_the_press() -> None:
    made = only(pointed([*THERE, (MOVE, 48, 101, 0), (DOWN, 548, 101, 0)]))
    assert made["hesitation_us_mean"] == 508_000
    assert made["aims"] == made["movements"] == 1


def test_a_press_elsewhere_is_not_what_the_movement_aimed_at() -> None:
    made = only(pointed([*THERE, (DOWN, 548, 300, 0)]))
    assert (made["movements"], made["aims"], made["pointer_presses"]) == (1, 0, 1)


def test_what_is_moved_with_a_button_held_is_a_drag_and_no_movement() -> None:
    held = [(MOVE, 50 + ms, 100 + x, y) for _, ms, x, y in THERE[1:]]
    made = only(pointed([*THERE, (DOWN, 48, 100, 0), *held, (UP, 120, 200, 0)]))
    assert (made["movements"], made["drags"]) == (1, 1)
    assert made["drag_css_px_mean"] == 100
    assert made["path_css_px_mean"] == 100


def test_a_finger_leaves_nothing_between_its_strokes() -> None:
    stroke = [(DOWN, 0, 0, 0), *THERE[1:], (UP, 50, 100, 0)]
    again = [(kind, 100 + ms, 900 + x, 500 + y) for kind, ms, x, y in stroke]
    made = only(pointed([*stroke, *again], pointer=int(Pointer.TOUCH)))
    assert (made["movements"], made["drags"], made["drag_css_px_mean"]) == (0, 2, 100)


def test_nothing_is_joined_over_a_break_in_recording() -> None:
    told = [*THERE[:3], (int(Kind.PAUSE), 20, 0, 0), (int(Kind.RESUME), 21, 0, 0), *THERE[3:]]
    assert only(pointed(told))["movements"] == 0
    assert only(pointed(THERE))["movements"] == 1


def test_throughput_is_that_of_iso_9241_on_known_aims() -> None:
    """Movements of 256 px in 400 ms whose ends spread by a known amount."""
    rng = np.random.default_rng(1)
    ends = rng.normal(0, 5, 4000)
    told = []
    for number, off in enumerate(np.round(ends).astype(int).tolist()):
        t_ms = 2000 * number
        told += [(MOVE, t_ms + 80 * n, off - 256 + round(256 * n / 5), 0) for n in range(6)]
        told += [(DOWN, t_ms + 430, off, 0), (UP, t_ms + 500, off, 0)]
    events = pointed(told, role=int(Role.TARGET), element=7)
    made = only(events)
    expected = np.log2(256 / (4.133 * np.std(np.round(ends))) + 1) / 0.4
    assert made["aims"] == 4000
    assert made["throughput_bits_per_s"] == pytest.approx(expected, rel=0.02)
    few = events.slice(0, 800)
    same(only(few), session_loops.figures(session_loops.happened(few)))
    kinds = events.column("kind").to_numpy()
    scrolled = moved(events, {"kind": np.where(kinds == UP, int(Kind.SCROLL), kinds)})
    assert only(scrolled)["throughput_bits_per_s"] is None


def test_presses_that_never_spread_have_no_throughput() -> None:
    told = []
    for t in range(0, 40_000, 2_000):
        told += [(kind, t + ms, x, y) for kind, ms, x, y in THERE] + [(DOWN, t + 60, 100, 0)]
        told += [(UP, t + 90, 100, 0)]
    made = only(pointed(told, role=int(Role.BUTTON), element=7))
    assert made["aims"] == 20
    assert made["throughput_bits_per_s"] is None


def test_fewer_samples_a_second_make_paths_shorter_and_jerk_smaller() -> None:
    (person,) = synthetic.people(1, 4, sessions=1, minutes=1)
    events = person.sessions[0]
    kind = events.column("kind").to_numpy()
    rank = np.cumsum(kind == MOVE)
    thinned = only(events.filter(pa.array((kind != MOVE) | (rank % 3 == 0))))
    dense = only(events)
    for name in ("path_css_px_mean", "peak_speed_css_px_per_s_mean", "axis_crossings_mean"):
        assert thinned[name] < dense[name], name
    for name in ("jerk_css_px_per_s3_mean", "acceleration_css_px_per_s2_mean"):
        assert thinned[name] < dense[name], name
    assert thinned["straightness_mean"] > dense["straightness_mean"]
    assert thinned["movement_us_mean"] == pytest.approx(dense["movement_us_mean"], rel=0.1)


def test_a_person_has_no_figures_of_what_was_never_recorded() -> None:
    typed = session([{"kind": 1, "slot": 1, "t_us": t, "element": 1} for t in (0, 200_000)])
    known = {
        feature.name
        for feature, value in zip(catalogue.CATALOGUE, means([typed]), strict=True)
        if np.isfinite(value)
    }
    assert {"presses", "acts"} <= known
    assert not known & {"movements", "pointer_presses", "scroll_steps"}
    assert not np.isfinite(means([])).any()
    assert not np.isfinite(means([EVENTS.empty_table()])).any()
