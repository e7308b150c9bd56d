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


def data_sets() -> Path:
    """Return the folder of all published data sets: `OVERT_DATA`, or where a checkout has them."""
    return Path(os.environ.get("OVERT_DATA") or Path("..") / "shared" / "data")


def among_data_sets(path: Path | None) -> Path | None:
    """Return a path as given, or where it is not there, what has that name among the data sets."""
    if path is None or path.exists():
        return path
    named = data_sets() / path
    return named if named.exists() else path


Published = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Or published data: where it lies, or its name in $OVERT_DATA.",
        callback=among_data_sets,
    ),
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
