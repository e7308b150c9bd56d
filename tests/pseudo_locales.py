"""Languages that nobody speaks, made of the English words: longer ones, and right to left."""

from __future__ import annotations

import re

from overt.consent.wording import to_translate

LONG = "xa"
RTL = "ar-XB"

_ACCENTS = str.maketrans("aceginorsuyACEGINORSUY", "ȧćéğîñøŕšüÿÀĆÉĞÎÑØŘŠÜŸ")
_HEBREW = str.maketrans(
    {
        letter: chr(0x05D0 + number % 27)
        for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz")
    }
)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def _long(text: str) -> str:
    """Half as long again, and the longest word without a place to break."""
    words = text.translate(_ACCENTS).split(" ")
    longest = max(range(len(words)), key=lambda at: len(words[at]))
    words[longest] += "þàĝéâńďñöẅĥŕèĺśïñ"
    return f"[{' '.join(words)}{' öñé' * (len(words) // 3)}]"


def _rtl(text: str) -> str:
    return text.lower().translate(_HEBREW)


def words(language: str) -> str:
    """Return the tables of a `study.toml` for `LONG` or `RTL`."""
    change = _long if language == LONG else _rtl

    def changed(found: re.Match[str]) -> str:
        parts = re.split(r"(\{\w+\})", found[1])
        if len(parts) == 1:
            return f'"{change(found[1])}"'
        said = "".join(part if part.startswith("{") else change(part) for part in parts)
        return f'"{said}"'

    lines = []
    for line in to_translate(language).splitlines():
        name, is_set, value = line.partition(" = ")
        if name == "direction":
            lines.append(f'direction = "{"rtl" if language == RTL else "ltr"}"')
        elif name == "signed_off":
            lines.append('signed_off = "A test, today"')
        else:
            lines.append(f"{name}{is_set}{_QUOTED.sub(changed, value)}" if is_set else line)
    return "\n".join(lines) + "\n"


def notice(language: str, about: str = "Why.") -> str:
    """Return the study's own part of the notice and the words, to be put behind a study file."""
    return f'\n[notice.{language}]\nabout = "{about}"\n\n{words(language)}'
