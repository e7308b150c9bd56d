"""Records and sends in a fork that is killed before its n-th statement to the vault, for many n.

`python device_child.py FOLDER EVERY FIRST` prints, for each n, one JSON object of what came of it
after the device was started again. The server is a file: what is in it was acknowledged, and what
comes a second time must be the same.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from overt.device.facts import FACTS
from overt.device.outbox import Outbox
from overt.device.session import Recording, Session, prepare, recover
from overt.device.vault import Vault
from overt.schema import batch
from overt.schema.event import KeyClass, Kind

ROUNDS, ROWS = 6, 30


class Server:
    """Keeps each batch once, by session and number, in a file of its own before it answers."""

    receipt_id = "1" * 32

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def send(self, _method: str, _path: str, _receipt: str, content: bytes) -> httpx.Response:
        plain = gzip.decompress(content)
        header, _ = batch.read_header(plain)
        place = self.folder / f"{header.session}-{header.batch}"
        if place.exists():
            assert batch.decode(place.read_bytes())[1] == batch.decode(plain)[1], "another batch"
            return httpx.Response(409, json={"error": {}})
        place.write_bytes(plain)
        return httpx.Response(200, json={"stored": 1})


def work(folder: Path, kill_at: int) -> None:
    """Record, journal, close, remove and send; killed before the statement of that number."""
    vault = Vault(folder / "vault")
    left = kill_at

    def counted(_statement: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    vault._db.set_trace_callback(counted)
    outbox, server = Outbox(vault), Server(folder / "server")
    purposes = ("next-action", "person-or-program")
    about = {"study": "desk", "receipt": server.receipt_id, "purposes": purposes}
    how = {"level": "rhythm", "transform": "rhythm/0", "time_origin_ms": 1, "outbox_delay_s": 0}
    session = Session(Recording(session="a" * 32, **about, **how), vault)  # type: ignore[arg-type]
    session.mark(Kind.SESSION_START, 0)
    for k in range(ROUNDS):
        rows = np.zeros(ROWS, FACTS)
        rows["t_us"] = 1000 * (1 + k * ROWS + np.arange(ROWS))
        rows["kind"], rows["key_class"] = (Kind.KEY_DOWN, KeyClass.LETTER)
        rows["kind"][::3] = Kind.POINTER_MOVE
        session.add(rows)
        session.journal()
        (folder / "journalled").write_text(str(session.produced))
        if k % 2:
            session.close(0)
            outbox.send(server, 7)  # type: ignore[arg-type]
        if k == 2:
            session.close(0)
            outbox.remove_since(0)
    session.mark(Kind.SESSION_END, 10**9)
    session.close(0, end=True)
    outbox.send(server, 7)  # type: ignore[arg-type]


def after(folder: Path) -> dict[str, Any]:
    """Start again, send what waits, and say what there is."""
    vault = Vault(folder / "vault")
    recover(vault)
    outbox, server = Outbox(vault), Server(folder / "server")
    outbox.send(server, 7, force=True)  # type: ignore[arg-type]
    stored: list[int] = []
    ends = 0
    for path in server.folder.iterdir():
        header, rows = batch.decode(path.read_bytes())
        stored += batch.to_events(header, rows).column("seq").to_pylist()
        ends += header.end
    journalled = folder / "journalled"
    said = int(journalled.read_text() or 0) if journalled.exists() else 0
    return {"stored": sorted(stored), "ends": ends, "journalled": said, "counts": outbox.counts()}


def main() -> None:
    """Kill at every so many statements until the work gets to its end."""
    folder, every, kill_at = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    warnings.simplefilter("ignore", DeprecationWarning)  # forking beside a library's idle threads
    prepare()  # loaded once for all forks
    status = -1
    while status != 0:
        place = folder / str(kill_at)
        place.mkdir()
        child = os.fork()
        if child == 0:
            work(place, kill_at)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, -signal.SIGKILL), status
        sys.stdout.write(json.dumps({"killed": status != 0, **after(place)}) + "\n")
        kill_at += every


if __name__ == "__main__":
    main()
