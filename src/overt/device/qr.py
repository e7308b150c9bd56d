"""A text as a square to scan, in a terminal and in a page."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import Any

from markupsafe import Markup

DARK, LIGHT = "#000000", "#ffffff"
SCALE = 5
_WHITE_ON_BLACK, _PLAIN = "\x1b[97;40m", "\x1b[0m"


def is_there() -> bool:
    """Return whether the library that makes squares is installed (extra `desktop`)."""
    return find_spec("segno") is not None


def in_terminal(text: str) -> str:
    """Return a square made of half blocks, white and black whatever the terminal's colours."""
    out = io.StringIO()
    _square(text).terminal(out, compact=True)
    return "\n".join(f"{_WHITE_ON_BLACK}{line}{_PLAIN}" for line in out.getvalue().splitlines())


def in_page(text: str, words: str) -> Markup:
    """Return a square as SVG, dark on light whatever the page's colours; `words` say what it is."""
    drawn = _square(text).svg_inline(
        scale=SCALE,
        dark=DARK,
        light=LIGHT,
        title=words,
        svgclass="qr",
        lineclass=None,
        omitsize=True,
    )
    return Markup(drawn)  # noqa: S704 - made by the library of our own text


def _square(text: str) -> Any:
    import segno

    return segno.make(text, micro=False, error="m")
