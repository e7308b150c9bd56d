"""How the tests share two cores: the longest files first, and one thread to each library."""

from __future__ import annotations

import gc
import os

import pytest

import ready

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    # Threads of several processes on two cores spend their time waiting for each other.
    os.environ.setdefault(name, "1")

gc.disable()  # until all is collected: what is loaded stays, and is long to look through

LONGEST = (
    "test_path_five_minutes.py",
    "test_erasure_resume.py",
    "test_cli_commands.py",
    "test_models_elements.py",
)
"""One for each process of `make test`; with `--dist loadfile` a file stays in one."""

WAITING = ("test_sdk_", "test_path_", "test_studio_", "test_extension", "test_desktop_")
"""Files whose tests wait for a browser or a desktop more than they compute."""


def _order(files: list[str]) -> dict[str, int]:
    """Return the place of each file: the longest first, then those that wait among the others."""
    rest = [file for file in files if file not in LONGEST]
    groups = (
        [file for file in rest if file.startswith(WAITING)],
        [file for file in rest if not file.startswith(WAITING)],
    )
    share = {file: at / len(group) for group in groups for at, file in enumerate(group)}
    ordered = [*(file for file in LONGEST if file in files), *sorted(rest, key=share.__getitem__)]
    return {file: at for at, file in enumerate(ordered)}


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("numprocesses", None):
        ready.place()  # one for all processes of this run


def pytest_collection_finish() -> None:
    gc.freeze()  # a third of a core second less for each later collection of rubbish
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = _order(list(dict.fromkeys(item.path.name for item in items)))
    items.sort(key=lambda item: place[item.path.name])
