"""A device's Flower node, which runs the device's own code only, and speaks in the clear to nobody.

Beyond this machine it speaks TLS: with the authority that the deployer gave the person, or where
there is none with those of the system.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from overt.federated.link import LOOPBACK, flower_environment, program, stand_in
from overt.federated.task import DEVICE
from overt.schema.errors import InvalidInput, Missing

STANDING_S = 20.0
"""So often it is asked whether the person still takes part: they may have left elsewhere."""


def command(superlink: str, port: int, authority: Path | None = None) -> list[str]:
    """Return the command of a node for a server's `host:port`; `port` is the node's own, here."""
    host, _, served = superlink.rpartition(":")
    if not host or not served.isdecimal():
        raise InvalidInput(
            "is no host:port", where="--server", do="Such as learn.example.org:9092."
        )
    asked = ["--superlink", superlink, "--host", "127.0.0.1", "--port", str(port)]
    if authority is not None:
        if not authority.is_file():
            raise Missing("is not there", where=str(authority), do="Ask whoever runs the study.")
        asked += ["--root-certificates", str(authority)]
    elif host.strip("[]") in LOOPBACK:
        asked += ["--insecure"]
    return [program("flower-supernode"), *asked]


def run(
    device: Path,
    superlink: str,
    port: int,
    still: Callable[[], bool],
    authority: Path | None = None,
) -> int:
    """Run a node over a device's vault until it is ended; returns its status.

    It is ended where `still`, asked now and then, says that the person takes part no more.
    """
    with tempfile.TemporaryDirectory(prefix="overt-node-") as made:
        home = Path(made)
        asked = command(superlink, port, authority)
        stand_in(home, "flwr-clientapp", "overt.federated.task")
        told = {DEVICE: str(device)}
        with subprocess.Popen(asked, env=flower_environment(home, **told)) as node:
            try:
                while still():
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        return node.wait(STANDING_S)
                return 0
            finally:
                node.terminate()
