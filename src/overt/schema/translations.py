"""Words that a study brings for its notice, in a language of its own or in place of ours.

Only their frame is looked at here; that they say everything is `overt.consent.wording`'s affair.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from overt.schema.tables import bad, text

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
LANGUAGES_MAX = 12


def translations(tables: Any) -> Mapping[str, Mapping[str, Any]]:
    """Return language → words, as `[words.LANGUAGE]` states them, each signed off by somebody."""
    if not isinstance(tables, dict) or len(tables) > LANGUAGES_MAX:
        raise bad(f"must be tables, at most {LANGUAGES_MAX}", "words", "Write each as [words.fr].")
    for language, words in tables.items():
        where = f"words.{language}"
        check_tag(language, where)
        if not isinstance(words, dict):
            raise bad("must be a table", where)
        if not isinstance(words.get("signed_off"), str) or not words["signed_off"].strip():
            raise bad(
                "is missing",
                f"{where}.signed_off",
                "Say who answers for this translation, and of which day it is.",
            )
        text(words, "signed_off", f"{where}.")
        _only_texts(words, where)
    return tables


def check_tag(language: str, where: str = "language") -> None:
    """Raise for what is no language tag."""
    if not _LANGUAGE.fullmatch(language):
        raise bad("is not a language tag", where, "Such as fr, ar or pt-BR.")


def _only_texts(words: Mapping[str, Any], path: str) -> None:
    for name, value in words.items():
        where = f"{path}.{name}"
        if isinstance(value, dict):
            _only_texts(value, where)
            continue
        listed = (
            {f"{name}[{k}]": part for k, part in enumerate(value)}
            if (isinstance(value, list))
            else {name: value}
        )
        for key in listed:
            text(listed, key, f"{path}.")
