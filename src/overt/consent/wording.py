"""The words of notices: those that come with Overt, and those that a study brings.

English and German lie in `words/` as data. A study may bring any other language, or its own words
for these, as tables `[words.LANGUAGE]` in its `study.toml`: `overt study words` prints the English
ones to translate. Whoever answers for a translation states their name in `signed_off`. It must say
everything that the English does, with the same things filled in; else the study is refused. What
mirror and outbox call an event may be left out as a whole: it then is English.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from overt.schema.study import LANGUAGES, Study
from overt.schema.tables import bad

DIRECTIONS = ("ltr", "rtl")
"""Which way a language is written."""

SHORT_CHARS_MAX = 80
"""Of the words on the indicator, which must fit on a phone."""

_FILLED = re.compile(r"\{(\w+)\}")


@cache
def shipped(language: str) -> dict[str, Any]:
    """Return the words that come with Overt in one of `LANGUAGES`."""
    path = files("overt.consent").joinpath("words", f"{language}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def wording(study: Study, language: str) -> dict[str, Any]:
    """Return the words of a study's notice: its own, or those that come with Overt."""
    own = study.words.get(language)
    return dict(own) if own is not None else shipped(language)


def check(study: Study) -> None:
    """Raise `InvalidInput`, naming the key, if words that a study brings are not whole."""
    for language in study.notice:
        if language not in study.words and language not in LANGUAGES:
            raise bad(
                "has no words",
                f"notice.{language}",
                f"Add [words.{language}]; `overt study words {language}` prints what to translate.",
            )
    for language, words in study.words.items():
        where = f"words.{language}"
        wanted = dict(_leaves(shipped("en")))
        given = dict(_leaves({k: v for k, v in words.items() if k != "signed_off"}))
        for key in wanted.keys() - given.keys():
            if key.startswith("events.") and "events" not in words:
                continue
            raise bad("is missing", f"{where}.{key}", "Translate it; nothing may be left out.")
        for key in given.keys() - wanted.keys():
            raise bad("is not a key of the words", f"{where}.{key}")
        for key, text in given.items():
            _check_text(f"{where}.{key}", text, wanted[key])
        if words["direction"] not in DIRECTIONS:
            raise bad(f"must be one of: {', '.join(DIRECTIONS)}", f"{where}.direction")


def _check_text(where: str, text: str, english: str) -> None:
    if not text.strip():
        raise bad("must be text", where)
    if set(_FILLED.findall(text)) != set(_FILLED.findall(english)):
        names = ", ".join(sorted(set(_FILLED.findall(english)))) or "nothing"
        raise bad("does not fill in what the English does", where, f"It fills in: {names}.")
    if ".indicator." in where and len(text) > SHORT_CHARS_MAX:
        raise bad(f"must be at most {SHORT_CHARS_MAX} characters", where)


def _leaves(words: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text by its path; a list of sentences is one text, in however many."""
    for name, value in words.items():
        at = f"{path}.{name}" if path else name
        if isinstance(value, dict):
            yield from _leaves(value, at)
        elif isinstance(value, list):
            yield at, "\n".join(map(str, value))
        else:
            yield at, str(value)


def to_translate(language: str) -> str:
    """Return the English words as tables `[words.LANGUAGE]` of a `study.toml`."""
    head = [
        f"# The words of the notice in {language}. Translate what stands in quotes; leave",
        "# {braces} as they are. Have the easy words read by people they are meant for.",
        f"[words.{language}]",
        'signed_off = ""  # who answers for this translation, and of which day it is',
    ]
    return "\n".join([*head, *_lines(shipped("en"), f"words.{language}")]) + "\n"


def _lines(table: dict[str, Any], path: str) -> Iterator[str]:
    for name, value in table.items():
        if not isinstance(value, dict):
            yield f"{_key(name)} = {json.dumps(value, ensure_ascii=False)}"
    for name, value in table.items():
        if isinstance(value, dict):
            at = f"{path}.{_key(name)}"
            if any(not isinstance(one, dict) for one in value.values()):
                yield f"\n[{at}]"
            yield from _lines(value, at)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)
