"""The command line of `overt predict`; what it does is in `predicting`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from overt.commands.options import DATA_DIR, AsJson, DataDir, among_data_sets
from overt.models.answers import ANSWERED


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "predict",
        epilog='Example: overt predict next-text --text "See you to"\n\n'
        "Example: overt predict pause --data aalto-desktop-subset --ask keys.json --json\n\n"
        'Example: overt predict slips --study aalto --text "see you tomorow"\n\n'
        "Example: overt predict --serve --port 8770",
    )(predict)


def predict(
    task: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TASK", help=f"One of: {', '.join(ANSWERED)}. With --serve, several or none."
        ),
    ] = None,
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="Published data to learn from first; of several tasks, their folder.",
            callback=among_data_sets,
        ),
    ] = None,
    study: Annotated[
        str | None, typer.Option(help="Or a study, whose own trained model answers.")
    ] = None,
    ask: Annotated[
        Path | None,
        typer.Option("--ask", help="The question as a JSON file; - reads standard input."),
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="The question, where it is a text or words.")
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Answer over HTTP on 127.0.0.1 (docs/reference).")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8770,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Answer a question of one task: by a study's model, published data, or public counts."""
    from overt.commands import predicting
    from overt.schema.errors import InvalidInput

    by = predicting.Taught(data, study, data_dir)
    if serve:
        predicting.serve(task or [], by, port)
        return
    if task is None or len(task) != 1:
        raise InvalidInput("give one", where="TASK", do=f"Known: {', '.join(ANSWERED)}.")
    predicting.predict(task[0], by, ask, text, as_json=as_json)
