"""Events a second through the collector, beside FastAPI + pydantic + SQLite, in one run.

    python benchmarks/collector.py [--batches 8000] [--rows 500] [--rounds 2] [--connections 64 256]
                                   [--quick] [--json]

Both take the same made-up events, each on one core of its own, with the load on another, and both
answer only when what they took is durable. Ours checks, seals and files what it takes
(`overt.collector`); the other is in `serve_fastapi.py`. Servers take turns, each time with an empty
store; figures are medians over the rounds. Both run as the disk is and with 2 ms added to every
fsync and fdatasync (`slow_sync.c`, by LD_PRELOAD, which also counts).

A server that shares a sync among what waits for it likes many connections; one that is short of
processor time does not. So both run with each number of connections, and each counts with the
number that suits it best, which is shown. Times to answer are of the fewest connections.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import load
import traffic

from overt.consent.token import SECRET_BYTES_MIN, issue_token
from overt.schema import batch as batches
from overt.store.control import Grant
from overt.store.seal import seal

CONNECTIONS = (64, 256)
PEER_SHARE = 8
"""The other is so much slower that a share of the batches takes as long."""

SLOW_US = 2000
RATIO_WANTED = 20


class Ours:
    """The load on Overt's collector: of some connections, so many batches each."""

    def __init__(self, records: list[Any], connections: int, count: int) -> None:
        self.receipts = traffic.ids(connections)
        sessions = traffic.ids(connections)
        self.lanes = [
            [
                traffic.wire(traffic.header(receipt, session, n, r.num_rows), r)
                for n, r in enumerate(_turn(records, lane, count))
            ]
            for lane, (receipt, session) in enumerate(zip(self.receipts, sessions, strict=True))
        ]

    def served(self, folder: Path, shim: Path | None, delay_us: int) -> load.Served:
        """Measure once, in a new store."""
        lanes: list[list[bytes]] = []

        def prepare(home: Path) -> None:
            with traffic.store_with(home, self.receipts) as store:
                secret = store.token_secret()
            now_s = int(time.time())
            for receipt, bodies in zip(self.receipts, self.lanes, strict=True):
                token = issue_token(secret, receipt, now_s)
                lanes.append([load.request(body, token) for body in bodies])

        return load.measure(
            "serve_overt.py", lanes, prepare, folder=folder, shim=shim, sync_delay_us=delay_us
        )


class Theirs:
    """The load on the other, which asks for no token."""

    def __init__(self, records: list[Any], connections: int, count: int) -> None:
        self.lanes = []
        for lane in range(connections):
            receipt, session = traffic.ids(2)
            heads = [
                (traffic.header(receipt, session, n, r.num_rows), r)
                for n, r in enumerate(_turn(records, lane, count))
            ]
            bodies = [traffic.rows_of_json(head, record) for head, record in heads]
            self.lanes.append([load.request(body, "0" * 91) for body in bodies])

    def served(self, folder: Path, shim: Path | None, delay_us: int) -> load.Served:
        """Measure once, in a new database."""
        return load.measure(
            "serve_fastapi.py", self.lanes, lambda _: None, folder=folder, shim=shim,
            sync_delay_us=delay_us,
        )  # fmt: skip


def _turn(records: list[Any], lane: int, count: int) -> list[Any]:
    return [records[(lane * count + n) % len(records)] for n in range(count)]


Loads = dict[str, dict[int, Ours | Theirs]]
"""Side → connections → load."""


def loads(records: list[Any], batch_count: int, connections: list[int]) -> Loads:
    """Return what is sent to each side with each number of connections."""
    made: Loads = {"overt": {}, "fastapi": {}}
    for each in connections:
        count = max(load.WARM_UP + 2, batch_count // each)
        made["overt"][each] = Ours(records, each, count)
        fewer = max(load.WARM_UP + 2, count // PEER_SHARE)
        made["fastapi"][each] = Theirs(records, each, fewer)
    return made


def compared(
    sent: Loads, events: int, folder: Path, shim: Path | None, delay_us: int, rounds: int
) -> dict[str, Any]:
    """Return the figures of both in turns, and how many times more events a second ours takes."""
    runs: dict[str, dict[int, list[dict[str, float]]]] = {side: {} for side in sent}
    for number in range(rounds):
        print(f"collector: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for connections in sent["overt"]:
            for side in sent:
                figures = sent[side][connections].served(folder, shim, delay_us).figures(events)
                runs[side].setdefault(connections, []).append(figures)
    sides = {side: _best(found) for side, found in runs.items()}
    ours, theirs = sides["overt"], sides["fastapi"]
    return {
        **sides,
        "ratio": round(ours["events_per_s"] / theirs["events_per_s"], 1),
        "ratio_cpu": round(ours["events_per_cpu_s"] / theirs["events_per_cpu_s"], 1),
        "at": {side: {n: _middle(found[n]) for n in found} for side, found in runs.items()},
    }


def _best(runs: dict[int, list[dict[str, float]]]) -> dict[str, float]:
    """Return the figures with the connections that suit best, and the times to answer of few."""
    middles = {connections: _middle(found) for connections, found in runs.items()}
    best = max(middles, key=lambda connections: middles[connections]["events_per_s"])
    few = middles[min(middles)]
    return {**middles[best], "p50_ms": few["p50_ms"], "p99_ms": few["p99_ms"], "connections": best}


def _middle(runs: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def parts_us(record: Any) -> dict[str, float]:
    """Return µs of processor time a batch of each step of accepting one, of the fastest round."""
    from overt.collector.accept import accept
    from overt.consent.token import Tokens

    head = traffic.header("0" * 32, "1" * 32, 0, record.num_rows)
    plain, body = batches.encode(head, record), traffic.wire(head, record)
    grant = Grant("0" * 32, "2" * 32, traffic.STUDY, "live", traffic.PURPOSES, traffic.PURPOSES,
                  "rhythm")  # fmt: skip
    secret, key = os.urandom(SECRET_BYTES_MIN), os.urandom(32)
    token = issue_token(secret, "0" * 32, 0).encode()
    tokens = Tokens(secret)
    steps = {
        "token": lambda: tokens.check(token, 1),
        "inflate and unfold": lambda: batches.inflate(body),
        "header": lambda: batches.read_header(plain),
        "header and rows": lambda: batches.check_body(plain),
        "header and rows, with Arrow objects": lambda: batches.decode(plain),
        "accept": lambda: accept(body, grant),
        "seal": lambda: seal(key, body, b"bound"),
    }
    return {name: _fastest_us(step) for name, step in steps.items()}


def _fastest_us(step: Any, times: int = 300) -> float:
    rounds = []
    for _ in range(5):
        started_s = time.process_time()
        for _ in range(times):
            step()
        rounds.append((time.process_time() - started_s) / times)
    return round(min(rounds) * 1e6, 1)


def measured(
    batch_count: int, rows: int, rounds: int, connections: list[int], *, quick: bool
) -> dict[str, Any]:
    """Return all figures; a quick run leaves out slow syncs, parts and more connections."""
    records = traffic.mixed(rows)
    few = min(connections)
    sent = loads(records, batch_count, [few] if quick else sorted(connections))
    ours, theirs = sent["overt"][few], sent["fastapi"][few]
    sizes = {
        "overt": sum(map(len, ours.lanes[0])) / len(ours.lanes[0]) / rows,
        "fastapi": sum(map(len, theirs.lanes[0])) / len(theirs.lanes[0]) / rows,
    }
    with tempfile.TemporaryDirectory(dir=".") as home:
        folder = Path(home).resolve()
        shim = load.slow_sync(folder)
        plain = compared(sent, rows, folder, shim, 0, rounds)
        slow = (
            None if quick or shim is None else compared(sent, rows, folder, shim, SLOW_US, rounds)
        )
    return {
        "benchmark": "collector",
        "connections": list(sent["overt"]),
        "events_per_request": rows,
        "wire_bytes_per_event": {name: round(size, 2) for name, size in sizes.items()},
        "plain": plain,
        "sync_2_ms": slow,
        "parts_us": {} if quick else parts_us(records[0]),
    }


_COLUMNS = ("events/s", "per cpu s", "µs/batch", "p50 ms", "p99 ms", "syncs/batch", "at")


def _shown(figures: dict[str, Any]) -> str:
    counts = " or ".join(map(str, figures["connections"]))
    what = f"{counts} connections, {figures['events_per_request']} events a request"
    lines = [
        f"{what}; acknowledged when durable; one core each",
        f"{'':<28}" + "".join(f"{name:>12}" for name in _COLUMNS),
    ]
    for case, title in (("plain", ""), ("sync_2_ms", ", sync + 2 ms")):
        found = figures[case]
        if found is None:
            lines.append(
                "the runs with slow syncs are left out: a quick run, or no C compiler here"
            )
            continue
        for side in ("overt", "fastapi"):
            row = "".join(f"{value:>12,.6g}" for value in found[side].values())
            lines.append(f"{side + title:<28}{row}")
        times = f"{found['ratio']:>12}{found['ratio_cpu']:>12}"
        lines.append(f"{'times as many' + title:<28}{times}")
    parts = ", ".join(f"{name} {us}" for name, us in figures["parts_us"].items())
    return "\n".join([*lines, f"µs a batch, alone: {parts}"])


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--batches", type=int, default=8000)
    options.add_argument("--rows", type=int, default=500)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--connections", type=int, nargs="+", default=CONNECTIONS)
    options.add_argument("--quick", action="store_true", help="the least of it")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    figures = measured(
        chosen.batches, chosen.rows, chosen.rounds, chosen.connections, quick=chosen.quick
    )
    print(json.dumps(figures) if chosen.json else _shown(figures))
    ratios = [figures[case]["ratio"] for case in ("plain", "sync_2_ms") if figures[case]]
    if min(ratios) < RATIO_WANTED:
        print(f"fewer than {RATIO_WANTED} times as many: is the machine busy?", file=sys.stderr)


if __name__ == "__main__":
    main()
