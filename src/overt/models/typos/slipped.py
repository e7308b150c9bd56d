"""Slips of the hand and right words, out of a table of first attempts at words of given sentences.

Columns read: `participant`, `section`, `word_index`, `typed`, `intended`, `typed_left`,
`prompt_left`, `left_by`, `slip_type`, and `intended_chars`: without it, what was begun anew is
not known to have been whole, and is left out.
A row whose left context was typed as asked also shows right words: what stands there as it should.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from overt.datasets.reading import files
from overt.models.typos.evidence import Asked
from overt.schema.errors import InvalidInput

KINDS = ("substitution", "insertion", "omission", "transposition", "multiple")
"""Slip types of letters within one word; case, punctuation and spaces are not scored."""

_COLUMNS = (
    "participant",
    "section",
    "typed",
    "intended",
    "typed_left",
    "prompt_left",
    "left_by",
    "slip_type",
)
_EDGE = re.compile(r"^[^\w]+|[^\w]+$")
_ENDS_SENTENCE = (".", "!", "?")


def plain(token: str) -> str:
    """Return a token in lower case without punctuation around it.

    >>> plain("“Don't!”")
    "don't"
    """
    return _EDGE.sub("", token.replace("’", "'")).lower()


@dataclass(frozen=True)
class Attempt:
    """One token as it stood when it was left, and the word that was asked for."""

    person: str
    group: int
    """By the first word of the sentence: equal sentences are in one group."""
    asked: Asked
    meant: str
    kind: str
    """One of `KINDS`, or "" where the word was right."""
    left: bool = True
    """Left as a whole word; else it was begun anew with backspace."""
    section: str = ""
    at: int = 0
    """Which token of which sentence it was, from 0."""
    so_far: str = field(default="", repr=False)
    """All of the sentence before it as it stood, plain words with spaces between."""


@dataclass(frozen=True)
class Attempts:
    """All of one table."""

    slips: tuple[Attempt, ...]
    right: tuple[Attempt, ...]
    sentences: dict[int, tuple[tuple[str, tuple[str, ...]], ...]]
    """Sentences asked for, by group: (person, words), lower case."""


def asked(token: str, left: Iterable[str]) -> Asked:
    """Return what a corrector is asked about `token` after the tokens to its `left`."""
    tokens = tuple(left)
    begins = not tokens or tokens[-1].endswith(_ENDS_SENTENCE)
    return Asked(
        plain(token),
        before="" if begins else plain(tokens[-1]),
        capital=token[:1].isupper() and not begins,
        in_context=True,
    )


def running(tokens: Iterable[str]) -> str:
    """Return tokens as plain words in a row.

    >>> running(["“We", "went,", "-"])
    'we went'
    """
    return " ".join(filter(None, map(plain, tokens)))


def group_of(first_word: str, groups: int) -> int:
    """Return the group of sentences that begin with a word."""
    digest = hashlib.sha256(plain(first_word).encode()).digest()
    return int.from_bytes(digest[:8], "big") % groups


def read(path: Path, groups: int) -> Attempts:
    """Read every `.parquet` in `path` that has the columns; sentences fall into `groups`."""
    rows: dict[str, dict[str, Any]] = {}
    nearest, lacking = "", list(_COLUMNS)
    for file in files.named(path, "*.parquet"):
        found, missing = _rows(file)
        rows |= {repr(sorted(row.items())): row for row in found}  # a copy is no second slip
        if len(missing) < len(lacking):
            nearest, lacking = file.path, missing
    if lacking:
        raise InvalidInput(
            f"has no column {', '.join(lacking)}" if nearest else "holds no table of slips",
            where=nearest or str(path),
            do=f"A Parquet file with the columns {', '.join(_COLUMNS)} is needed.",
        )
    return _attempts(list(rows.values()), groups)


def _rows(file: files.Found) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows of a table of slips, or none and which of its columns are missing."""
    try:
        opened = parquet.ParquetFile(io.BytesIO(file.data))
        names = opened.schema_arrow.names
        missing = [name for name in _COLUMNS if name not in names]
        columns = [name for name in (*_COLUMNS, "intended_chars") if name in names]
        return ([], missing) if missing else (opened.read(columns).to_pylist(), [])
    except (pa.ArrowException, OSError):
        return [], list(_COLUMNS)


def _attempts(rows: list[dict[str, Any]], groups: int) -> Attempts:
    slips: list[Attempt] = []
    right: dict[tuple[str, str, int], Attempt] = {}
    sentences: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        typed, meant = str(row["typed"] or ""), str(row["intended"] or "")
        typed_left = str(row["typed_left"] or "").split()
        prompt_left = str(row["prompt_left"] or "").split()
        prompt = [*prompt_left, meant]
        person, section = str(row["participant"]), str(row["section"])
        group = group_of(prompt[0], groups)
        known = sentences.setdefault((person, section), prompt)
        if len(prompt) > len(known):
            sentences[person, section] = prompt
        if len(typed_left) == len(prompt_left):
            for at, (one, other) in enumerate(zip(typed_left, prompt_left, strict=True)):
                if one == other and plain(one):
                    word = Attempt(
                        person,
                        group,
                        asked(one, typed_left[:at]),
                        plain(one),
                        "",
                        section=section,
                        at=at,
                        so_far=running(typed_left[:at]),
                    )
                    right.setdefault((person, section, at), word)
        left = row["left_by"] == "left"
        whole = left or row.get("intended_chars") == len(meant)
        if row["slip_type"] in KINDS and whole and plain(typed) and plain(typed) != plain(meant):
            slips.append(
                Attempt(
                    person,
                    group,
                    asked(typed, typed_left),
                    plain(meant),
                    str(row["slip_type"]),
                    left=left,
                    section=section,
                    at=len(typed_left),
                    so_far=running(typed_left),
                )
            )
    return Attempts(tuple(slips), tuple(right.values()), _by_group(sentences, groups))


def _by_group(
    sentences: dict[tuple[str, str], list[str]], groups: int
) -> dict[int, tuple[tuple[str, tuple[str, ...]], ...]]:
    by_group: dict[int, list[tuple[str, tuple[str, ...]]]] = {}
    for (person, _), prompt in sentences.items():
        words = tuple(filter(None, map(plain, prompt)))
        by_group.setdefault(group_of(prompt[0], groups), []).append((person, words))
    return {group: tuple(found) for group, found in by_group.items()}


def longest(sentences: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return each sentence once, without those that are the beginning of another.

    >>> longest([("we", "go"), ("we",), ("we", "go"), ("he",)])
    [('he',), ('we', 'go')]
    """
    kept: list[tuple[str, ...]] = []
    for sentence in sorted(set(sentences)):
        if kept and sentence[: len(kept[-1])] == kept[-1]:
            kept[-1] = sentence
        else:
            kept.append(sentence)
    return kept
