"""The benchmarks run, compare like with like, and the docs' table comes from their output."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from overt.schema import batch as batches

FOLDER = Path(__file__).parents[1] / "benchmarks"


def loaded(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_collectors_are_sent_the_same_events() -> None:
    traffic = loaded("traffic")
    record = traffic.mixed(50)[0]
    head = traffic.header("0" * 32, "1" * 32, 3, 50)
    header, rows = batches.decode(batches.inflate(traffic.wire(head, record)))
    theirs = json.loads(traffic.rows_of_json(head, record))
    ours = batches.to_events(header, rows).to_pylist()
    filled = [{**dict.fromkeys(ours[0], 0), **event} for event in theirs["events"]]
    assert filled == ours
    assert (theirs["session"], theirs["batch"]) == (header.session, header.batch)


def test_the_comparison_of_collectors_answers_in_one_line_of_json() -> None:
    pytest.importorskip("fastapi")
    command = [sys.executable, "collector.py", "--batches", "1", "--rows", "20", "--quick"]
    done = subprocess.run(
        [*command, "--rounds", "1", "--json"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    for side in ("overt", "fastapi"):
        assert found["plain"][side]["events_per_s"] > 0
        assert "syncs_per_batch" in found["plain"][side]
    assert shutil.which("cc") is None or found["plain"]["overt"]["syncs_per_batch"] > 0
    assert shutil.which("cc") is None or found["plain"]["fastapi"]["syncs_per_batch"] > 0
    rows = loaded("__main__").collector_rows(found)
    assert len(rows) >= 3


def test_only_what_is_between_the_markers_changes() -> None:
    main = loaded("__main__")
    text = f"before\n{main.BEGIN}\nold\n{main.END}\nafter\n"
    once = main.replaced(text, "new")
    assert once == f"before\n{main.BEGIN}\nnew\n{main.END}\nafter\n"
    assert main.replaced(once, "new") == once
    with pytest.raises(SystemExit):
        main.replaced("no markers", "new")
