"""Run every benchmark of this folder, one after the other: `make bench`.

Each is a script of its own that prints what it compared; run one alone to pass it options, as in
`python benchmarks/collector.py --json`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARKS = ("collector", "features")


def main() -> int:
    """Return the first exit status that is not 0, after running them all."""
    status = 0
    for script in (Path(__file__).parent / f"{name}.py" for name in BENCHMARKS):
        print(f"\n== {script.stem}", flush=True)
        status = subprocess.run([sys.executable, script], check=False).returncode or status
    return status


if __name__ == "__main__":
    sys.exit(main())
