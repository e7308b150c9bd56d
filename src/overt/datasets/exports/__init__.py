"""Events in the forms that others train on. Who may leave, `overt.gateway.release` decides.

`leaving` says what of a person's events goes out, `owamcap`, `opencua` and `huggingface` write it.
Titles are never there, typed text and key codes only where they were asked for and are known.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path

from overt.datasets.exports.leaving import About, Counted, Leaving
from overt.schema.errors import InvalidInput

FORMATS = {
    "owamcap": "OWAMcap: one MCAP file a session, as open-world-agents records them",
    "opencua": "OpenCUA: one folder a session, with raw events, PyAutoGUI actions and a trajectory",
    "huggingface": "a Hugging Face data set: Parquet files, card and Croissant description",
}


def write(form: str, folder: Path, about: About, people: Iterable[Leaving]) -> Counted:
    """Write people into a folder in one of `FORMATS`. Raises `InvalidInput`.

    The folder must not be there yet, and is only there when everything is in it.
    """
    check(form, folder)
    module = importlib.import_module(f"overt.datasets.exports.{form}")
    part = folder.with_name(folder.name + ".part")
    _emptied(part)
    try:
        part.mkdir(mode=0o700, parents=True)
        counted: Counted = module.write(part, about, people)
        part.rename(folder)
    finally:
        _emptied(part)
    return counted


def check(form: str, folder: Path) -> None:
    """Raise `InvalidInput` where a format is not known or a folder is there already."""
    if form not in FORMATS:
        raise InvalidInput("is not known", where="--format", do=f"Known: {', '.join(FORMATS)}.")
    if folder.exists():
        raise InvalidInput("is there already", where=str(folder), do="Name a new folder.")


def _emptied(folder: Path) -> None:
    """Remove a folder of an export that did not come to its end."""
    import shutil

    if folder.exists():
        shutil.rmtree(folder)
