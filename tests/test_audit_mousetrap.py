"""Curvature of mouse paths comes out as published, and of made-up paths as it must."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_fixtures import DATA
from overt.audit import mousetrap
from overt.schema.errors import InvalidInput, TooFew

TRAJECTORIES = DATA / "mousetrap-kh2017" / "trajectories.parquet"
needs_mousetrap = pytest.mark.skipif(
    not TRAJECTORIES.exists(), reason=f"no recordings at {TRAJECTORIES}"
)


def quiet(_: str, __: float) -> None:
    return


def measured(path: Path) -> dict[str, float]:
    return {row.name: row.measured for row in mousetrap.reproduce(path, quiet).rows}


@needs_mousetrap
def test_published_deviations_come_out_to_the_last_digit() -> None:
    found = mousetrap.reproduce(TRAJECTORIES.parent, quiet)
    assert found.counts == {"people": 60, "correct trials": 1064}
    for row in found.rows:
        assert row.published is not None
        assert row.low is not None
        assert row.high is not None
        digits = len(str(row.published).partition(".")[2])
        assert round(row.measured, digits) == row.published, row.name
        assert row.low < row.measured < row.high


def trials(people: int = 3) -> dict[str, list[Any]]:
    """Paths up to the left or right with one corner: 30 px off (atypical) or 10 (typical)."""
    rows: dict[str, list[Any]] = {
        name: [] for name in ("x", "y", "t_ms", "correct", "condition", "trial", "subject")
    }
    for subject in range(people):
        for trial, (condition, off, side, correct) in enumerate(
            [("Atypical", 30, 1, 1), ("Typical", 10, -1, 1), ("Typical", 99, 1, 0)]
        ):
            # The second sample shares its time stamp with the first of two, which does not count.
            for t_ms, x, y in [(0, 0, 0), (10, -7, -1), (10, -off, 0), (20, 0, -100)]:
                turned = side * (x + y / 2), y
                for name, value in zip(
                    rows, [*turned, t_ms, correct, condition, trial, subject], strict=True
                ):
                    rows[name].append(value)
    return rows


def written(rows: dict[str, list[Any]], folder: Path) -> Path:
    pq.write_table(pa.table(rows), folder / "trajectories.parquet")
    return folder


def test_paths_to_both_sides_are_measured_from_one_and_wrong_answers_do_not_count(
    tmp_path: Path,
) -> None:
    # The line from (0, 0) to (∓50, 100); the corner is `off` further to the left.
    height = 100 / np.hypot(50, 100)
    found = measured(written(trials(), tmp_path))
    assert found["MAD, atypical"] == pytest.approx(-30 * height)
    assert found["MAD, typical"] == pytest.approx(-10 * height)
    assert found["AD, atypical"] == pytest.approx(-30 * height / 3)
    assert found["AD, typical"] == pytest.approx(-10 * height / 3)


def test_order_of_columns_and_kinds_of_numbers_do_not_matter(tmp_path: Path) -> None:
    rows = trials()
    expected = measured(written(rows, tmp_path))
    turned = {name: rows[name] for name in sorted(rows, reverse=True)}
    turned["correct"] = [bool(value) for value in turned["correct"]]
    turned["subject"] = [f"s{value}" for value in turned["subject"]]
    turned["more"] = turned["x"]
    assert measured(written(turned, tmp_path)) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["x", "t_ms", "subject", "condition"])
def test_a_missing_column_is_named(tmp_path: Path, name: str) -> None:
    rows = trials()
    del rows[name]
    with pytest.raises(InvalidInput, match=f"has no column {name}"):
        measured(written(rows, tmp_path))


def test_one_person_is_too_few_and_nobody_too(tmp_path: Path) -> None:
    for people in (0, 1):
        with pytest.raises((TooFew, InvalidInput)):
            measured(written(trials(people), tmp_path))


def test_a_path_that_ends_where_it_began_is_left_out_and_said(tmp_path: Path) -> None:
    rows = trials()
    for name, value in zip(rows, [0, 0, 0, 1, "Typical", 9, 0], strict=True):
        rows[name].append(value)
    found = mousetrap.reproduce(written(rows, tmp_path), quiet)
    assert any("1 trials" in note for note in found.notes)
    assert all(np.isfinite(row.measured) for row in found.rows)
