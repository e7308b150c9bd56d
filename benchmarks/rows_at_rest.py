"""Bytes an event, and µs a batch, of ways to keep a row: `docs/decisions/0001-rows-as-received.md`.

python benchmarks/rows_at_rest.py [--rows 500] [--json]
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import traffic

from overt.schema import batch as batches
from overt.schema.event import WIRE


def best_us(call: Callable[[], Any], times: int = 300) -> float:
    """Return the µs of the fastest of five rounds."""
    rounds = []
    for _ in range(5):
        started = time.process_time()
        for _ in range(times):
            call()
        rounds.append((time.process_time() - started) / times)
    return min(rounds) * 1e6


def at_rest(records: list[pa.RecordBatch]) -> dict[str, dict[str, float]]:
    """Return bytes an event, and µs a batch to make and to read, of ways to keep a row."""
    chosen = records[:40]
    events = sum(r.num_rows for r in chosen)
    heads = [traffic.header("0" * 32, "1" * 32, n, r.num_rows) for n, r in enumerate(chosen)]
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
    options.add_argument("--rows", type=int, default=500)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    figures = {"benchmark": "rows_at_rest", **at_rest(traffic.mixed(chosen.rows))}
    print(json.dumps(figures, indent=None if chosen.json else 2))


if __name__ == "__main__":
    main()
