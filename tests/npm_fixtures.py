"""Node and npm as the repository has them, and packages of others for the long tests."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def tool(*arguments: str | Path, cwd: Path = ROOT) -> str:
    node = [sys.executable, str(ROOT / "tools" / "node.py"), *map(str, arguments)]
    done = subprocess.run(node, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def installed(folder: Path, *packages: str | Path) -> None:
    """Install packages into a folder with a `package.json`; none of their scripts runs."""
    try:
        socket.create_connection(("registry.npmjs.org", 443), 5).close()
    except OSError:
        pytest.skip("npm's registry is out of reach")
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts"]
    tool("npm", "install", *quiet, *packages, cwd=folder)
