"""Devices of made-up people, a tap on the wire, and Flower's processes, for learning together."""

import base64
import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gateway_fixtures import STUDY
from overt.consent.notice import notice_sha256
from overt.datasets import synthetic
from overt.device.account import Grant
from overt.device.facts import FACTS
from overt.device.session import Recording, Session
from overt.device.vault import Vault, as_json
from overt.federated.own import Own
from overt.federated.plan import Plan
from overt.gateway import enrol, studies
from overt.schema.study import template
from overt.store.store import Store

PURPOSE = "typing-together"
ROOT = Path(__file__).parents[1]
FLOWER = Path(os.environ.get("OVERT_FEDERATED_ENV", ROOT / ".venv-federated")) / "bin"

PLAN = Plan(
    study=STUDY,
    task="pause",
    purpose=PURPOSE,
    sampling_rate=1.0,
    steps=2,
    clip=0.2,
    noise_multiplier=1.0,
    delta=1e-3,
    planned=60,
    replies_min=3,
    secure=False,
)


def new_store(root: Path, study: str = STUDY) -> Store:
    """Return an open store with one study that learns together beside another purpose."""
    store = Store.open(root, create=True)
    text = template(study, "Small").replace(
        '["next-action", "typing-assist"]', f'["typing-assist", "{PURPOSE}"]'
    )
    studies.register(store, text.encode())
    return store


def joined(
    store: Store, purposes: tuple[str, ...] = (PURPOSE,), study: str = STUDY
) -> enrol.Joined:
    """Enrol somebody; return what their device has."""
    notice = notice_sha256(studies.study_of(store, study), "en")
    return enrol.join(store, study, purposes, notice)


def recorded(number: int, minutes: float = 1.0) -> list[pa.Table]:
    """Return sessions of a made-up person, with which key it was."""
    made = synthetic.people(number + 1, 11, sessions=1, minutes=minutes, pointer_moves=False)
    return list([*made][number].sessions)


def granted(folder: Path, receipt: dict[str, Any], purposes: tuple[str, ...] = (PURPOSE,)) -> Vault:
    """Return the agent's vault of somebody who joined."""
    vault = Vault(folder)
    grant = Grant(
        base="http://127.0.0.1",
        study=receipt["overt"]["study"],
        receipt_id=receipt["receipt_id"],
        receipt=receipt,
        device_secret="",
        purposes=purposes,
        level="keys",
        transform="keys/0",
        outbox_delay_s=600,
        hold_days=30,
        applications=(),
        notice_sha256="",
        lang="en",
        epsilon_max="10",
    )
    vault.change({"grant": as_json(asdict(grant))})
    return vault


def record(vault: Vault, events: pa.Table, number: int = 0) -> None:
    """Let the agent's session take these events, to its end."""
    grant = vault.get_json("grant")
    session = Session(
        Recording(
            session=f"{number:032x}",
            study=grant["study"],
            receipt=grant["receipt_id"],
            purposes=tuple(grant["purposes"]),
            level=grant["level"],
            transform=grant["transform"],
            time_origin_ms=1_790_000_000_000,
            outbox_delay_s=grant["outbox_delay_s"],
        ),
        vault,
    )
    rows = np.zeros(len(events), FACTS)
    for name in FACTS.names or ():
        rows[name] = events.column(name).to_numpy()
    session.add(rows)
    session.close(0, end=True)


def device(folder: Path, store: Store, events: list[pa.Table], study: str = STUDY) -> Own:
    """Return a device that joined, and whose agent recorded these sessions; its vault is `held`."""
    vault = granted(held(folder, study), joined(store, study=study).receipt)
    for number, session in enumerate(events):
        record(vault, session, number)
    vault.close()
    return Own(held(folder, study))


def held(folder: Path, study: str = STUDY) -> Path:
    """Return where a device's vault for the study lies."""
    return folder / study


def typed_text(events: pa.Table) -> str:
    """Return the letters a session's keys typed, in order."""
    symbols = events.column("key_symbol").to_pylist()
    kinds = events.column("kind").to_pylist()
    return "".join(chr(s) for s, k in zip(symbols, kinds, strict=True) if k == 1 and 32 <= s < 127)


def encodings(raw: bytes) -> dict[str, bytes]:
    """Return a value as it could stand on a wire."""
    made = {
        "raw": raw,
        "hex": raw.hex().encode(),
        "base64": base64.b64encode(raw).rstrip(b"=")[2:-2],
        "url": urllib.parse.quote_from_bytes(raw).encode(),
    }
    with contextlib.suppress(UnicodeDecodeError):
        text = raw.decode()
        made["utf-16"] = text.encode("utf-16-le")
        made["json"] = json.dumps(text)[1:-1].encode()
        made["reversed"] = raw[::-1]
    return {name: value for name, value in made.items() if len(value) >= 6}


def inflated(stream: bytes) -> Iterator[bytes]:
    """Yield whatever in a stream unpacks as zlib or gzip."""
    for magic, bits in ((b"\x1f\x8b", 31), (b"\x78\x9c", 15), (b"\x78\x01", 15), (b"\x78\xda", 15)):
        at = stream.find(magic)
        while at >= 0:
            with contextlib.suppress(zlib.error):
                found = zlib.decompressobj(bits).decompress(stream[at:], 1 << 22)
                if len(found) > 64:
                    yield found
            at = stream.find(magic, at + 1)


@dataclass
class Tap:
    """Passes TCP on and keeps every byte, of both ways apart."""

    to: int
    port: int = 0
    streams: list[bytearray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                threading.Thread(target=self._pass, args=(near,), daemon=True).start()

    def _pass(self, near: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            near,
            socket.create_connection(("127.0.0.1", self.to)) as far,
            selectors.DefaultSelector() as waiting,
        ):
            kept = {near: bytearray(), far: bytearray()}
            self.streams += kept.values()
            for one, other in ((near, far), (far, near)):
                waiting.register(one, selectors.EVENT_READ, other)
            while True:
                for key, _ in waiting.select():
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    kept[key.fileobj] += data
                    key.data.sendall(data)

    def close(self) -> None:
        """Take no more connections."""
        self._server.close()


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@dataclass
class Flower:
    """`overt together serve` and `join` in Flower's environment; all processes end with it."""

    folder: Path
    plan: Plan
    wait_s: float = 60.0
    first: int = 0
    certificates: Path | None = None
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __enter__(self) -> "Flower":
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "plan.json").write_text(self.plan.to_json())
        self.port = free_port()
        secured = [] if self.certificates is None else ["--certificates", str(self.certificates)]
        self.start("serve", [
            "serve", "--plan", str(self.folder / "plan.json"), "--port", str(self.port),
            "--out", str(self.folder / "out.json"), "--wait-s", str(self.wait_s),
            "--first", str(self.first), *secured,
        ])  # fmt: skip
        self._listening(self.port)
        self.tap = Tap(self.port)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.tap.close()

    def start(self, name: str, command: list[str]) -> None:
        environment = {
            **{k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "VIRTUAL_ENV")},
            "PYTHONPATH": str(ROOT / "src"),
        }
        asked = [str(FLOWER / "python"), "-m", "overt", "together", *command]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                asked, stdout=log, stderr=log, env=environment, start_new_session=True
            )

    def _listening(self, port: int) -> None:
        until = time.monotonic() + 90
        while time.monotonic() < until and self.processes["serve"].poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            threading.Event().wait(0.2)
        raise AssertionError((self.folder / "serve.log").read_text()[-2000:])

    def node(self, name: str, folder: Path, *more: str) -> None:
        """Start a device's node, behind the tap."""
        vault = Vault(held(folder, self.plan.study))
        address = f"{vault.get_json('grant')['base']}/study/{self.plan.study}"
        vault.close()
        self.start(name, [
            "join", "--study", address, "--device-dir", str(folder),
            "--server", f"127.0.0.1:{self.tap.port}", *more,
        ])  # fmt: skip

    def steps(self, count: int, wait_s: float = 240.0) -> dict[str, Any]:
        """Return what came of the run once so many steps are done."""
        out, until = self.folder / "out.json", time.monotonic() + wait_s
        while time.monotonic() < until:
            with contextlib.suppress(FileNotFoundError, ValueError):
                found: dict[str, Any] = json.loads(out.read_text())
                if len(found["steps"]) >= count:
                    return found
            threading.Event().wait(0.3)
        logs = {p.name: p.read_text()[-1500:] for p in self.folder.glob("*.log")}
        raise AssertionError(logs)

    def kill(self, name: str) -> None:
        """End a device's processes as a power cut would."""
        os.killpg(self.processes[name].pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with new_store(tmp_path_factory.mktemp("together")) as opened:
        yield opened


@pytest.fixture(scope="module")
def events() -> list[Any]:
    return recorded(0, 0.5)


@pytest.fixture
def own(store: Store, events: list[Any], tmp_path: Path) -> Iterator[Own]:
    made = device(tmp_path / "device", store, events)
    yield made
    made.close()


FIXTURES = (events, own, store)
