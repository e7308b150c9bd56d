"""The password benchmark: published figures come out, on other people's files too."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overt.audit import cmu, detectors, dots
from overt.audit.rates import eer_interpolated
from overt.audit.reproduced import page
from overt.schema.errors import InvalidInput, TooFew

DATA = Path(os.environ.get("OVERT_DATA", Path(__file__).parents[2] / "shared" / "data"))
PUBLISHED = DATA / "cmu-password" / "cmu-password.tar.zst"
KEYS = ("a", "b", "c", "d")
HEAD = ["subject", "sessionIndex", "rep", *(f"{k}.{key}" for key in KEYS for k in ("H", "DD"))]


def silent(_what: str, _done: float) -> None:
    pass


def typings(subjects: int, each: int, seed: int = 0) -> list[list[str]]:
    """Made-up people, each with a rhythm of their own, as rows of text."""
    rng = np.random.default_rng(seed)
    rows = []
    for subject in range(subjects):
        mean = rng.uniform(0.08, 0.3, 2 * len(KEYS))
        for number in range(each):
            timed = mean + rng.normal(0, 0.03, mean.size)
            rows.append(
                [f"x{subject}", str(number // 50 + 1), str(number % 50 + 1)]
                + [f"{value:.4f}" for value in timed]
            )
    return rows


def write(path: Path, rows: list[list[str]], head: list[str] | None = None) -> Path:
    text = io.StringIO()
    for row in [head or HEAD, *rows]:
        text.write(",".join(row) + "\n")
    path.write_text(text.getvalue())
    return path


def slow_eer(genuine: list[float], impostor: list[float]) -> float:
    """Walk every threshold, from none accused to all accused, and interpolate at the crossing."""
    points = [(0.0, 1.0)]
    for cut in sorted({*genuine, *impostor}, reverse=True):
        alarms = sum(g >= cut for g in genuine) / len(genuine)
        misses = sum(i < cut for i in impostor) / len(impostor)
        points.append((alarms, misses))
    for (a1, m1), (a2, m2) in zip(points[::-1][1:], points[::-1], strict=False):
        if m1 >= a1:
            share = (m1 - a1) / ((m1 - a1) - (m2 - a2))
            return a1 + share * (a2 - a1)
    raise AssertionError("never crossed")


@given(*[st.lists(st.integers(0, 6).map(float), min_size=1, max_size=9)] * 2)
def test_an_equal_error_rate_is_that_of_the_obvious_walk(
    genuine: list[float], impostor: list[float]
) -> None:
    assert eer_interpolated(genuine, impostor) == pytest.approx(slow_eer(genuine, impostor))


def test_every_detector_knows_its_owner_and_the_untaught_network_does_not() -> None:
    rng = np.random.default_rng(1)
    owner, again = rng.normal(0.2, 0.02, (2, 40, 4))
    other = rng.normal(0.3, 0.02, (40, 4))
    for name, (detector, _published) in detectors.DETECTORS.items():
        score = detector(owner)
        rate = eer_interpolated(score(again), score(other))
        assert (rate > 0.9) if name == "Neural network (standard)" else (rate < 0.1), name


def test_fast_detectors_are_their_formulas() -> None:
    rng = np.random.default_rng(2)
    owner, typed = rng.normal(0.2, 0.05, (30, 4)), rng.normal(0.2, 0.05, (6, 4))
    inverse = np.linalg.inv(np.cov(owner.T))
    mean = owner.mean(0)
    for number, one in enumerate(typed):
        near = min((one - own) @ inverse @ (one - own) for own in owner)
        assert detectors.nearest_neighbour(owner)(typed)[number] == pytest.approx(near)
        away = (one - mean) @ inverse @ (one - mean)
        assert detectors.mahalanobis(owner)(typed)[number] == pytest.approx(away)
        deviations = [sum(abs(owner[:, i] - mean[i])) / 30 for i in range(4)]
        scaled = sum(abs(one[i] - mean[i]) / deviations[i] for i in range(4))
        assert detectors.manhattan_scaled(owner)(typed)[number] == pytest.approx(scaled)


def test_order_of_rows_and_columns_and_what_else_is_there_change_nothing(tmp_path: Path) -> None:
    rows = typings(3, 40)
    plain = cmu.reproduce(write(tmp_path / "plain.csv", rows), silent)
    rng = np.random.default_rng(3)
    columns = rng.permutation(len(HEAD))
    turned = [[row[i] for i in columns] + ["left"] for row in rows]
    turned = [turned[i] for i in rng.permutation(len(turned))]
    head = [HEAD[i] for i in columns] + ["hand"]
    other = cmu.reproduce(write(tmp_path / "other.csv", turned, head), silent)
    for before, after in zip(plain.rows, other.rows, strict=True):
        if "k-means" not in before.name:  # its first centres are drawn by the order of columns
            assert after.measured == pytest.approx(before.measured, abs=1e-9), before.name
    assert [row.name for row in plain.rows] == list(detectors.DETECTORS)
    assert any("half of theirs" in note for note in plain.notes)
    assert "published" in page(plain)


@given(st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 6)), min_size=1, max_size=6))
def test_an_axis_holds_its_values_between_a_few_round_marks(values: list[float]) -> None:
    low, high, step = dots._axis(values)
    assert low <= min(values) + step * 1e-6
    assert max(values) <= high + step * 1e-6
    assert 1 <= round((high - low) / step) <= 8


def test_other_people_are_a_track_of_their_own(tmp_path: Path) -> None:
    found = cmu.reproduce(write(tmp_path / "x.csv", typings(10, 40)), silent)
    rows = found.as_dict()["rows"]
    assert [r["published"] for r in rows[-2:]] == [None, None]
    assert all("Background" in r["name"] for r in rows[-2:])
    assert all(0 <= r["low"] <= r["measured"] <= r["high"] <= 1 for r in rows)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[:60], "1 subjects"),
        (lambda rows: [], "0 subjects"),
        (lambda rows: [[*rows[0][:-1], "soon"], *rows], "line 2, column 11"),
        (lambda rows: [rows[0][:-2], *rows], "10 fields|line 2"),
    ],
)
def test_a_file_that_will_not_do_says_what_is_wrong(tmp_path: Path, change, said: str) -> None:
    with pytest.raises((InvalidInput, TooFew), match=said):
        cmu.reproduce(write(tmp_path / "x.csv", change(typings(2, 60))), silent)


def test_a_missing_timing_costs_its_typing_only(tmp_path: Path) -> None:
    rows = typings(3, 60)
    rows[5][4] = ""
    found = cmu.reproduce(write(tmp_path / "x.csv", rows), silent)
    assert found.counts["typings"] == 179
    assert any(note.startswith("1 typings with a missing") for note in found.notes)


@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"no recordings at {PUBLISHED}")
def test_the_published_figures_come_out() -> None:
    owners = [cmu.parts(typed) for typed in cmu.read(PUBLISHED).subjects.values()]
    assert len(owners) == 51
    for name in list(detectors.DETECTORS)[:5]:
        detector, published = detectors.DETECTORS[name]
        assert abs(cmu.rates(owners, detector).mean() - published) < 0.003, name
