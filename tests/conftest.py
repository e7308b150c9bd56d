"""The longest files first, so that none is left over at the end with three processes idle."""

from __future__ import annotations

import pytest

LONGEST = (
    "test_path_five_minutes.py",
    "test_erasure_resume.py",
    "test_cli_commands.py",
    "test_gateway_card.py",
)
"""One for each process of `make test`; with `--dist loadfile` a file stays in one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)
