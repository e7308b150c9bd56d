from __future__ import annotations

import math
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_fixtures import AALTO, needs_aalto, session, sessions
from overt.datasets import synthetic
from overt.datasets.formats import aalto
from overt.features import catalogue, presses, revision, sums, typing, windows
from overt.features.catalogue import writing
from overt.schema.errors import InvalidInput
from overt.schema.event import EVENTS, Edit, Kind

SPEC = Path(__file__).parents[1] / "spec"
TYPED = {Edit.INSERT_TEXT, Edit.INSERT_LINE, Edit.INSERT_COMPOSITION}
DELETED = {e for e in Edit if e.name.startswith("DELETE_")}


def slow_presses(events: pa.Table) -> list[dict[str, int | None]]:
    made: list[dict[str, int | None]] = []
    holding: dict[int, dict[str, int | None]] = {}
    for e in events.to_pylist():
        if e["kind"] == Kind.KEY_DOWN and not e["modifiers"] & 16:
            made.append({"down": e["t_us"], "up": None})
            if e["slot"]:
                holding[e["slot"]] = made[-1]
        elif e["kind"] == Kind.KEY_UP and e["slot"] in holding:
            holding.pop(e["slot"])["up"] = e["t_us"]
    return made


def slow_features(events: pa.Table, start: int, end: int, pause: int) -> dict[str, float | None]:
    """Figures of start <= t < end by an obvious loop; intervals reach back over the border."""
    found = slow_presses(events)
    values: dict[str, list[float]] = {m: [] for m in typing.COLUMNS.measures}
    known = [press["down"] or 0 for press in found]
    seconds = len(set(known)) > 1 and not any(t % 1_000_000 for t in known)
    seconds = seconds and all(press["up"] is None for press in found)
    downs: list[int] = []
    rollovers = 0
    for before, press in zip([None, *found], found, strict=False):
        down, up = press["down"], press["up"]
        assert down is not None
        if not start <= down < end:
            continue
        downs.append(down)
        if up is not None:
            values["hold_us"].append(up - down)
        if before is not None:
            assert before["down"] is not None
            gap = down - before["down"]
            if not seconds:
                values["down_down_us"].append(gap)
                values["down_down_log"].append(math.log(max(gap, 1)))
            if gap >= pause:
                values["pause_us"].append(gap)
            if before["up"] is not None:
                values["up_down_us"].append(down - before["up"])
                rollovers += down < before["up"]
                if up is not None:
                    values["up_up_us"].append(up - before["up"])
    made: dict[str, float | None] = {"presses": len(downs)}
    for measure in typing.COLUMNS.measures[:5]:
        made[f"{measure}_mean"] = mean(values[measure]) if values[measure] else None
        made[f"{measure}_sd"] = stdev(values[measure]) if len(values[measure]) > 1 else None
    overlaps = len(values["up_down_us"])
    made["rollover_share"] = rollovers / overlaps if overlaps else None
    elapsed_s = (max(downs) - min(downs)) / 1e6 if downs else 0
    made["keys_per_s"] = (len(downs) - 1) / elapsed_s if elapsed_s else None
    made["pauses"] = len(values["pause_us"])
    made["pause_us_mean"] = mean(values["pause_us"]) if values["pause_us"] else None
    made.update(slow_revision(events, start, end, pause, len(downs), elapsed_s))
    return made


def slow_revision(
    events: pa.Table, start: int, end: int, pause: int, count: int, elapsed_s: float
) -> dict[str, float | None]:
    total: dict[str, int] = dict.fromkeys(revision.COLUMNS.counts, 0)
    run = 0
    in_revision = False
    last: int | None = None
    for e in events.to_pylist():
        inside, edit = start <= e["t_us"] < end, Edit(e["edit"])
        if e["kind"] == Kind.KEY_DOWN and not e["modifiers"] & 16:
            if last is not None and e["t_us"] - last >= pause:
                total["p_bursts"] += inside and run > 0
                total["p_burst_chars"] += run if inside else 0
                run, in_revision = 0, False
            last = e["t_us"]
        if e["kind"] != Kind.EDIT:
            continue
        if edit in TYPED:
            composing = edit is Edit.INSERT_COMPOSITION
            fresh = e["edit_chars"] - (e["value"] if composing else 0)
            run += fresh
            total["inserted_chars"] += fresh if inside else 0
            total["deleted_chars"] += e["value"] if inside and not composing else 0
            in_revision = False
        if edit in (Edit.INSERT_PASTE, Edit.INSERT_DROP):
            total["pasted_chars"] += e["edit_chars"] if inside else 0
            in_revision = False
        if edit in DELETED:
            total["deletions"] += inside
            total["deleted_chars"] += e["edit_chars"] if inside else 0
            total["revisions"] += inside and not in_revision
            total["r_bursts"] += inside and run > 0
            total["r_burst_chars"] += run if inside else 0
            run, in_revision = 0, True
    text = total["inserted_chars"] - total["deleted_chars"]
    shown = ("inserted_chars", "pasted_chars", "deleted_chars", "revisions", "p_bursts", "r_bursts")
    # A word composed anew in a window takes the place of what was typed before it: no count then.
    made: dict[str, float | None] = {
        name: total[name] if total[name] >= 0 else None for name in shown
    }
    made["words_per_minute"] = (text - 1) / 5 / (elapsed_s / 60) if text > 1 and elapsed_s else None
    made["keys_per_character"] = count / text if text > 0 else None
    made["deletions_per_press"] = total["deletions"] / count if count else None
    for kind in "pr":
        bursts, chars = total[f"{kind}_bursts"], total[f"{kind}_burst_chars"]
        made[f"{kind}_burst_chars_mean"] = chars / bursts if bursts else None
    return made


def same(found: dict[str, Any], expected: dict[str, float | None]) -> None:
    assert set(expected) == {feature.name for feature in writing.FEATURES}
    for name, value in expected.items():
        if value is None:
            assert found[name] is None, name
        else:
            assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name


@settings(deadline=None, max_examples=50)
@given(sessions(), st.sampled_from([None, 400_000, 3_000_000]))
def test_every_figure_agrees_with_an_obvious_loop(events: pa.Table, window_us: int | None) -> None:
    t_us = events.column("t_us").to_numpy()
    start = int(t_us.min())
    for row in windows.features([events], window_us=window_us).to_pylist():
        width = window_us or 2**62
        begin = start + row["window"] * width
        same(row, slow_features(events, begin, begin + width, 2_000_000))


def test_figures_of_whole_people_agree_with_an_obvious_loop() -> None:
    for person in synthetic.people(2, 3, sessions=1, minutes=1):
        (events,) = person.sessions
        (row,) = windows.features([events]).to_pylist()
        same(row, slow_features(events, 0, 2**62, 2_000_000))


@settings(deadline=None, max_examples=50)
@given(sessions(), st.integers(0, 10**12))
def test_shifting_time_changes_nothing(events: pa.Table, shift_us: int) -> None:
    at = EVENTS.get_field_index("t_us")
    later = pa.array(events.column("t_us").to_numpy() + shift_us)
    shifted = events.set_column(at, EVENTS.field(at), later)
    for window_us in (None, 500_000):
        kept = windows.features([events], window_us=window_us)
        assert windows.features([shifted], window_us=window_us).equals(kept)


@settings(deadline=None, max_examples=50)
@given(sessions(), st.sampled_from([100_000, 700_000, 5_000_000]))
def test_windows_add_up_to_the_session(events: pa.Table, window_us: int) -> None:
    parts = windows.session_sums(events, window_us=window_us)
    whole = windows.session_sums(events)
    middle = len(parts) // 2
    halves = [parts.windows(half).merged() for half in (slice(middle), slice(middle, None))]
    for merged in (parts.merged(), sums.joined(halves).merged()):
        for (_, mine), (_, expected) in zip(merged.parts, whole.parts, strict=True):
            np.testing.assert_allclose(mine, expected, rtol=1e-9, atol=1e-9)


def test_equal_intervals_have_no_deviation() -> None:
    down = [{"kind": 1, "slot": 1, "t_us": 10**12 + 123_457 * n} for n in range(1000)]
    made = windows.features([session(down)])
    assert made["down_down_us_sd"][0].as_py() == pytest.approx(0, abs=1e-6)


def test_a_lost_release_leaves_the_hold_unknown_and_the_press_counted() -> None:
    events = session([{"kind": 1, "slot": 1, "t_us": 0}, {"kind": 1, "slot": 1, "t_us": 9}])
    made = presses.presses(events)
    assert made["hold_us"].to_pylist() == [None, None]
    assert made["down_down_us"].to_pylist() == [None, 9]


def test_no_sessions_and_empty_sessions_have_no_rows() -> None:
    assert windows.features([]).num_rows == 0
    assert windows.features([EVENTS.empty_table()]).num_rows == 0


def test_a_window_that_is_too_short_is_refused_and_not_computed() -> None:
    events = session([{"kind": 1, "t_us": 0}, {"kind": 1, "t_us": 10**10}])
    for width in (0, -5, 1):
        with pytest.raises(InvalidInput, match="window_us"):
            windows.features([events], window_us=width)


def test_page_of_features_is_written_from_the_catalogue() -> None:
    assert (SPEC / "features.md").read_text() == catalogue.markdown()


PUBLISHED = {
    "words_per_minute": 50.43,
    "down_down_us_mean": 250_200,
    "hold_us_mean": 118_500,
    "keys_per_character": 1.179,
    "rollover_share": 0.213,
}
"""Measured on the supplied part, means over people of means over sentences (its README)."""


def aggregates(people: int) -> list[float]:
    each = []
    for _, person in zip(range(people), aalto.read(AALTO), strict=False):
        made = windows.features(person.sessions)
        columns = [made[name].to_numpy(zero_copy_only=False) for name in PUBLISHED]
        each.append([np.nanmean(column) for column in columns])
    return np.mean(each, axis=0).tolist()  # type: ignore[no-any-return]


@needs_aalto
def test_known_aggregates_come_out_of_a_sample_of_real_typing() -> None:
    for found, name in zip(aggregates(100), PUBLISHED, strict=True):
        assert found == pytest.approx(PUBLISHED[name], rel=0.25), name


@pytest.mark.soak
@needs_aalto
def test_known_aggregates_come_out_of_all_real_typing() -> None:
    for found, name in zip(aggregates(5000), PUBLISHED, strict=True):
        assert found == pytest.approx(PUBLISHED[name], rel=0.005), name
