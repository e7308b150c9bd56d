"""Events a second through the collector: check, seal, append, fsync.

`python benchmarks/collector.py [--batches 4000] [--rows 500] [--json]` measures, on one core each:

- `in_process`: `accept` and `Store.append_batches` in groups of 64, single thread;
- `http`: a uvicorn process on one core, 64 connections from another, acknowledged batches only;
- `parts_us`: µs a batch for each step;
- `at_rest`: bytes an event and µs a batch of keeping rows as received, against alternatives.

Batches are mixed input (typing, pointer at 60 Hz, clicks, scrolling) of made-up people.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from overt.collector.accept import accept
from overt.consent.token import issue_token
from overt.datasets import synthetic
from overt.datasets.transform import to_rhythm0
from overt.schema import batch as batches
from overt.schema.event import SCHEMA_ID, WIRE
from overt.store.seal import seal
from overt.store.store import Store

PURPOSES = ("next-action", "person-or-program", "typing-assist")
CONNECTIONS = 64
GROUP = 64

SERVER = """
import os, sys, uvicorn
os.sched_setaffinity(0, {int(sys.argv[4])})
from overt.collector.app import Collector
from overt.store.store import Store
app = Collector(Store.open(sys.argv[1]))
uvicorn.run(app, port=int(sys.argv[2]), log_level="critical", access_log=False, loop=sys.argv[3],
            http="httptools", server_header=False, date_header=False)
"""


def mixed_rows(rows: int) -> list[pa.RecordBatch]:
    """Return record batches of `rows` events of made-up people at level rhythm."""
    made = []
    for person in synthetic.people(2, seed=1, sessions=1, minutes=6.0):
        events = to_rhythm0(person.sessions[0])
        for at in range(0, events.num_rows - rows, rows):
            _, record = batches.from_events(events.slice(at, rows).combine_chunks())
            made.append(record)
    return made


def header(receipt: str, session: str, number: int, rows: int) -> batches.BatchHeader:
    return batches.BatchHeader(
        schema=SCHEMA_ID, source="sdk/0.1.0", study="bench", receipt=receipt, session=session,
        batch=number, purposes=("person-or-program",), level="rhythm", transform="rhythm/0",
        rows=rows, first_seq=number * rows, time_origin_ms=1_790_000_000_000, t0_us=1_000,
        clock_resolution_us=100, x0_8th_css_px=0, y0_8th_css_px=0, produced=2**40, removed=0,
        lost=0, end=False,
    )  # fmt: skip


def pointer_like(record: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows with kinds that one purpose needs alone, so that one stream holds all."""
    allowed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14]
    kinds = record.column("kind").to_numpy()
    kinds = np.where(np.isin(kinds, allowed), kinds, 6).astype(np.int8)
    dseq = np.ones(len(kinds), np.int16)
    dseq[0] = 0
    columns = dict(zip(WIRE.names, record.columns, strict=True))
    columns["kind"], columns["dseq"] = pa.array(kinds), pa.array(dseq)
    return pa.record_batch(list(columns.values()), schema=WIRE)


def people(store: Store, count: int) -> list[str]:
    """Return the receipts of `count` people of study `bench`."""
    store.control.put_study("bench", "synthetic", b"")
    receipts = [os.urandom(16).hex() for _ in range(count)]
    rows = store.add_subjects("bench", "synthetic", count)
    store.put_receipts(
        (receipt, row, PURPOSES, "rhythm", b"{}")
        for receipt, row in zip(receipts, rows, strict=True)
    )
    return receipts


def bodies(
    receipts: list[str], records: list[pa.RecordBatch], count: int
) -> list[tuple[str, bytes]]:
    """Return `count` (receipt, gzipped batch), taking turns between people."""
    sessions = {receipt: os.urandom(16).hex() for receipt in receipts}
    made = []
    for n in range(count):
        receipt, record = receipts[n % len(receipts)], records[n % len(records)]
        head = header(receipt, sessions[receipt], n // len(receipts), record.num_rows)
        made.append((receipt, gzip.compress(batches.encode(head, record), 6, mtime=0)))
    return made


def in_process(folder: Path, records: list[pa.RecordBatch], count: int) -> dict[str, float]:
    """Return events a second on one thread, fsync included; and a second of processor time."""
    with Store.open(folder, create=True) as store:
        receipts = people(store, CONNECTIONS)
        grants = {receipt: store.control.grant(receipt) for receipt in receipts}
        sent = bodies(receipts, records, count)
        accept(sent[0][1], grants[sent[0][0]])
        started, used_s = time.perf_counter(), time.process_time()
        for at in range(0, count, GROUP):
            store.append_batches([accept(body, grants[r]) for r, body in sent[at : at + GROUP]])
        taken_s, used_s = time.perf_counter() - started, time.process_time() - used_s
    events = count * records[0].num_rows
    return {"events_per_s": events / taken_s, "events_per_cpu_s": events / used_s}


def over_http(
    folder: Path, records: list[pa.RecordBatch], count: int, loop: str
) -> dict[str, float]:
    """Return events a second and latency of acknowledged batches over loopback."""
    with Store.open(folder, create=True) as store:
        receipts = people(store, CONNECTIONS)
        secret = store.token_secret()
        sent = bodies(receipts, records, count)
    port = 20_000 + os.getpid() % 20_000
    core = sorted(os.sched_getaffinity(0))
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder), str(port), loop, str(core[0])],
    )
    if len(core) > 1:
        os.sched_setaffinity(0, set(core[1:]))
    try:
        tokens = {r: issue_token(secret, r, int(time.time())) for r in receipts}
        lanes: list[list[bytes]] = [[] for _ in range(CONNECTIONS)]
        for n, (receipt, body) in enumerate(sent):
            head = (
                f"POST /v1/batches HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {tokens[receipt]}"
                f"\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            lanes[n % CONNECTIONS].append(head.encode() + body)
        figures = asyncio.run(_drive(port, lanes, records[0].num_rows, server.pid))
    finally:
        server.terminate()
        server.wait()
        os.sched_setaffinity(0, set(core))
    return figures


def cpu_s(pid: int) -> float:
    """Return the processor time a process has used, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _drive(port: int, lanes: list[list[bytes]], rows: int, pid: int) -> dict[str, float]:
    deadline = time.monotonic() + 60
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
    latency_s: list[float] = []

    async def lane(requests: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in requests:
            began = time.perf_counter()
            writer.write(request)
            answer = await reader.readuntil(b"}")
            latency_s.append(time.perf_counter() - began)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer.decode())
        writer.close()

    started, used_s = time.perf_counter(), cpu_s(pid)
    await asyncio.gather(*[lane(requests) for requests in lanes])
    taken_s, used_s = time.perf_counter() - started, cpu_s(pid) - used_s
    return {
        "events_per_cpu_s": len(latency_s) * rows / used_s,
        "events_per_s": len(latency_s) * rows / taken_s,
        "p50_ms": float(np.percentile(latency_s, 50)) * 1e3,
        "p99_ms": float(np.percentile(latency_s, 99)) * 1e3,
    }


def best_us(call: Callable[[], Any], times: int = 300) -> float:
    """Return the µs of the fastest of five rounds."""
    rounds = []
    for _ in range(5):
        started = time.process_time()
        for _ in range(times):
            call()
        rounds.append((time.process_time() - started) / times)
    return min(rounds) * 1e6


def parts_us(record: pa.RecordBatch) -> dict[str, float]:
    """Return µs a batch of each step of accepting one."""
    head = header("0" * 32, "1" * 32, 0, record.num_rows)
    plain = batches.encode(head, record)
    body = gzip.compress(plain, 6)
    key = os.urandom(32)
    batches.decode(plain)
    return {
        "inflate": best_us(lambda: batches.inflate(body)),
        "header": best_us(lambda: batches.read_header(plain)),
        "decode with header": best_us(lambda: batches.decode(plain)),
        "seal": best_us(lambda: seal(key, body, b"bound")),
    }


def at_rest(records: list[pa.RecordBatch]) -> dict[str, dict[str, float]]:
    """Return bytes an event, and µs a batch to make and to read, of ways to keep a row."""
    chosen = records[:40]
    events = sum(r.num_rows for r in chosen)
    heads = [header("0" * 32, "1" * 32, n, r.num_rows) for n, r in enumerate(chosen)]
    plains = [batches.encode(h, r) for h, r in zip(heads, chosen, strict=True)]
    bodies_ = [gzip.compress(p, 6, mtime=0) for p in plains]
    zstd = pa.Codec("zstd", compression_level=3)

    def lean(n: int) -> bytes:
        # Checking has decoded the rows already; only what re-encoding adds is counted.
        kept = [
            (name, column)
            for name, column in zip(WIRE.names, chosen[n].columns, strict=True)
            if (values := column.to_numpy())[0] != 0 or values.any()
        ]
        made = pa.record_batch([c for _, c in kept], names=[name for name, _ in kept])
        return zstd.compress(heads[n].to_json() + made.serialize().to_pybytes(), asbytes=True)

    def whole(plain: bytes) -> bytes:
        return zstd.compress(plain, asbytes=True)

    made = {
        "as received (gzip of the device)": (bodies_, lambda n: bodies_[n]),
        "gzip 1 of a plain body": (
            [gzip.compress(p, 1, mtime=0) for p in plains],
            lambda n: gzip.compress(plains[n], 1, mtime=0),
        ),
        "zstd 3 of the batch": ([whole(p) for p in plains], lambda n: whole(plains[n])),
        "zstd 3, columns of zeros dropped": ([lean(n) for n in range(len(chosen))], lean),
    }
    return {
        name: {
            "bytes_per_event": sum(map(len, kept)) / events,
            "make_us_per_batch": best_us(lambda make=make: [make(n) for n in range(10)], 5) / 10,
        }
        for name, (kept, make) in made.items()
    } | {
        "reading": {
            "gunzip_us_per_batch": best_us(lambda: [batches.inflate(b) for b in bodies_[:10]], 20)
            / 10,
            "unzstd_us_per_batch": best_us(
                lambda: [
                    zstd.decompress(w, len(p), asbytes=True)
                    for w, p in zip(made["zstd 3 of the batch"][0][:10], plains, strict=False)
                ],
                20,
            )
            / 10,
        }
    }


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--batches", type=int, default=4000)
    options.add_argument("--rows", type=int, default=500)
    options.add_argument("--loop", default="auto", choices=["auto", "asyncio", "uvloop"])
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    records = [pointer_like(record) for record in mixed_rows(chosen.rows)]
    with tempfile.TemporaryDirectory(dir=".") as folder:
        figures: dict[str, Any] = {
            "rows": chosen.rows,
            "wire_bytes_per_event": len(bodies(["0" * 32], records, 1)[0][1]) / chosen.rows,
            "in_process": in_process(Path(folder, "a"), records, chosen.batches),
            "http": over_http(Path(folder, "b"), records, chosen.batches, chosen.loop),
            "parts_us": parts_us(records[0]),
            "at_rest": at_rest(records),
        }
    print(json.dumps(figures, indent=None if chosen.json else 2))


if __name__ == "__main__":
    main()
