"""The server's processes: Flower's SuperLink with our course in it, and what came of the course.

Flower's one port takes devices and runs alike, and would execute the app of whoever reaches it.
Here it runs our course whatever app it is sent, and that once (`server.main`).
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from overt.federated.certificates import Secured
from overt.federated.plan import Plan
from overt.federated.server import FIRST, OUT, PLAN, WAIT
from overt.schema.environment import keyless
from overt.schema.errors import InvalidInput, Missing, Refused

LOOPBACK = ("127.0.0.1", "::1", "localhost")
START_S = 60.0
"""So long Flower may take to listen."""


def program(name: str) -> str:
    """Return the path of one of Flower's programs. Raises `Missing` where it is not installed."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise Missing(
            "Flower is not installed beside this Overt",
            where=name,
            do="make federated, then .venv-federated/bin/python -m overt together …",
        )
    return str(path)


def flower_environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment in which Flower finds our programs first, and reports to nobody."""
    home.mkdir(parents=True, exist_ok=True)
    beside = str(Path(sys.executable).parent)
    own = {
        "PATH": os.pathsep.join([str(home), beside, os.environ.get("PATH", "")]),
        "FLWR_HOME": str(home / "flwr"),
        "FLWR_TELEMETRY_ENABLED": "0",
    }
    return keyless(**own, **more)


def stand_in(home: Path, name: str, module: str) -> None:
    """Put a program of ours where Flower looks for its own."""
    home.mkdir(parents=True, exist_ok=True)
    shim = home / name
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m {module} "$@"\n')
    shim.chmod(0o700)


def command(host: str, port: int, secured: Secured | None) -> list[str]:
    """Return the command of a SuperLink. Raises `Refused` for cleartext beyond this machine."""
    asked = ["--host", host, "--port", str(port), "--disable-runtime-dependency-installation"]
    if secured is not None:
        secured.check()
        asked += ["--ssl-ca-certfile", str(secured.authority)]
        asked += ["--ssl-certfile", str(secured.certificate), "--ssl-keyfile", str(secured.key)]
    elif host in LOOPBACK:
        asked += ["--insecure"]
    else:
        raise Refused(
            "would speak to other machines without encryption",
            where="--host",
            do="overt together certificates, then --certificates FOLDER.",
        )
    return [program("flower-superlink"), *asked]


class Link:
    """A SuperLink with one course. Everything it started ends with it."""

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        host: str,
        port: int,
        secured: Secured | None = None,
        wait_s: float = 120.0,
        first: int = 0,
    ) -> None:
        """Check everything, start nothing.

        `folder` is for Flower's own files; `wait_s` is how long a step waits for devices and for
        answers; with fewer devices than `first` the course does not begin before that.
        """
        plan.check()
        self._plan, self._folder, self._secured = plan, folder, secured
        self._command = command(host, port, secured)
        own = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - compared, not bound
        self._host, self._port, self._wait_s, self._first = own, port, wait_s, first
        self._started = contextlib.ExitStack()

    def __enter__(self) -> Link:
        """Start the SuperLink, and the course in it."""
        folder = self._folder
        stand_in(folder, "flwr-serverapp", "overt.federated.server")
        (folder / "plan.json").write_text(self._plan.to_json(), "utf-8")
        with contextlib.suppress(FileNotFoundError):
            (folder / "out.json").unlink()
        self._environment = flower_environment(
            folder,
            **{
                PLAN: str(folder / "plan.json"),
                OUT: str(folder / "out.json"),
                WAIT: str(self._wait_s),
                FIRST: str(self._first),
            },
        )
        try:
            self._superlink = self._start("superlink", self._command)
            self._listening()
            self._begin()
        except BaseException:
            self._started.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End what was started."""
        self._started.close()

    def _start(self, name: str, asked: list[str]) -> subprocess.Popen[bytes]:
        log = self._started.enter_context((self._folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(asked, stdout=log, stderr=log, env=self._environment)
        self._started.callback(_end, process)
        return process

    def _listening(self) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until and self._superlink.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection((self._host, self._port)):
                return
            time.sleep(0.2)
        raise Missing(
            "Flower's server did not start",
            where=str(self._folder / "superlink.log"),
            do="Read it; is the port taken?",
        )

    def _begin(self) -> None:
        home = self._folder / "flwr"
        home.mkdir(exist_ok=True)
        place = f"[{self._host}]" if ":" in self._host else self._host
        lines = ['[superlink]\ndefault = "here"\n[superlink.here]']
        lines.append(f"address = {json.dumps(f'{place}:{self._port}')}")
        if self._secured is None:
            lines.append("insecure = true")
        else:
            lines.append(
                f"root-certificates = {json.dumps(str(self._secured.authority.resolve()))}"
            )
        (home / "config.toml").write_text("\n".join(lines) + "\n", "utf-8")
        app = Path(__file__).with_name("app")
        begun = self._start("run", [program("flwr"), "run", str(app), "here"])
        if begun.wait() != 0:
            raise Missing(
                "Flower did not take the course", where=str(self._folder / "run.log"), do="Read it."
            )

    def steps(self) -> Iterator[dict[str, Any]]:
        """Yield what has come of the course, after each step, until it is done.

        Raises `InvalidInput` where the course broke off, `Missing` where Flower did.
        """
        out, seen = self._folder / "out.json", 0
        while seen < self._plan.steps:
            time.sleep(0.2)
            found: dict[str, Any] = json.loads(out.read_text("utf-8")) if out.exists() else {}
            if "failed" in found:
                raise InvalidInput(f"broke off: {found['failed']}", where="course")
            if len(found.get("steps", ())) > seen:
                seen = len(found["steps"])
                yield found
            elif self._superlink.poll() is not None:
                raise Missing("Flower's server ended", where=str(self._folder / "superlink.log"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process, first as it likes."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
