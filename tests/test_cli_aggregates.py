"""Commands show figures of at least ten people, whatever stands beside the few there are."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway_fixtures import STUDY, join, new_store, sessions, upload
from overt.store.store import Store
from test_cli_commands import overt

COMMANDS = (
    ("features", "--study", STUDY, "--json"),
    ("audit", "linkage", "--study", STUDY, "--level", "rhythm", "--keys", "10", "--json"),
)


def _told(root: Path, command: tuple[str, ...]) -> Any:
    done = overt(*command, data=root)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("command", COMMANDS, ids=["features", "linkage"])
def test_a_few_living_people_cannot_be_found_by_subtracting_synthetic_ones(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    root = tmp_path / "data"
    new_store(root, people=11).close()
    without = _told(root, command)
    with Store.open(root) as store:
        for seed in (98, 99):
            _, person = join(store)
            upload(store, person, sessions(seed))
    beside = _told(root, command)
    assert beside.pop("left_out") == (["live"] if command[0] == "features" else [])
    assert without.pop("left_out") == []
    assert beside == without
