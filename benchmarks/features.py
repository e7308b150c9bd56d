"""Events a second of the typing features, beside the same figures in polars, on one core.

    POLARS_MAX_THREADS=1 python benchmarks/features.py [sessions] [minutes]

Synthetic people; both compute presses, hold, down_down, up_down and rollover for each session.
"""

import json
import sys
import time

import polars as pl

from overt.datasets import synthetic
from overt.features import windows

POLARS_KEYS = ["session", "slot"]


def with_polars(events: pl.DataFrame) -> pl.DataFrame:
    keys = events.filter(pl.col("kind").is_in([1, 2]))
    keys = keys.with_columns(
        up=pl.when(pl.col("kind").shift(-1).over(POLARS_KEYS) == 2).then(
            pl.col("t_us").shift(-1).over(POLARS_KEYS)
        )
    ).filter(pl.col("kind") == 1)
    before = pl.col("t_us").shift(1).over("session"), pl.col("up").shift(1).over("session")
    keys = keys.with_columns(
        hold=pl.col("up") - pl.col("t_us"),
        down_down=pl.col("t_us") - before[0],
        up_down=pl.col("t_us") - before[1],
    )
    measures = ("hold", "down_down", "up_down")
    return keys.group_by("session", maintain_order=True).agg(
        pl.len().alias("presses"),
        *[pl.col(m).mean().alias(f"{m}_mean") for m in measures],
        *[pl.col(m).std().alias(f"{m}_sd") for m in measures],
        (pl.col("up_down") < 0).mean().alias("rollover"),
    )


def best_of(rounds: int, work: object) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()  # type: ignore[operator]
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 10
    made = synthetic.people(count, 1, sessions=1, minutes=minutes, pointer_moves=False)
    sessions = [events for person in made for events in person.sessions]
    frame = pl.concat(
        [
            pl.from_arrow(events.select(["kind", "slot", "t_us"])).with_columns(session=number)
            for number, events in enumerate(sessions)
        ]
    )
    ours, theirs = windows.features(sessions), with_polars(frame)
    for mine, other in (
        ("hold_us_mean", "hold_mean"),
        ("down_down_us_sd", "down_down_sd"),
        ("rollover_share", "rollover"),
    ):
        gap = (pl.Series(ours[mine]) - theirs[other]).abs().max()
        if gap is None or gap > 1e-6:
            sys.exit(f"{mine} differs from polars by {gap}")
    events = frame.height
    kernels = best_of(5, lambda: windows.features(sessions))
    polars = best_of(5, lambda: with_polars(frame))
    print(
        json.dumps(
            {
                "events": events,
                "sessions": count,
                "overt_events_per_s": round(events / kernels),
                "polars_events_per_s": round(events / polars),
                "note": "overt computes all of features/1, polars nine figures of typing",
            }
        )
    )


if __name__ == "__main__":
    main()
