"""`overt backup`, dated sealed copies; `overt restored`, what a copy that was put back needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from overt.commands.console import progress, say, say_json
from overt.commands.options import DATA_DIR, AsJson, DataDir


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: overt backup /media/disk/overt")(backup)
    app.command(epilog="Example: overt restored /media/old/overt-data")(restored)


def backup(
    dest: Annotated[Path, typer.Argument(help="Directory for the dated copy.", file_okay=False)],
    *,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Copy everything, sealed and dated; certificates name the day the last copy expires."""
    from overt.store.store import Store

    with progress("backup") as update:
        update("copying sealed files", 0.0)
        made = Store.open(data_dir, create=False).backup(dest)
    say(f"Copied, sealed. {made}")


def restored(
    before: Annotated[
        Path, typer.Argument(help="What is left of the data directory that the backup was of.")
    ],
    *,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Erase again, in a restored backup, everyone who left after it was made.

    Of BEFORE only the control database is read, and no key is needed: it knows who left by marks.
    Purposes, minutes and old events that went since then are not in them.
    """
    from overt.commands.place import opened
    from overt.gateway import erase

    with opened(data_dir) as store, progress("restored") as update:
        jobs = erase.again(store, before, update)
    if as_json:
        say_json({"erased_again": jobs})
    else:
        say(f"{len(jobs)} erasures carried out again." if jobs else "Nobody has left since then.")
