"""Where a pointer is going: nothing that comes later is seen, and the methods do what they say."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer_fixtures import Table
from overt.models.intent import endings, options
from overt.models.intent.looks import Look, asked, at_path, held_out, learned
from overt.models.intent.movements import Movement, read
from overt.models.intent.profiles import beginning, steps_seen, templates
from overt.models.intent.scored import evaluate
from overt.models.intent.seen import numbers
from overt.models.scores import Scores
from overt.schema.errors import InvalidInput, TooFew


def quiet(_what: str, _share: float) -> None:
    """Say nothing."""


def jerk(x_px: float, y_px: float, took_ms: float = 600.0, every_ms: float = 10.0) -> Movement:
    """Return a minimum-jerk movement to a place, from 400, 300."""
    t = np.arange(0.0, took_ms + 1, every_ms)
    s = t / took_ms
    way = s**3 * (10 - 15 * s + 6 * s**2)
    return Movement(t, 400 + x_px * way, 300 + y_px * way, "made up", "p", right=x_px > 0)


@st.composite
def movements(draw: st.DrawFn) -> Movement:
    """Draw a wandering movement."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(6, 60))
    t = np.append(0.0, np.cumsum(rng.choice([1.0, 8.0, 16.0, 120.0], n - 1)))
    x, y = (np.cumsum(rng.integers(-9, 12, n).astype(float)) for _ in range(2))
    return Movement(t, x, y, "made up", "p", right=True)


@settings(max_examples=25, deadline=None)
@given(movements(), st.integers(2, 5), st.floats(0.0, 900.0))
def test_what_comes_later_changes_nothing_that_is_seen(
    one: Movement, seen: int, later: float
) -> None:
    look = Look(0, seen, float(one.t_ms[seen - 1]))
    other = replace(
        one,
        t_ms=np.append(one.t_ms[:seen], one.t_ms[seen:] + later),
        x_px=np.append(one.x_px[:seen], one.x_px[seen:] * -3 + later),
        y_px=np.append(one.y_px[:seen], one.y_px[seen:] + 1 + later),
    )
    steps = steps_seen(look.now_ms)
    place = options.options_of([jerk(300, -200), jerk(-300, -200)])
    for made in (
        lambda m: numbers(m, look),
        lambda m: endings.minimum_jerk(m, look),
        lambda m: beginning(m, seen, steps, by_place=True),
        lambda m: beginning(m, seen, steps, by_place=False),
        lambda m: options.glimpses([m], [look], place).given,
    ):
        assert np.array_equal(made(one), made(other), equal_nan=True)
        assert np.isfinite(made(one)).all()


@settings(max_examples=25, deadline=None)
@given(movements(), st.floats(0.05, 0.95))
def test_a_look_at_a_share_of_the_path_never_sees_more_than_the_share(
    one: Movement, share: float
) -> None:
    seen, now_ms = at_path(one, share)
    path = one.path_px
    assert path[seen - 1] <= share * path[-1] * (1 + 1e-9)
    assert now_ms == one.t_ms[seen - 1]


def test_looks_that_are_learned_from_lie_evenly_in_time_and_are_the_same_every_time() -> None:
    made = [replace(jerk(300, 0), person=str(n)) for n in range(200)]
    looks = list(learned(made))
    share = np.array([one.now_ms for one in looks]) / 600
    assert looks == list(learned(made))
    assert abs(np.quantile(share, 0.5) - 0.5) < 0.1
    assert share.max() > 0.95


def test_nobody_is_on_both_sides_and_parts_are_of_like_size() -> None:
    units = [f"p{n % 23}" for n in range(200)]
    part = held_out(units, 5)
    by_unit = {
        unit: {p for u, p in zip(units, part.tolist(), strict=True) if u == unit} for unit in units
    }
    assert all(len(parts) == 1 for parts in by_unit.values())
    assert {len([1 for p in by_unit.values() if p == {n}]) for n in range(5)} <= {4, 5}


@pytest.mark.parametrize("way", [(300.0, 0.0), (-120.0, 400.0)])
def test_minimum_jerk_knows_where_a_minimum_jerk_movement_ends(way: tuple[float, float]) -> None:
    one = jerk(*way)
    seen, now_ms = at_path(one, 0.5)
    told = endings.minimum_jerk(one, Look(0, seen, now_ms))
    assert abs(told - np.hypot(*way)) < 0.06 * np.hypot(*way)


def test_a_template_of_the_same_person_is_never_taken() -> None:
    made = [jerk(300, 0), jerk(300, 0), jerk(500, 0)]
    known = templates(made, np.array([0, 1, 2]), by_place=False)
    begun = beginning(made[0], 30, steps_seen(290.0), by_place=False)
    (near,) = known.nearest([begun], np.array([0]), 10)
    assert near.tolist() == [1, 2]


def _folder(path: Path, people: int = 6, trials: int = 10) -> Path:
    """Write people who choose one of two options, with the side clear after half the way."""
    rng = np.random.default_rng(5)
    table = Table(["subject", "trial", "exemplar", "condition", "t_ms", "x", "y"], [])
    singles = []
    for person in range(people):
        for trial in range(trials):
            right = 1 if rng.random() < 0.5 else -1
            t, s = np.arange(0, 601, 20), np.linspace(0, 1, 31)
            way = s**3 * (10 - 15 * s + 6 * s**2)
            x = right * 350 * np.clip((way - 0.5) / 0.5, 0, 1) + rng.normal(0, 2, 31)
            y = 300 - 500 * way + rng.normal(0, 2, 31)
            shown = f"animal {trial % 6}"
            table.rows += [
                [person, trial, shown, "Typical", int(a) + 300, float(b), float(c)]
                for a, b, c in zip(t, x, y, strict=True)
            ]
            size = float(rng.uniform(100, 500))
            points = [[round(size * float(w)), round(size * float(w) / 2)] for w in way]
            singles.append({"points": points, "timing": [int(a) for a in t]})
    (path / "mousetrap").mkdir()
    (path / "mousetrap" / "trajectories.parquet").write_bytes(table.parquet())
    (path / "cursory").mkdir()
    packed = gzip.compress(json.dumps(singles).encode())
    (path / "cursory" / "trajectories.json.gz").write_bytes(packed)
    return path


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Scores:
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr("overt.models.intent.endings.ROUNDS", 40)
        quick.setattr("overt.models.intent.options.ROUNDS", 20)
        quick.setattr("overt.models.intent.looks.LEARNED", 3)
        quick.setattr("overt.models.intent.movements.BLOCK", 12)
        quick.setattr("overt.models.intent.scored.MOVEMENTS_MIN", 50)
        quick.setattr("overt.models.intent.scored.PARTS", 3)
        quick.setattr("overt.models.intent.scored.ITEM_PARTS", 2)
        return evaluate(_folder(tmp_path_factory.mktemp("intent")), quiet)


def _value(found: Scores, name: str, metric: str) -> float:
    (row,) = [row for row in found.rows if (row.name, row.metric) == (name, metric)]
    assert row.low <= row.value <= row.high
    return row.value


def test_an_option_is_told_when_the_path_tells_it_and_not_before(found: Scores) -> None:
    when = "option told, {} of the path, mousetrap"
    for name in ("LightGBM", "kinematic template", "nearest option"):
        assert _value(found, name, when.format("75%")) > 0.9
    assert _value(found, "LightGBM", when.format("25%")) < 0.9
    assert _value(found, "commoner option", when.format("75%")) < 0.65
    assert _value(found, "LightGBM", "log loss, 75% of the path, mousetrap") < 0.4


def test_an_end_is_told_better_by_what_has_learned_than_by_staying(found: Scores) -> None:
    when = "px from the end, 50% of the path, cursory"
    stays = _value(found, "stays where it is", when)
    for name in ("LightGBM", "kinematic template", "straight line, present speed"):
        assert _value(found, name, when) < stays / 2
    assert json.dumps(found.as_dict(), allow_nan=False)


def test_too_few_people_and_a_folder_of_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TooFew, match="5 people"):
        evaluate(_folder(tmp_path, people=2, trials=3), quiet)
    (tmp_path / "other").mkdir()
    with pytest.raises(InvalidInput, match="no movements"):
        read(tmp_path / "other", quiet)


def test_what_is_wrong_with_a_file_that_was_found_is_said(tmp_path: Path) -> None:
    (tmp_path / "trajectories.json").write_text("[{")
    with pytest.raises(InvalidInput, match="JSON"):
        read(tmp_path, quiet)


def test_copies_of_movements_and_parts_of_one_study_put_nobody_on_both_sides(
    tmp_path: Path,
) -> None:
    folder = _folder(tmp_path, people=3, trials=4)
    once = read(folder, quiet)
    packed = (folder / "cursory" / "trajectories.json.gz").read_bytes()
    (folder / "cursory" / "again-trajectories.json.gz").write_bytes(packed)
    table = (folder / "mousetrap" / "trajectories.parquet").read_bytes()
    (folder / "mousetrap" / "more").mkdir()
    (folder / "mousetrap" / "more" / "trajectories.parquet").write_bytes(table)
    twice = read(folder, quiet)
    assert {one.unit for one in twice} == {one.unit for one in once}
    assert sum(one.source == "cursory" for one in twice) == 12


def _live_work(folder: Path) -> None:
    """Write three ways of the pointer that end in a press, as an export of own work has them."""
    folder.mkdir(parents=True)
    lines: list[dict[str, object]] = []
    for way in range(3):
        for step in range(20):
            at = {"x": 10 * step + way, "y": 5 * step}
            lines.append({"time_stamp": 5.0 * way + 0.02 * step, "action": "move", **at})
        for after, down in ((0.1, True), (0.2, False)):
            pressed = {"button": "left", "pressed": down}
            time_s = 5.0 * way + 0.38 + after
            lines.append({"time_stamp": time_s, "action": "click", **at, **pressed})
    text = "\n".join(json.dumps({**line, "event_idx": n}) for n, line in enumerate(lines))
    (folder / "events.jsonl").write_text(text)


def test_live_work_is_read_from_what_overt_exports(tmp_path: Path) -> None:
    for session in (1, 2):
        _live_work(tmp_path / "train" / "one" / f"session-00{session}")
    alone = read(tmp_path, quiet)
    assert {(one.unit, one.named) for one in alone} == {("live/0", False), ("live/1", False)}
    assert [(len(one.x_px), one.x_px[-1]) for one in alone[:3]] == [
        (20, 190),
        (20, 191),
        (20, 192),
    ]
    _live_work(tmp_path / "train" / "another" / "session-001")
    both = read(tmp_path, quiet)
    assert {(one.unit, one.named) for one in both} == {
        ("live/train/one", True),
        ("live/train/another", True),
    }


def test_moments_that_a_movement_does_not_have_are_not_asked_about() -> None:
    assert "after 400 ms" not in asked([jerk(300, 0, took_ms=350)])
    assert "after 200 ms" in asked([jerk(300, 0, took_ms=350)])
