"""Load on a server over loopback: many connections, each sending one request after the other."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
START_TIMEOUT_S = 60
WARM_UP = 2
"""Requests of each connection before the clock starts: keys of the day, first pages, caches."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a server did with a load: only what it acknowledged with 200 counts."""

    requests: int
    seconds: float
    cpu_s: float
    p50_ms: float
    p99_ms: float
    syncs: int

    def figures(self, events: int) -> dict[str, float]:
        """Return what is reported, for requests of this many events each."""
        return {
            "events_per_s": round(self.requests * events / self.seconds),
            "events_per_cpu_s": round(self.requests * events / self.cpu_s),
            "cpu_us_per_batch": round(self.cpu_s / self.requests * 1e6, 1),
            "p50_ms": round(self.p50_ms, 2),
            "p99_ms": round(self.p99_ms, 2),
            "syncs_per_batch": round(self.syncs / self.requests, 4),
        }


def request(body: bytes, bearer: str) -> bytes:
    """Return one POST of a body as the bytes on the wire."""
    head = (
        "POST /v1/batches HTTP/1.1\r\nhost: localhost\r\n"
        f"authorization: Bearer {bearer}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def slow_sync(folder: Path) -> Path | None:
    """Return the library that counts and slows syncs, or None without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    made = folder / "slow_sync.so"
    source = HERE / "slow_sync.c"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True)
    return made


@contextmanager
def two_cores() -> Iterator[int]:
    """Yield the core for the server, and keep this process off it where there is another."""
    before = os.sched_getaffinity(0)
    first, *others = sorted(before)
    os.sched_setaffinity(0, set(others) or before)
    try:
        yield first
    finally:
        os.sched_setaffinity(0, before)


def measure(
    script: str,
    lanes: list[list[bytes]],
    prepare: Callable[[Path], None],
    *,
    folder: Path,
    shim: Path | None,
    sync_delay_us: int = 0,
) -> Served:
    """Start `script FOLDER PORT CORE` on a core of its own, send all lanes, and stop it."""
    with tempfile.TemporaryDirectory(dir=folder) as home, two_cores() as core:
        prepare(Path(home))
        counted = Path(home, "syncs")
        counted.write_bytes(bytes(8))
        environment = {**os.environ, "SLOW_SYNC_US": str(sync_delay_us)}
        if shim is not None:
            environment |= {"LD_PRELOAD": str(shim), "SLOW_SYNC_COUNT": str(counted)}
        port = _free_port()
        server = subprocess.Popen(
            [sys.executable, HERE / script, home, str(port), str(core)], env=environment
        )
        try:
            return asyncio.run(_send(server, port, lanes, counted))
        finally:
            server.kill()
            server.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _cpu_s(pid: int) -> float:
    """Return the processor time a process has used, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _number(path: Path) -> int:
    return int(struct.unpack("<Q", path.read_bytes())[0])


async def _connect(
    server: subprocess.Popen[bytes], port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError("the server did not start") from None
            await asyncio.sleep(0.05)


async def _send(
    server: subprocess.Popen[bytes], port: int, lanes: list[list[bytes]], counted: Path
) -> Served:
    links = [await _connect(server, port) for _ in lanes]
    latency_s: list[float] = []

    async def lane(number: int, requests: list[bytes]) -> None:
        reader, writer = links[number]
        for each in requests:
            began_s = time.perf_counter()
            writer.write(each)
            answer = await reader.readuntil(b"}")
            latency_s.append(time.perf_counter() - began_s)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer.decode(errors="replace"))

    async def all_of(part: slice) -> None:
        await asyncio.gather(*[lane(number, lane_[part]) for number, lane_ in enumerate(lanes)])

    await all_of(slice(WARM_UP))
    latency_s.clear()
    started_s, used_s, syncs = time.perf_counter(), _cpu_s(server.pid), _number(counted)
    await all_of(slice(WARM_UP, None))
    taken_s, used_s = time.perf_counter() - started_s, _cpu_s(server.pid) - used_s
    for _, writer in links:
        writer.close()
    return Served(
        requests=len(latency_s),
        seconds=taken_s,
        cpu_s=max(used_s, 0.01),
        p50_ms=float(np.percentile(latency_s, 50)) * 1e3,
        p99_ms=float(np.percentile(latency_s, 99)) * 1e3,
        syncs=_number(counted) - syncs,
    )
