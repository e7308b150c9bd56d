"""The verbs that print figures: `evaluate` and `reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from overt.commands.evaluating import REPRODUCTIONS, TASKS
from overt.commands.options import AsJson, PlotFile, among_data_sets

DataPath = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="The data set as published. Default: its folder in $OVERT_DATA.",
        callback=among_data_sets,
    ),
]
_NEURAL = ", ".join(name for name, job in TASKS.items() if job.neural)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: overt evaluate next-element --data miniwob-human-demos")(evaluate)
    app.command(epilog="Example: overt reproduce cmu --html cmu.html --json")(reproduce)


def evaluate(
    task: Annotated[str, typer.Argument(metavar="TASK", help=f"One of: {', '.join(TASKS)}.")],
    *,
    data: DataPath = None,
    neural: Annotated[
        bool, typer.Option("--neural", help=f"Fit networks too, which takes longer: {_NEURAL}.")
    ] = False,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, max=20, help="How often each network is fitted anew; default: once."),
    ] = None,
    html: PlotFile = None,
    as_json: AsJson = False,
) -> None:
    """Score a task on published data nothing was fitted to, beside every baseline."""
    from overt.commands.evaluating import evaluate as run

    run(task, data, html, neural_seeds=seeds or int(neural), as_json=as_json)


def reproduce(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help=f"One of: {', '.join(REPRODUCTIONS)}.")
    ],
    *,
    data: DataPath = None,
    html: PlotFile = None,
    as_json: AsJson = False,
) -> None:
    """Compute published figures again and print both side by side."""
    from overt.commands.evaluating import reproduce as run

    run(name, data, html, as_json=as_json)
