"""The command line: one verb a stage.

Every verb imports what it needs when it is used, so that `overt --help` is quick. An `OvertError`
becomes one line on standard error and exit status 1; wrong usage exits with 2. With `--json`
exactly one object goes to standard output; progress always goes to standard error.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from overt.commands import (
    asking,
    attacking,
    copying,
    desktop,
    figures,
    inviting,
    privately,
    releasing,
    together,
)
from overt.commands.console import one_line
from overt.commands.curving import curve
from overt.commands.options import DATA_DIR, AsJson, DataDir, PlotFile, writable
from overt.datasets.importers import IMPORTERS

app = typer.Typer(
    name="overt",
    help="Record keyboard and pointer behaviour in the open, with consent; train models that "
    "people can leave; verify both offline.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)
study_app = typer.Typer(help="Make studies and look at them.", no_args_is_help=True)
audit_app = typer.Typer(help="Attack the data before anyone else does.", no_args_is_help=True)
access_app = typer.Typer(help="Give access to pages that need a key.", no_args_is_help=True)
app.add_typer(study_app, name="study")
app.add_typer(audit_app, name="audit")
attacking.register(audit_app)
app.add_typer(access_app, name="access")
app.command(epilog="Example: overt curve pause --study aalto --html enough.html")(curve)


class Purpose(StrEnum):
    """Learning purposes, as in `overt.schema.purpose`."""

    NEXT_ACTION = "next-action"
    TYPING_ASSIST = "typing-assist"
    PERSON_OR_PROGRAM = "person-or-program"
    TEXT_ASSIST = "text-assist"


StudyId = Annotated[str, typer.Option("--study", help="Id of the study.")]
Epochs = Annotated[
    int | None,
    typer.Option(min=1, max=1000, help="Passes over the data in training; few are quick and poor."),
]


@app.command(epilog="Example: overt up --port 9000 --data-dir ~/overt-data")
def up(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8765,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    site: Annotated[
        Path | None,
        typer.Option(
            help="Folder of your own pages, served at /site/ (see examples/).",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    epochs: Epochs = None,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Start Overt here, finish any interrupted erasure, and print one address."""
    from overt.commands.serving import serve

    serve(data_dir, host, port, epochs=epochs, site=site)


@access_app.command("researcher", epilog="Example: overt access researcher --new")
def access_researcher(
    *,
    new: Annotated[
        bool, typer.Option("--new", help="Replace the key; who came in with the old one is out.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Show the key of the researcher's page (/research): it opens figures over people, no rows."""
    from overt.commands.access import show_key

    show_key(data_dir, new=new, as_json=as_json)


@study_app.command("new", epilog="Example: overt study new lab.toml, edit it, and the same again")
def study_new(
    file: Annotated[Path, typer.Argument(help="Path of a study file (.toml).", dir_okay=False)],
    *,
    title: Annotated[str, typer.Option(help="Title for the example.")] = "",
    imported: Annotated[
        bool, typer.Option("--imported", help="The example is for published data.")
    ] = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Register the study in FILE; where there is no such file yet, write a commented example."""
    from overt.commands import studies

    file = file if file.suffix else file.with_suffix(".toml")
    if file.exists():
        studies.register(data_dir, file)
    else:
        studies.write_template(file, title, "imported" if imported else "live")


inviting.register(study_app)


@study_app.command("show", epilog="Example: overt study show five-minutes --json")
def study_show(
    study: Annotated[str | None, typer.Argument(help="Id; without it, all are listed.")] = None,
    *,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Show a study and the hash of its notice. Nobody who takes part is listed."""
    from overt.commands import studies

    studies.show(data_dir, study, as_json=as_json)


@app.command(
    "import",
    epilog="Example: overt import balabit Mouse-Dynamics-Challenge --study mice "
    '--lawful-basis "GDPR Art. 89"\n\n'
    "Example: overt import aalto Keystrokes/files --study aalto --skip-bad --people 500\n\n"
    "Example: overt import generic logs/ --mapping logs.toml --study logs",
)
def import_people(
    format_name: Annotated[
        str, typer.Argument(metavar="FORMAT", help=f"One of: {', '.join(IMPORTERS)}.")
    ],
    path: Annotated[Path, typer.Argument(help="File, archive or directory.")],
    *,
    study: StudyId,
    mapping: Annotated[
        Path | None,
        typer.Option(help="TOML file that says what the columns mean (generic).", dir_okay=False),
    ] = None,
    source: Annotated[
        str, typer.Option(help="Who published the data, and where. Default: the format's own.")
    ] = "",
    licence: Annotated[
        str, typer.Option(help="Licence of the data. Default: what its publisher says.")
    ] = "",
    lawful_basis: Annotated[
        str, typer.Option(help="Basis in law that you, who import, declare.")
    ] = "",
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Count and skip files and lines that are wrong.")
    ] = False,
    people_max: Annotated[
        int | None, typer.Option("--people", min=1, help="Stop after this many people.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Import people of a public data set into a study of its own, never mixed with live ones."""
    from overt.commands.importing import import_format

    import_format(
        data_dir,
        format_name,
        path,
        study,
        mapping=mapping,
        source=source,
        licence=licence,
        lawful_basis=lawful_basis,
        skip_bad=skip_bad,
        people_max=people_max,
        as_json=as_json,
    )


@app.command(epilog="Example: overt synthetic --study five-minutes --people 40")
def synthetic(
    *,
    study: StudyId,
    people: Annotated[int, typer.Option(min=1, max=10_000, help="How many to add.")] = 40,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same people.")] = 1,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Add synthetic people to a study; whatever comes from them is labelled synthetic."""
    from overt.commands.importing import fill_synthetic

    fill_synthetic(data_dir, study, people, seed, as_json=as_json)


@app.command(epilog="Example: overt features --study aalto --out summary.parquet")
def features(
    *,
    study: StudyId,
    purpose: Annotated[Purpose, typer.Option(help="What the read is for.")] = Purpose.TYPING_ASSIST,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write the summary over people as Parquet.", dir_okay=False, callback=writable
        ),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Compute features through the door and show them over at least ten people."""
    from overt.commands.measuring import summarise_features

    summarise_features(data_dir, study, purpose.value, out, as_json=as_json)


@app.command(epilog="Example: overt train --study aalto --purpose next-action --epochs 3 --json")
def train(
    *,
    study: StudyId,
    purpose: Annotated[Purpose, typer.Option(help="What is learned.")],
    epochs: Epochs = None,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Train the model of a purpose and show it beside every baseline on unseen people."""
    from overt.commands.training import train_model

    train_model(data_dir, study, purpose.value, epochs, as_json=as_json)


figures.register(app)
desktop.register(app)


@app.command(epilog="Example: overt erase --json < receipt.json")
def erase(
    *,
    purpose: Annotated[
        list[Purpose] | None,
        typer.Option(help="Only what this purpose alone covered; may be repeated."),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Erase a person from data and models; print the certificate.

    The person is read from standard input: a recovery code, or the receipt that holds it.
    """
    from overt.commands.erasing import erase_person

    erase_person(data_dir, [p.value for p in purpose] if purpose else None, as_json=as_json)


@app.command(epilog="Example: overt retention")
def retention(*, as_json: AsJson = False, data_dir: DataDir = DATA_DIR) -> None:
    """Erase what is older than its study keeps it. `overt up` does the same every hour."""
    from overt.commands.erasing import expire_old

    expire_old(data_dir, as_json=as_json)


@app.command(epilog="Example: overt verify proof.json --checkpoint receipt.json")
def verify(
    bundle: Annotated[Path, typer.Argument(help="File from the proof page.")],
    *,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Receipt kept since joining: also look for a fork of the log."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a proof offline: signatures, log, openings, certificate. Needs no data directory."""
    from overt.commands.verifying import verify_bundle

    verify_bundle(bundle, checkpoint, as_json=as_json)


@app.command(epilog="Example: overt doctor --json")
def doctor(*, as_json: AsJson = False, data_dir: DataDir = DATA_DIR) -> None:
    """Check data directory, keys, log, disk, versions and browser; say what to do."""
    from overt.commands.doctor import examine

    examine(data_dir, as_json=as_json)


@app.command(epilog="Example: overt demo --json --html report.html")
def demo(
    *,
    people: Annotated[int, typer.Option(min=12, max=400, help="Synthetic people.")] = 24,
    epochs: Epochs = None,
    html: PlotFile = None,
    as_json: AsJson = False,
) -> None:
    """Run the whole loop unattended: capture in a headless Chromium, train, attack, erase, verify.

    Everything happens in a temporary directory. Exits with 1 if a promise does not hold.
    """
    from overt.commands.demo import run_demo

    run_demo(people, html, epochs=epochs, as_json=as_json)


for verbs in (asking, copying, privately, releasing, together):
    verbs.register(app)


def main() -> None:
    """Run the command line."""
    with one_line():
        app()
