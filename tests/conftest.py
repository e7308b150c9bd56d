"""How the tests share two cores: the longest files first, and one thread to each library."""

from __future__ import annotations

import os

import pytest

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    # Threads of several processes on two cores spend their time waiting for each other.
    os.environ.setdefault(name, "1")

LONGEST = (
    "test_path_five_minutes.py",
    "test_erasure_resume.py",
    "test_cli_commands.py",
    "test_gateway_card.py",
)
"""One for each process of `make test`; with `--dist loadfile` a file stays in one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)
