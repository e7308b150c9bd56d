"""What every sign says, whatever draws it: its words in the person's language, and its marks.

The agent tells a sign its state as words: `recording` or `paused` first, then what else there is,
such as `recording elsewhere offline`. Nothing heavy is imported here: a sign is a process of its
own, and not worth its memory.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

COACH = "coach"
"""Second argument of a sign's process where nothing is recorded but counted."""

ELSEWHERE, OFFLINE, GONE, LOCKED = "elsewhere", "offline", "gone", "locked"
"""The window with the keyboard is not switched on; the server is out of reach; the sign that was
there before has gone, and the person has not gone on since; the screen was locked."""

RESUMED, FAILED = "resumed", "failed"
"""It began at login, as the person chose, and they have done nothing since; it could not begin."""


def words_of(arguments: list[str]) -> dict[str, str]:
    """Return the words of a sign for the arguments of its process: language, perhaps `coach`."""
    language, *more = arguments or ["en"]
    folder = Path(__file__).with_name("words")
    place = folder / f"{language}.toml"
    place = place if language.isalpha() and place.is_file() else folder / "en.toml"
    words: dict[str, str] = tomllib.loads(place.read_text(encoding="utf-8"))["sign"]
    if COACH in more:
        words |= {"recording": words["counting"], "paused": words["resting"]}
    return words


def said(state: str, words: dict[str, str]) -> str:
    """Return a state in words; what has none, such as an hour, as it is."""
    return " · ".join(words.get(one, one) for one in state.split())


def look_of(state: str) -> str:
    """Return how a state looks: `recording`, `elsewhere` (it records, but not here), `paused`."""
    phase, *more = state.split() or ["paused"]
    if phase != "recording":
        return "paused"
    return ELSEWHERE if ELSEWHERE in more else "recording"


MARKS = {"recording": "●", ELSEWHERE: "○", "paused": "❚❚"}


def say(line: str) -> None:
    """Tell the agent; where it has gone, end at once."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except OSError:
        raise SystemExit(0) from None
