"""Longer texts by one writer each, with words of their own.

Text files (`*.txt`, one writer a file) where there are some. Else what documents the modules of the
Python that runs this, which is there wherever this is: each module has words of its own, and
nothing has to be fetched. That is prose of programmers, not typing of people.
"""

from __future__ import annotations

import ast
import re
import sys
import sysconfig
from pathlib import Path

from overt.datasets.reading import files
from overt.models.text.alphabet import fold
from overt.models.text.vocabulary import words_of
from overt.schema.errors import OvertError

WRITERS_MAX = 24
BYTES_MAX = 1 << 19
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_CODE = re.compile(r"^\s*(>>>|\.\.\.|[-=+*|#]{2,}|:\w+:)")


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, folded; paragraphs end sentences too."""
    parts = re.split(r"\n\s*\n", text)
    whole = [" ".join(fold(part).split()) for part in parts]
    return [one for part in whole for one in _SENTENCE.split(part) if any(words_of(one))]


def read(path: Path, words_min: int) -> dict[str, list[str]]:
    """Return the sentences of each text file in `path` that has enough words; none if none has."""
    found: dict[str, list[str]] = {}
    try:
        for file in files.named(
            path, "*.txt", only=lambda name: not name.endswith("_keystrokes.txt")
        ):
            _add(found, file.path, file.data.decode("utf-8", "replace"), words_min)
    except OvertError:
        return {}
    return found


def of_this_python(words_min: int) -> dict[str, list[str]]:
    """Return the sentences of modules and packages that have enough words, by name."""
    library = Path(sysconfig.get_path("stdlib"))
    names = [name for name in sorted(sys.stdlib_module_names) if not name.startswith("_")]
    found: dict[str, list[str]] = {}
    for name in names:
        sources = [library / f"{name}.py", *sorted((library / name).glob("*.py"))]
        texts = [
            documented(file.read_text("utf-8", "replace"))
            for file in sources
            if file.is_file() and file.stat().st_size < BYTES_MAX
        ]
        if sum(map(len, texts)) > words_min and len(found) < WRITERS_MAX:
            _add(found, name, "\n\n".join(texts), words_min)
    return found


def _add(found: dict[str, list[str]], name: str, text: str, words_min: int) -> None:
    made = sentences(text)
    if sum(1 for one in made for _ in words_of(one)) >= words_min:
        found[name] = made


def documented(source: str) -> str:
    r"""Return the prose of all docstrings in a Python source, without examples.

    >>> documented('def f():\n    "Say it."')
    'Say it.'
    """
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    said = [
        ast.get_docstring(node) or ""
        for node in ast.walk(ast.parse(source))
        if isinstance(node, kinds)
    ]
    lines = [line for text in said if text for line in [*text.splitlines(), ""]]
    return "\n".join(line for line in lines if not _CODE.match(line)).strip()
