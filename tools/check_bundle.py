"""Prove that the committed browser bundles are what their sources build, byte for byte.

With them goes `integrity.json`: the hash of the SDK that other sites state when they load it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "src" / "overt" / "studio" / "static"


def main() -> int:
    """Build into a temporary folder and compare; return 1 and name each bundle that differs."""
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "tools/node.py", "node", "sdk/build.mjs", folder]
        subprocess.run(build, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        built = _made(Path(folder))
    committed = _made(STATIC)
    wrong = sorted(
        name for name in built.keys() | committed.keys() if built.get(name) != committed.get(name)
    )
    for name in wrong:
        print(f"static/{name} is not what its sources build. Run `make sdk` and commit it.")
    if not built:
        print("the SDK build made no bundle")
    return 1 if wrong or not built else 0


def _made(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.js*")}


if __name__ == "__main__":
    sys.exit(main())
