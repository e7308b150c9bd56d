from __future__ import annotations

import base64
import gzip
import io
import json
import os
import sqlite3
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.schema import batch as batches
from overt.schema.fold import fold
from overt.store.scan import Traces, scan, traces_of
from overt.store.traces import RUN, Deltas
from store_fixtures import header, join, new_store, wire_rows

SESSION = "ab" * 16
RNG = np.random.default_rng(7)
DELTAS = RNG.integers(20_000, 900_000, 40)
NEEDLE = bytes(RNG.integers(0, 256, 32, np.uint8))
TRACES = Traces({"key": NEEDLE}, (DELTAS,))
NOISE = bytes(RNG.integers(0, 256, 5000, np.uint8))


def sqlite_of(values: list[Any]) -> bytes:
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE t (a)")
        database.executemany("INSERT INTO t VALUES (?)", [(v,) for v in values])
        database.commit()
        return database.serialize()


def tar_of(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("member")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zip_of(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("member", data)
    return out.getvalue()


def arrow_of(data: bytes, compression: str | None = "zstd") -> bytes:
    table = pa.table({"a": pa.array([data, None], pa.binary()), "b": [["x"], []]})
    out = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(out, table.schema, options=options) as writer:
        writer.write_table(table)
    return out.getvalue()


def stream_of(data: bytes) -> bytes:
    table = pa.table({"a": pa.array([data], pa.large_binary())})
    out = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(out, table.schema, options=options) as writer:
        writer.write_table(table)
    return out.getvalue()


def parquet_of(data: bytes) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"a": [data]}), out, compression="zstd")
    return out.getvalue()


CONTAINERS: dict[str, Callable[[bytes], bytes]] = {
    "raw": lambda data: NOISE + data + NOISE,
    "gzip": gzip.compress,
    "gzip in the middle": lambda data: NOISE + gzip.compress(data) + NOISE,
    "torn gzip": lambda data: gzip.compress(data + NOISE)[:-300],
    "zlib": zlib.compress,
    "zstd": lambda data: pa.compress(data, "zstd", asbytes=True),
    "tar": tar_of,
    "zip": zip_of,
    "sqlite": lambda data: sqlite_of([NOISE + data + NOISE, 3, "x", None]),
    "arrow file": arrow_of,
    "arrow stream": stream_of,
    "parquet": parquet_of,
    "tar of gzip of sqlite": lambda data: tar_of(gzip.compress(sqlite_of([data]))),
}
SECRETS: dict[str, bytes] = {
    "key": NEEDLE,
    "key in hex": NEEDLE.hex().encode(),
    "key in base64 within JSON": json.dumps(
        {"k": base64.b64encode(b"x" + NEEDLE + b"y").decode()}
    ).encode(),
    "deltas int32": b"abc" + DELTAS[3 : 3 + RUN].astype("<i4").tobytes() + b"end",
    "deltas int64": DELTAS[:RUN].astype("<i8").tobytes(),
    "deltas float64 ms": (DELTAS[5:20] / 1000).tobytes(),
    "absolute times": np.cumsum(DELTAS[:12]).astype("<i8").tobytes(),
    "deltas in CSV": "\n".join(f"{n},{d},7" for n, d in enumerate(DELTAS[:12])).encode(),
}


@pytest.mark.parametrize(
    ("container", "secret"),
    # Text within random bytes is no text.
    [
        (c, s)
        for c in CONTAINERS
        for s in SECRETS
        if "CSV" not in s or c not in ("raw", "torn gzip")
    ],
)
def test_what_is_planted_in_any_container_is_found(
    container: str, secret: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(CONTAINERS[container](SECRETS[secret]))
    found = scan(tmp_path, TRACES)
    assert found, "planted and not found"
    assert {f.what.split()[0] for f in found} <= {"key", "timing"}


@pytest.mark.parametrize("container", CONTAINERS)
def test_what_is_not_there_is_not_found(container: str, tmp_path: Path) -> None:
    innocent = [NOISE, bytes(64), DELTAS[: RUN - 1].tobytes(), NEEDLE[:-2], NEEDLE[2:]]
    for number, data in enumerate(innocent):
        (tmp_path / str(number)).write_bytes(CONTAINERS[container](data))
    assert scan(tmp_path, TRACES) == []


def test_numbers_in_columns_are_found_in_arrow_parquet_and_sqlite(tmp_path: Path) -> None:
    table = pa.table({"n": np.arange(20), "dt": pa.array(DELTAS[:20], pa.int32())})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd")
    with pa.ipc.new_file(tmp_path / "b.arrow", table.schema) as writer:
        writer.write_table(table)
    (tmp_path / "c.db").write_bytes(sqlite_of([int(d) for d in DELTAS[:20]]))
    plain = batches.encode(header(rows=60), wire_rows(1, 60))
    (tmp_path / "d.ovb").write_bytes(gzip.compress(plain))
    (tmp_path / "e.ovb").write_bytes(fold(plain))
    (tmp_path / "f.log").write_bytes(b"POST /v1/batches\r\n\r\n" + fold(plain) + b"\r\n")
    assert {f.path for f in scan(tmp_path, TRACES)} == {"a.parquet", "b.arrow", "c.db"}
    own = Traces({}, (wire_rows(1, 60).column("dt_us").to_numpy()[20:40],))
    assert {f.path for f in scan(tmp_path, own)} == {"d.ovb", "e.ovb", "f.log"}


def test_a_file_name_counts(tmp_path: Path) -> None:
    (tmp_path / NEEDLE.hex()).write_bytes(b"")
    assert [f.what for f in scan(tmp_path, TRACES)] == ["key"]


def test_after_erasure_nothing_is_found_and_before_it_everything_is(tmp_path: Path) -> None:
    with new_store(tmp_path / "d") as store:
        person, other = join(store), join(store)
        for n in range(4):
            store.append_batches([person.incoming(SESSION, n, seed=n + 1)])
            store.append_batches([other.incoming(SESSION, n, seed=n + 100)])
        traces = traces_of(store, person.subject)
        assert len(Deltas(traces.deltas)) > 150
        model = store.artefacts.put(
            "features", "s", "next-action", "f", traces.deltas[0].tobytes(), [person.subject]
        )

        def found() -> set[str]:
            names = {f.path.split("/")[0]: None for f in scan(store.layout.root, traces, store)}
            return set(names)

        assert found() == {"artefacts", "keyring", "segments"}
        store.bury(person.subject)
        store.destroy_keys(person.subject)
        store.overwrite_rows(person.subject)
        store.delete_control_rows(person.subject)
        store.purge()
        assert found() == {"artefacts"}, "a derived file was forgotten, and the scan says so"
        store.artefacts.destroy(model)
        assert scan(store.layout.root, traces, store) == []

        # Planted again: in the clear, under a surviving key, and in an artefact.
        (store.layout.root / "stray").write_bytes(traces.needles["pseudonym"])
        store.append_batches([other.incoming(SESSION, 9, seed=3)])
        store.artefacts.put("dataset", "s", "next-action", "d", traces.needles["key"], [])
        assert found() == {"artefacts", "segments", "stray"}


def test_deleted_rows_of_the_control_database_leave_no_bytes(tmp_path: Path) -> None:
    with new_store(tmp_path / "d") as store:
        people = [join(store) for _ in range(60)]
        for n in range(6):
            store.append_batches([p.incoming(SESSION, n, seed=n * 100 + 1) for p in people])
        gone = people[::3]
        needles = {f"subject {n}": bytes.fromhex(p.subject) for n, p in enumerate(gone)}
        needles |= {f"receipt {n}": bytes.fromhex(p.receipt) for n, p in enumerate(gone)}
        assert len({f.what for f in scan(store.layout.root, Traces(needles), store)}) == 40
        for person in gone:
            store.bury(person.subject)
            store.destroy_keys(person.subject)
            store.overwrite_rows(person.subject)
            store.delete_control_rows(person.subject)
        store.purge()
        assert scan(store.layout.root, Traces(needles), store) == []


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=RUN, max_size=RUN), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_any_run_of_enough_different_deltas_is_found_wherever_it_lies(
    run: list[int], shift: int
) -> None:
    deltas = Deltas([np.array(run)])
    enough = len(set(run) - {0}) >= 4
    assert bool(len(deltas)) == enough
    data = os.urandom(shift) + np.array(run, "<i4").tobytes() + os.urandom(17)
    assert (deltas.find(data) is not None) == enough


def whole_seconds(seed: int, keys_per_s: float, spread: float) -> np.ndarray:
    """Return the deltas of 1,500 presses at `rhythm/1`; without `spread` they are a steady beat."""
    rng = np.random.default_rng(seed)
    if not spread:  # exact: what a float adds up to is no beat
        beat_us = int(1e6 / keys_per_s)
        return np.diff(np.arange(1, 1501) * beat_us // 1_000_000) * 1_000_000
    at_s = np.cumsum(np.exp(spread * rng.standard_normal(1500)) / keys_per_s)
    return np.diff(np.floor(at_s).astype(np.int64)) * 1_000_000


@given(st.integers(0, 2**32), st.floats(0.5, 7), st.floats(0.5, 7))
@settings(max_examples=15, deadline=None)
def test_of_two_people_at_whole_seconds_only_the_one_looked_for_is_found(
    seed: int, one_per_s: float, other_per_s: float
) -> None:
    gone, other = whole_seconds(seed, one_per_s, 0.6), whole_seconds(seed + 1, other_per_s, 0.6)
    deltas = Deltas([gone[:800], gone[800:]])
    assert deltas.find(other.astype("<i4").tobytes()) is None
    assert deltas.find(os.urandom(3) + gone[200:500].astype("<i4").tobytes()) == "int32"
    assert deltas.find(np.cumsum(gone)[900:1300].tobytes()) == "int64"
    assert len(Deltas([whole_seconds(seed, one_per_s, 0.0)])) == 0


class Melting(type(Path())):  # type: ignore[misc]
    """A folder whose file `melts` is gone by the time anyone comes to read it."""

    def rglob(self, pattern: str) -> Iterator[Path]:
        for path in sorted(super().rglob(pattern)):
            yield path
            if path.name == "melts":
                path.unlink()


def test_a_file_that_goes_away_during_the_scan_does_not_end_it(tmp_path: Path) -> None:
    (tmp_path / "melts").write_bytes(NOISE)
    (tmp_path / "stays").write_bytes(NOISE + NEEDLE)
    assert [finding.path for finding in scan(Melting(tmp_path), TRACES)] == ["stays"]
