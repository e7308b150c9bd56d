"""Options that many commands share, so that each means and says the same everywhere."""

import os
from pathlib import Path
from typing import Annotated

import typer

DATA_DIR = Path("overt-data")
DataDir = Annotated[
    Path,
    typer.Option("--data-dir", envvar="OVERT_DATA_DIR", help="Where Overt keeps everything."),
]
StudyAddress = Annotated[
    str, typer.Option("--study", help="Address of the study's page, or file of an invitation.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def writable(path: Path | None) -> Path | None:
    """Refuse, before the work whose figures would go there, a file that could not be written."""
    if path is not None and not os.access(path if path.exists() else path.parent, os.W_OK):
        raise typer.BadParameter(f"{path} cannot be written: look at its folder, and whose it is.")
    return path


PlotFile = Annotated[
    Path | None,
    typer.Option("--html", help="Write a page with plots here.", dir_okay=False, callback=writable),
]
