"""What docstrings show is so: every example in them is carried out."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "src"
SLOW = "overt.models.typos.spaces"
"""Reads all words there are, for three seconds."""


def _with_examples() -> list[object]:
    found: list[object] = []
    for path in sorted((SOURCES / "overt").rglob("*.py")):
        if ">>> " in path.read_text("utf-8"):
            name = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
            name = name.removesuffix(".__init__")
            found.append(pytest.param(name, marks=pytest.mark.soak if name == SLOW else ()))
    return found


@pytest.mark.parametrize("module", _with_examples())
def test_examples_are_so(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0
