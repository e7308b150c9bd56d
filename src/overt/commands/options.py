"""Options that many commands share, so that each means and says the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

DATA_DIR = Path("overt-data")
DataDir = Annotated[
    Path,
    typer.Option("--data-dir", envvar="OVERT_DATA_DIR", help="Where Overt keeps everything."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
