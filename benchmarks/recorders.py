"""Other recorders in the browser, as npm delivers them: what we measure Overt beside.

Pinned in `peers/package.json`, installed under `build/bench`, served to the page by `pages.py`;
none is part of Overt. rrweb and clarity-js are under the MIT licence, posthog-js under Apache-2.0
and MIT.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
INSTALLED = ROOT / "build" / "bench"
FILES = {
    "rrweb": "@rrweb/record/umd/record.min.js",
    "posthog-js": "posthog-js/dist/array.no-external.js",
    "posthog-recorder": "posthog-js/dist/posthog-recorder.js",
    "clarity-js": "clarity-js/build/clarity.min.js",
}


def scripts() -> dict[str, bytes]:
    """Return the scripts by name; without those, and with a word why, that npm cannot get."""
    wanted = (ROOT / "benchmarks" / "peers" / "package-lock.json").read_bytes()
    stated = INSTALLED / "package-lock.json"
    modules = INSTALLED / "node_modules"
    if not (modules.exists() and stated.exists() and stated.read_bytes() == wanted):
        INSTALLED.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / "benchmarks" / "peers" / name, INSTALLED / name)
        quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"]
        install = ["npm", "--prefix", INSTALLED, "ci", *quiet]
        node = [sys.executable, ROOT / "tools" / "node.py", *install]
        if subprocess.run(node, check=False, capture_output=True, timeout=240).returncode != 0:
            print("other recorders are left out: npm could not get them", file=sys.stderr)
            stated.unlink(missing_ok=True)
            return {}
    return {name: (modules / path).read_bytes() for name, path in FILES.items()}
