"""`kill -9` of a real server at random moments: what was acknowledged is there, once."""

from __future__ import annotations

import gzip
import http.client
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from overt.consent.token import issue_token
from overt.store.store import Store
from store_fixtures import Person, join, new_store

SERVER = """
import socket, sys, uvicorn
from overt.collector.app import Collector
from overt.store.store import Store
store = Store.open(sys.argv[1])
config = uvicorn.Config(Collector(store), log_level="critical", access_log=False, lifespan="on")
sock = socket.create_server(("127.0.0.1", 0), backlog=64)
print(sock.getsockname()[1], flush=True)
uvicorn.Server(config).run(sockets=[sock])
store.close()
"""
DEVICES = 6


@dataclass
class Device:
    """A device that sends one batch after the other, again until it is acknowledged."""

    person: Person
    session: str
    acknowledged: list[bytes] = field(default_factory=list)
    in_doubt: int = 0

    def send(self, port: int, secret: bytes, acks: threading.Semaphore, until: int) -> None:
        bearer = issue_token(secret, self.person.receipt, int(time.time()))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            while len(self.acknowledged) < until:
                number = len(self.acknowledged)
                item = self.person.incoming(self.session, number, seed=number + 1)
                connection.request(
                    "POST", "/v1/batches", item.wire, {"Authorization": f"Bearer {bearer}"}
                )
                answer = connection.getresponse()
                answer.read()
                assert answer.status in (200, 409), answer.status
                self.in_doubt += answer.status == 409
                self.acknowledged.append(gzip.decompress(item.wire))
                acks.release()
        except (ConnectionError, http.client.HTTPException):
            return  # killed: the batch in flight is in doubt and comes again
        finally:
            connection.close()


def started(root: Path) -> tuple[subprocess.Popen[bytes], int]:
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(root)], stdout=subprocess.PIPE)
    assert server.stdout is not None
    return server, int(server.stdout.readline())


def run(root: Path, kills: int, seed: int) -> list[Device]:
    """Let devices send while the server is killed `kills` times; return what they know."""
    rng = random.Random(seed)
    with new_store(root) as store:
        secret = store.token_secret()
        devices = [Device(join(store), f"{n:032x}") for n in range(DEVICES)]
    for turn in range(kills + 1):
        last = turn == kills
        server, port = started(root)
        acks = threading.Semaphore(0)
        until = max(len(d.acknowledged) for d in devices) + 5 if last else 10**9
        threads = [
            threading.Thread(target=device.send, args=(port, secret, acks, until))
            for device in devices
        ]
        for thread in threads:
            thread.start()
        if not last:
            for _ in range(rng.randrange(1, 120)):
                acks.acquire()
            server.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
        if last:
            server.send_signal(signal.SIGTERM)
        assert server.wait(30) in (0, -signal.SIGKILL, -signal.SIGTERM)
        assert server.stdout is not None
        server.stdout.close()
    return devices


def assert_nothing_is_lost_or_doubled(root: Path, devices: list[Device]) -> None:
    with Store.open(root) as store:
        for device in devices:
            places = store.batches_of(device.person.subject)
            assert [place.batch for place in places] == list(range(len(device.acknowledged)))
            assert [plain for _, plain in store.read(places)] == device.acknowledged
        live = sum(
            row is not None
            for name in store.segments.names()
            for _, _, row in store.segments.rows(name)
        )
        assert live == sum(len(device.acknowledged) for device in devices)


def test_three_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    devices = run(tmp_path / "d", kills=3, seed=20261122)
    assert_nothing_is_lost_or_doubled(tmp_path / "d", devices)
    assert sum(len(device.acknowledged) for device in devices) > 30


@pytest.mark.soak
def test_fifty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    devices = run(tmp_path / "d", kills=50, seed=1)
    assert_nothing_is_lost_or_doubled(tmp_path / "d", devices)
    # Some batches were durable without their acknowledgement, or this test tests nothing.
    assert sum(device.in_doubt for device in devices) > 0
