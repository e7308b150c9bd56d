"""The page `docs/reference/formats.md`, made from the registry of importers.

`python -m overt.datasets.formats.page` writes it; a test compares.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from overt.datasets.importers import IMPORTERS, Importer

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "formats.md"

_HEAD = """\
# Formats that `overt import` reads

Made from the registry by `python -m overt.datasets.formats.page`; do not edit.

`overt import FORMAT PATH --study S` reads a file, a directory at any depth, or an archive (`.tar`,
`.tar.gz`, `.tar.zst`, `.zip`); files may be packed one by one (`.gz`, `.zst`), names may be in any
case. Names of folders do not matter unless the table says so. Tables may have their columns in any
order and case, quoted or not, separated by commas, semicolons or tabs, with further columns, a byte
order mark and CR LF; Parquet columns may be of any width or dictionary-encoded.

Strict by default: the first value that is wrong ends the import with file, line (or row), column
and what was expected, never the value. `--skip-bad` leaves such rows and files out and counts them
by reason. Events of a session are put in order of time. One person at a time is held in memory, at
some forty bytes an event, and sealed before the next group is read.

"""


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "as the mapping says"


def section(importer: Importer) -> str:
    """Return the part of the page about one format."""
    rows = {
        "reads": importer.reads,
        "published": importer.publication,
        "licence, as its publisher says": importer.licence,
        "person": importer.person,
        "session": importer.session,
        "units": importer.units,
        "left out, and worked out": importer.left_out,
        "kinds of event": _list(kind.name.lower() for kind in sorted(importer.kinds)),
        "purposes of the study it makes": _list(importer.purposes),
        "detail level": f"`{importer.level}`",
    }
    lines = "".join(f"| {name} | {text} |\n" for name, text in rows.items())
    return f"## {importer.name}: {importer.title}\n\n| | |\n|---|---|\n{lines}"


def page() -> str:
    """Return the whole page."""
    return _HEAD + "\n".join(section(importer) for importer in IMPORTERS.values())


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
