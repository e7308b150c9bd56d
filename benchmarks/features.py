"""Events a second of the features, beside the same figures in Polars, DuckDB and pandas.

    python benchmarks/features.py [--sessions 40] [--minutes 10] [--json]

One run, one thread each, the same synthetic events in memory, one row a session. Ours computes all
of the catalogue (over a hundred columns); the others compute thirty-one of them, of typing and of
pointing, and the run fails unless these agree. Each peer is written as its users would: Polars
lazily over windows of sorted rows, DuckDB as one query, pandas over whole columns with shifts.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from overt.datasets import synthetic
from overt.features import windows
from overt.features.catalogue import CATALOGUE
from overt.features.pointing import MOVEMENT_GAP_US, SAMPLES_MIN

pa.set_cpu_count(1)

TYPING = ("hold_us", "down_down_us", "up_down_us")
POINTING = (
    "movement_us",
    "path_css_px",
    "chord_css_px",
    "straightness",
    "speed_css_px_per_s",
    "peak_speed_css_px_per_s",
    "acceleration_css_px_per_s2",
    "jerk_css_px_per_s3",
    "curvature_rad_per_css_px",
    "max_deviation_css_px",
    "average_deviation_css_px",
)
SHARED = (
    "presses",
    *(f"{name}_{moment}" for name in TYPING for moment in ("mean", "sd")),
    "rollover_share",
    "movements",
    *(f"{name}_{moment}" for name in POINTING for moment in ("mean", "sd")),
)
RATIO_MIN = 5.0
"""Times Polars: what we promise."""
ROUNDS = 9


def _far(x: pl.Expr, y: pl.Expr) -> pl.Expr:
    return (x * x + y * y).sqrt()


def with_polars(events: pl.DataFrame) -> pl.DataFrame:
    """Lazy; a press is paired within (session, slot), a movement is a running number of breaks."""
    t = pl.col("t_us")
    slot = ["session", "slot"]
    last = pl.col("session") == pl.col("session").shift(1)
    after = pl.col("kind").shift(-1).over(slot) == 2
    keys = (
        events.lazy()
        .filter(pl.col("kind").is_in([1, 2]))
        .select("session", "kind", "slot", "t_us")
        .with_columns(up=pl.when(after).then(t.shift(-1).over(slot)))
        .filter(pl.col("kind") == 1)
        .with_columns(
            hold_us=pl.col("up") - t,
            down_down_us=pl.when(last).then(t - t.shift(1)),
            up_down_us=pl.when(last).then(t - pl.col("up").shift(1)),
        )
        .group_by("session")
        .agg(
            pl.len().cast(pl.Float64).alias("presses"),
            *[pl.col(name).mean().alias(f"{name}_mean") for name in TYPING],
            *[pl.col(name).std().alias(f"{name}_sd") for name in TYPING],
            (pl.col("up_down_us") < 0).mean().alias("rollover_share"),
        )
    )
    x, y, dx, dy, dt, span = (pl.col(name) for name in ("x", "y", "dx", "dy", "dt", "span"))
    off = (x - x.first()) * (y.last() - y.first()) - (y - y.first()) * (x.last() - x.first())
    samples = (
        events.lazy()
        .filter(pl.col("kind").is_in([6, 7, 8]))
        .select(
            "session",
            "kind",
            "t_us",
            x=pl.col("x_8th_css_px") / 8,
            y=pl.col("y_8th_css_px") / 8,
        )
        .with_columns(pressed=(pl.col("kind") > 6).cum_sum())
        .with_columns(moved=((x != x.shift(1)) | (y != y.shift(1)) | ~last).fill_null(value=True))
        .filter(pl.col("moved") | (pl.col("kind") == 8))
        .with_columns(
            begins=(
                (t - t.shift(1) >= MOVEMENT_GAP_US)
                | ~last
                | (pl.col("kind").shift(1) == 7)
                | (pl.col("kind") == 8)
            ).fill_null(value=True)
        )
        .with_columns(movement=pl.col("begins").cum_sum().set_sorted())
        .with_columns(
            dx=pl.when(~pl.col("begins")).then(x - x.shift(1)),
            dy=pl.when(~pl.col("begins")).then(y - y.shift(1)),
            dt=pl.when(~pl.col("begins")).then((t - t.shift(1)) / 1e6),
        )
        .with_columns(vx=dx / dt, vy=dy / dt, step=_far(dx, dy), span=(dt + dt.shift(1)) / 2)
        .with_columns(
            surge_x=pl.col("vx") - pl.col("vx").shift(1),
            surge_y=pl.col("vy") - pl.col("vy").shift(1),
            turn=pl.arctan2(
                dx.shift(1) * dy - dy.shift(1) * dx, dx.shift(1) * dx + dy.shift(1) * dy
            ).abs(),
        )
        .with_columns(ax=pl.col("surge_x") / span, ay=pl.col("surge_y") / span)
        .with_columns(
            jolt=_far(pl.col("ax") - pl.col("ax").shift(1), pl.col("ay") - pl.col("ay").shift(1)),
            jolt_s=(span + span.shift(1)) / 2,
        )
        .group_by("movement")
        .agg(
            pl.col("session").first(),
            pl.len().alias("samples"),
            (t.last() - t.first()).alias("movement_us"),
            pl.col("step").sum().alias("path_css_px"),
            _far(x.last() - x.first(), y.last() - y.first()).alias("chord_css_px"),
            (pl.col("step") / dt).max().alias("peak_speed_css_px_per_s"),
            (_far(pl.col("surge_x"), pl.col("surge_y")).sum() / span.sum()).alias(
                "acceleration_css_px_per_s2"
            ),
            (pl.col("jolt").sum() / pl.col("jolt_s").sum()).alias("jerk_css_px_per_s3"),
            pl.col("turn").sum().alias("turned"),
            off.abs().max().alias("off_max"),
            off.mean().alias("off_mean"),
        )
        .filter(pl.col("samples") >= SAMPLES_MIN)
        .with_columns(
            straightness=pl.col("chord_css_px") / pl.col("path_css_px"),
            speed_css_px_per_s=pl.col("path_css_px") / pl.col("movement_us") * 1e6,
            curvature_rad_per_css_px=pl.col("turned") / pl.col("path_css_px"),
            max_deviation_css_px=pl.col("off_max") / pl.col("chord_css_px"),
            average_deviation_css_px=pl.col("off_mean") / pl.col("chord_css_px"),
        )
        .group_by("session")
        .agg(
            pl.len().cast(pl.Float64).alias("movements"),
            *[pl.col(name).mean().alias(f"{name}_mean") for name in POINTING],
            *[pl.col(name).std().alias(f"{name}_sd") for name in POINTING],
        )
    )
    return keys.join(samples, on="session", how="left").sort("session").collect()


_MOMENTS = "avg({0}) AS {0}_mean, stddev_samp({0}) AS {0}_sd"
QUERY = f"""
WITH paired AS (
    SELECT session, place, kind, t_us,
           CASE WHEN lead(kind) OVER slots = 2 THEN lead(t_us) OVER slots END AS up
    FROM events WHERE kind IN (1, 2)
    WINDOW slots AS (PARTITION BY session, slot ORDER BY place)
), intervals AS (
    SELECT session, up - t_us AS hold_us, t_us - lag(t_us) OVER w AS down_down_us,
           t_us - lag(up) OVER w AS up_down_us
    FROM paired WHERE kind = 1 WINDOW w AS (PARTITION BY session ORDER BY place)
), typing AS (
    SELECT session, count(*)::DOUBLE AS presses, {", ".join(_MOMENTS.format(n) for n in TYPING)},
           avg((up_down_us < 0)::INT) AS rollover_share
    FROM intervals GROUP BY session
), places AS (
    SELECT session, place, kind, t_us, x_8th_css_px / 8.0 AS x, y_8th_css_px / 8.0 AS y,
           lag(x_8th_css_px) OVER w IS DISTINCT FROM x_8th_css_px
           OR lag(y_8th_css_px) OVER w IS DISTINCT FROM y_8th_css_px AS moved
    FROM events WHERE kind IN (6, 7, 8) WINDOW w AS (PARTITION BY session ORDER BY place)
), steps AS (
    SELECT session, place, t_us, x, y, (lag(t_us) OVER w IS NULL
            OR t_us - lag(t_us) OVER w >= {MOVEMENT_GAP_US}
            OR lag(kind) OVER w = 7 OR kind = 8) AS begins,
           CASE WHEN NOT begins THEN x - lag(x) OVER w END AS dx,
           CASE WHEN NOT begins THEN y - lag(y) OVER w END AS dy,
           CASE WHEN NOT begins THEN (t_us - lag(t_us) OVER w) / 1e6 END AS dt
    FROM places WHERE moved OR kind = 8
    WINDOW w AS (PARTITION BY session ORDER BY place)
), speeds AS (
    SELECT *, sum(begins::INT) OVER w AS movement, sqrt(dx * dx + dy * dy) AS step,
           (dt + lag(dt) OVER w) / 2 AS span, dx / dt - lag(dx / dt) OVER w AS surge_x,
           dy / dt - lag(dy / dt) OVER w AS surge_y,
           abs(atan2(lag(dx) OVER w * dy - lag(dy) OVER w * dx,
                     lag(dx) OVER w * dx + lag(dy) OVER w * dy)) AS turn
    FROM steps WINDOW w AS (PARTITION BY session ORDER BY place)
), surges AS (
    SELECT *, sqrt(pow(surge_x / span - lag(surge_x / span) OVER w, 2)
                   + pow(surge_y / span - lag(surge_y / span) OVER w, 2)) AS jolt,
           (span + lag(span) OVER w) / 2 AS jolt_s,
           first_value(x) OVER m AS x0, first_value(y) OVER m AS y0,
           last_value(x) OVER m AS x1, last_value(y) OVER m AS y1
    FROM speeds
    WINDOW w AS (PARTITION BY session ORDER BY place),
           m AS (PARTITION BY session, movement ORDER BY place
                 ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
), movements AS (
    SELECT session, max(t_us) - min(t_us) AS movement_us, sum(step) AS path_css_px,
           sqrt(pow(any_value(x1) - any_value(x0), 2)
                + pow(any_value(y1) - any_value(y0), 2)) AS chord_css_px,
           chord_css_px / path_css_px AS straightness,
           path_css_px / movement_us * 1e6 AS speed_css_px_per_s,
           max(step / dt) AS peak_speed_css_px_per_s,
           sum(sqrt(surge_x * surge_x + surge_y * surge_y)) / sum(span)
               AS acceleration_css_px_per_s2,
           sum(jolt) / sum(jolt_s) AS jerk_css_px_per_s3,
           sum(turn) / path_css_px AS curvature_rad_per_css_px,
           max(abs((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0))) / chord_css_px
               AS max_deviation_css_px,
           avg((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / chord_css_px
               AS average_deviation_css_px
    FROM surges GROUP BY session, movement HAVING count(*) >= {SAMPLES_MIN}
), pointing AS (
    SELECT session, count(*)::DOUBLE AS movements,
           {", ".join(_MOMENTS.format(n) for n in POINTING)}
    FROM movements GROUP BY session
)
SELECT * FROM typing LEFT JOIN pointing USING (session) ORDER BY session
"""


def with_duckdb(connection: Any) -> pa.Table:
    """One query over a table in memory; window functions over session and row number."""
    return connection.sql(QUERY).to_arrow_table()


def _pandas_typing(events: pd.DataFrame) -> pd.DataFrame:
    keys = events.loc[events.kind.isin([1, 2]), ["session", "kind", "slot", "t_us"]]
    slots = keys.groupby(["session", "slot"], sort=False)[["kind", "t_us"]].shift(-1)
    keys = keys.assign(up=slots.t_us.where(slots.kind == 2))[keys.kind == 1]
    before = keys[["t_us", "up"]].shift(1).where(keys.session == keys.session.shift(1))
    keys = keys.assign(
        hold_us=keys.up - keys.t_us,
        down_down_us=keys.t_us - before.t_us,
        up_down_us=keys.t_us - before.up,
    )
    rolled = (keys.up_down_us < 0).where(keys.up_down_us.notna())
    groups = keys.assign(rolled=rolled.astype(float)).groupby("session", sort=True)
    means, deviations = groups[list(TYPING)].mean(), groups[list(TYPING)].std()
    made = means.add_suffix("_mean").join(deviations.add_suffix("_sd"))
    return made.assign(presses=groups.size().astype(float), rollover_share=groups.rolled.mean())


def _pandas_pointing(events: pd.DataFrame) -> pd.DataFrame:
    names = ["session", "kind", "t_us", "x_8th_css_px", "y_8th_css_px"]
    places = events.loc[events.kind.isin([6, 7, 8]), names]
    changed = places[["session", "x_8th_css_px", "y_8th_css_px"]].diff().ne(0).any(axis=1)
    places = places[changed | (places.kind == 8)]
    steps = places.diff()
    begins = steps.session.ne(0) | (steps.t_us >= MOVEMENT_GAP_US)
    begins |= (places.kind.shift(1) == 7) | (places.kind == 8)
    movement = begins.cumsum()
    dx, dy = (steps.x_8th_css_px / 8).where(~begins), (steps.y_8th_css_px / 8).where(~begins)
    dt = (steps.t_us / 1e6).where(~begins)
    step, span = np.hypot(dx, dy), (dt + dt.shift(1)) / 2
    surge_x, surge_y = (dx / dt).diff(), (dy / dt).diff()
    turn = np.arctan2(
        dx.shift(1) * dy - dy.shift(1) * dx, dx.shift(1) * dx + dy.shift(1) * dy
    ).abs()
    places = places.assign(x=places.x_8th_css_px / 8, y=places.y_8th_css_px / 8)
    groups = places.groupby(movement, sort=False)[["session", "t_us", "x", "y"]]
    starts, ends = groups.first(), groups.last()
    along = (ends - starts)[["x", "y"]]
    number = movement.to_numpy() - 1
    off = (places.x - starts.x.to_numpy()[number]) * along.y.to_numpy()[number]
    off -= (places.y - starts.y.to_numpy()[number]) * along.x.to_numpy()[number]
    rows = pd.DataFrame(
        {
            "path_css_px": step,
            "surge": np.hypot(surge_x, surge_y),
            "span": span,
            "jolt": np.hypot((surge_x / span).diff(), (surge_y / span).diff()),
            "jolt_s": (span + span.shift(1)) / 2,
            "turn": turn,
        }
    )
    total = rows.groupby(movement, sort=False).sum()
    chord = np.hypot(along.x, along.y)
    each = pd.DataFrame(
        {
            "session": starts.session,
            "movement_us": ends.t_us - starts.t_us,
            "path_css_px": total.path_css_px,
            "chord_css_px": chord,
            "straightness": chord / total.path_css_px,
            "speed_css_px_per_s": total.path_css_px / (ends.t_us - starts.t_us) * 1e6,
            "peak_speed_css_px_per_s": (step / dt).groupby(movement, sort=False).max(),
            "acceleration_css_px_per_s2": total.surge / total.span,
            "jerk_css_px_per_s3": total.jolt / total.jolt_s,
            "curvature_rad_per_css_px": total.turn / total.path_css_px,
            "max_deviation_css_px": off.abs().groupby(movement, sort=False).max() / chord,
            "average_deviation_css_px": off.groupby(movement, sort=False).mean() / chord,
        }
    )[groups.size() >= SAMPLES_MIN]
    over = each.groupby("session", sort=True)
    means, deviations = over[list(POINTING)].mean(), over[list(POINTING)].std()
    made = means.add_suffix("_mean").join(deviations.add_suffix("_sd"))
    return made.assign(movements=over.size().astype(float))


def with_pandas(events: pd.DataFrame) -> pd.DataFrame:
    """Whole columns; shifts instead of groups wherever rows are sorted already."""
    return _pandas_typing(events).join(_pandas_pointing(events))


def gap(ours: pa.Table, theirs: Any) -> float:
    """Return the largest relative difference of a shared figure."""
    worst = 0.0
    for name in SHARED:
        mine = ours.column(name).to_numpy().astype(float)
        other = np.asarray(theirs[name], dtype=float)
        if not np.array_equal(np.isnan(mine), np.isnan(other)):
            return float("inf")
        off = np.abs(mine - other) / np.maximum(np.abs(mine), 1e-6)
        worst = max(worst, float(np.nanmax(off)))
    return worst


def best_of(rounds: int, work: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Return the shortest processor time of one call of each, s.

    In turns, so that what else the machine does falls on all alike.
    """
    best = dict.fromkeys(work, float("inf"))
    for _ in range(rounds):
        for name, run in work.items():
            start = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - start)
    return best


def sessions_of(count: int, minutes: float) -> tuple[list[pa.Table], pa.Table]:
    """Return synthetic sessions, and the same events in one table with session and row number.

    Made-up people never move with a button held: without drags, what is between press and release
    is short, and the peers' simpler rule for it gives the same movements.
    """
    people = synthetic.people(count, 1, sessions=1, minutes=minutes)
    sessions = [events for person in people for events in person.sessions]
    names = ["kind", "slot", "t_us", "x_8th_css_px", "y_8th_css_px"]
    whole = pa.concat_tables(
        events.select(names).append_column(
            "session", pa.array(np.full(events.num_rows, number, np.int32))
        )
        for number, events in enumerate(sessions)
    ).combine_chunks()
    return sessions, whole.append_column("place", pa.array(np.arange(whole.num_rows)))


def main() -> int:
    """Measure all four, and return 1 if a figure differs or the ratio is not reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    sessions, whole = sessions_of(chosen.sessions, chosen.minutes)
    connection = duckdb.connect(config={"threads": 1})
    connection.register("arrow_events", whole)
    connection.execute("CREATE TABLE events AS SELECT * FROM arrow_events")
    frame, pandas = pl.from_arrow(whole), whole.to_pandas()
    assert isinstance(frame, pl.DataFrame)
    work: dict[str, Callable[[], Any]] = {
        "Overt": lambda: windows.features(sessions),
        "Polars": lambda: with_polars(frame),
        "DuckDB": lambda: with_duckdb(connection),
        "pandas": lambda: with_pandas(pandas),
    }
    ours = work["Overt"]()
    gaps = {name: gap(ours, run()) for name, run in work.items() if name != "Overt"}
    seconds = best_of(ROUNDS, work)
    rows = [
        {
            "name": name,
            "columns": len(CATALOGUE) if name == "Overt" else len(SHARED),
            "events_per_s": round(whole.num_rows / taken),
            "times_slower": round(taken / seconds["Overt"], 2),
            "largest_gap": gaps.get(name, 0.0),
        }
        for name, taken in seconds.items()
    ]
    if chosen.json:
        print(json.dumps({"events": whole.num_rows, "sessions": len(sessions), "rows": rows}))
    else:
        print(f"Features of {whole.num_rows:,} events in {len(sessions)} sessions, one thread each")
        print(f"{'':8} {'columns':>8} {'events/s':>14} {'times slower':>13}")
        for row in rows:
            print(
                f"{row['name']:8} {row['columns']:8} {row['events_per_s']:14,} "
                f"{row['times_slower']:13.1f}"
            )
    if max(gaps.values()) > 1e-9:
        print(f"The figures differ by up to {max(gaps.values()):.2g}.", file=sys.stderr)
        return 1
    if seconds["Polars"] / seconds["Overt"] < RATIO_MIN:
        print(f"Less than {RATIO_MIN:.0f} times Polars.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
