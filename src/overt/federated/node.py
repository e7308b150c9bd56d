"""`python -m overt.federated.node`: a device's Flower node, which runs the device's own code only.

Arguments: folder of the vault, address of the server's SuperLink, port of the node's own interface
on this machine. Without TLS it speaks to loopback only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from overt.federated.task import DEVICE
from overt.schema.errors import Refused

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def command(superlink: str, port: int) -> list[str]:
    """Return the command of a node. Raises `Refused` for an address beyond this machine."""
    if superlink.rpartition(":")[0].strip("[]") not in LOOPBACK:
        raise Refused("is not on this machine, and there is no TLS here yet", where="superlink")
    flower = Path(sys.executable).with_name("flower-supernode")
    return [
        str(flower), "--insecure", "--superlink", superlink,
        "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip


def environment(device: Path, shims: Path) -> dict[str, str]:
    """Return the environment in which Flower finds our `flwr-clientapp`, and reports to nobody."""
    shim = shims / "flwr-clientapp"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m overt.federated.task "$@"\n')
    shim.chmod(0o700)
    beside = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(shims), beside, os.environ.get("PATH", "")]),
        "FLWR_HOME": str(shims / "flwr"),
        "FLWR_TELEMETRY_ENABLED": "0",
        DEVICE: str(device),
    }


def main() -> int:
    """Run the node until it is ended."""
    device, superlink, port = sys.argv[1:4]
    with tempfile.TemporaryDirectory(prefix="overt-node-") as shims:
        asked = command(superlink, int(port))
        with subprocess.Popen(asked, env=environment(Path(device), Path(shims))) as node:
            try:
                return node.wait()
            finally:
                node.terminate()


if __name__ == "__main__":
    sys.exit(main())
