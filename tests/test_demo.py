"""The whole loop, as a newcomer sees it: one command, every promise it can check.

`make soak` runs it whole; what it drives is in `test_path_five_minutes` at every run.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from overt.commands import chromium

FIELDS = {
    "events_produced",
    "events_acknowledged",
    "events_stored",
    "model",
    "linkage",
    "erased",
    "bytes_found_after_erasure",
    "model_equals_never_seen",
    "log_verified",
}


@pytest.mark.soak
@pytest.mark.skipif(chromium.find() is None, reason="there is no Chromium on PATH")
def test_the_demo_holds_every_promise(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    command = [
        sys.executable,
        "-P",
        "-m",
        "overt",
        "demo",
        "--json",
        "--people",
        "12",
        "--epochs",
        "2",
    ]
    done = subprocess.run([*command, "--html", str(report)], capture_output=True, text=True)
    told = json.loads(done.stdout)
    broken = [promise["promise"] for promise in told["promises"] if not promise["held"]]
    assert (broken, done.returncode) == ([], 0), done.stderr
    assert told.keys() >= FIELDS
    assert told["events_produced"] == told["events_acknowledged"] == told["events_stored"] > 500
    assert told["bytes_found_after_erasure"] == 0
    assert told["model_equals_never_seen"] is True
    assert told["log_verified"] is True
    assert told["linkage"].keys() == {"raw", "rhythm"}
    assert told["model"]["baselines"].keys() >= {"Markov-2", "digraph", "most frequent"}
    page = report.read_text(encoding="utf-8")
    assert "Every promise held." in page
    assert "synthetic" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_chromium_is_looked_for_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert chromium.find() is None
    fake = tmp_path / "chromium-browser"
    shutil.copy(sys.executable, fake)
    assert chromium.find() == str(fake)
