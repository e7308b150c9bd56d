"""The words of the person's page in their language, as data in `words/`."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any

from overt.consent.wording import shipped
from overt.schema.errors import OvertError
from overt.schema.purpose import REGISTRY
from overt.schema.study import LANGUAGES


@cache
def page_words(language: str) -> dict[str, Any]:
    """Return the words of a language, English where there are none in it."""
    known = language if language in LANGUAGES else LANGUAGES[0]
    text = files("overt.device").joinpath("words", f"{known}.toml").read_text(encoding="utf-8")
    return {**tomllib.loads(text), "language": known}


def preferred(languages: str) -> str:
    """Return the first language of an `Accept-Language` that there are words in, else English.

    >>> preferred("fr-FR,fr;q=0.9,de-AT;q=0.8,en;q=0.7"), preferred("")
    ('de', 'en')
    """
    asked = [one.strip()[:2].lower() for one in languages.split(",")]
    return next((one for one in asked if one in LANGUAGES), LANGUAGES[0])


def here() -> str:
    """Return the language of the session that this program was started in."""
    told = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return preferred(next((one for one in told if one), ""))


@cache
def _errors(language: str) -> dict[str, str]:
    """Return what errors say → the same in a language; nothing for English."""
    place = files("overt.device").joinpath("words", f"errors.{language}.toml")
    return tomllib.loads(place.read_text(encoding="utf-8")) if place.is_file() else {}


@contextmanager
def in_own_words() -> Iterator[None]:
    """Say what stops a program in the language of the session, as far as there are words for it."""
    try:
        yield
    except OvertError as error:
        known = _errors(here())
        what, do = (known.get(text, text) for text in (error.what, error.do))
        raise type(error)(what, where=error.where, do=do) from error


class Words:
    """Texts and figures as one language writes them."""

    def __init__(self, language: str) -> None:
        self._words = page_words(language)
        self.language = str(self._words["language"])

    def __call__(self, place: str, **filled: Any) -> str:
        """Return a text by its place, such as `page.title`, with what is filled in."""
        table, _, name = place.partition(".")
        return str(self._words[table][name]).format(**filled)

    def table(self, name: str) -> dict[str, str]:
        """Return all texts of a place, for a script that fills them in itself."""
        return {key: str(text) for key, text in self._words[name].items()}

    def number(self, value: float, places: int = 0) -> str:
        """Return a figure with so many decimal places.

        >>> Words("de").number(1234.5, 1), Words("en").number(1234.5, 1)
        ('1.234,5', '1,234.5')
        """
        marks = str.maketrans({",": self._words["thousands"], ".": self._words["decimal"]})
        return f"{value:,.{places}f}".translate(marks)

    def counted(self, group: str, count: int) -> str:
        """Return a count of something, such as `1 key` or `1,200 keys`."""
        one, many = self._words["groups"][group]
        return str(one if count == 1 else many).format(n=self.number(count))

    def purpose(self, name: str) -> str:
        """Return what the notice calls a purpose."""
        return str(shipped(self.language)["purposes"][name]["title"]) if name in REGISTRY else name
