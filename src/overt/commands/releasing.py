"""`overt export` and `overt model export`: what leaves this machine, and what may not."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from overt.commands.console import progress, say, say_json
from overt.commands.options import DATA_DIR, AsJson, DataDir, writable
from overt.schema.errors import InvalidInput

model_app = typer.Typer(help="Models as files for others.", no_args_is_help=True)


class Form(StrEnum):
    """Formats of a data set, as in `overt.datasets.exports`."""

    OWAMCAP = "owamcap"
    OPENCUA = "opencua"
    HUGGINGFACE = "huggingface"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        "export",
        epilog="Example: overt export out --format huggingface --study aalto\n\n"
        "Example: overt export mine --format owamcap --own < receipt.json",
    )(export)
    model_app.command("export", epilog="Example: overt model export model.onnx --study aalto")(
        export_model
    )
    app.add_typer(model_app, name="model")


def export(
    folder: Annotated[Path, typer.Argument(help="A new folder.", file_okay=False)],
    *,
    form: Annotated[Form, typer.Option("--format", help="What others train on.")],
    study: Annotated[str | None, typer.Option(help="Id of the study.")] = None,
    purpose: Annotated[
        str | None, typer.Option(help="What the read is for. Default: the study's first.")
    ] = None,
    own: Annotated[
        bool,
        typer.Option("--own", help="Your own, proven by receipt or code on standard input."),
    ] = False,
    keys: Annotated[
        bool, typer.Option("--keys", help="With key codes and characters, where they are known.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Write a data set that others train on: imported and synthetic people, or yourself.

    Living people's rows stay here. Titles, typed text and key codes are left out.
    """
    from overt.commands.erasing import STDIN_BYTES_MAX, recovery_code
    from overt.commands.place import opened
    from overt.gateway import enrol, release

    if own == (study is not None):
        raise InvalidInput(
            "needs a study or a person, and not both",
            where="overt export",
            do="Give --study ID, or --own with a receipt on standard input.",
        )
    code = recovery_code(sys.stdin.read(STDIN_BYTES_MAX)) if own else ""
    with opened(data_dir) as store, progress("export") as update:
        if study is None:
            person = enrol.by_recovery(store, code)
            done = release.own(store, person, form.value, folder, with_keys=keys)
        else:
            done = release.data(
                store,
                study,
                purpose,
                form.value,
                folder,
                "command line",
                update,
                with_keys=keys,
            )
    if as_json:
        say_json({"folder": str(folder), "format": form.value, **done.as_dict()})
        return
    say(
        f"{folder}: {done.events:,} events of {done.people:,} people, {done.sessions:,} sessions, "
        f"{done.files:,} files."
    )
    if study is not None:
        say("What has left cannot be taken back from here; the log says that it did.")


def export_model(
    out: Annotated[
        Path, typer.Argument(help="The file to write.", dir_okay=False, callback=writable)
    ],
    *,
    study: Annotated[str, typer.Option("--study", help="Id of the study.")],
    purpose: Annotated[str, typer.Option(help="What it was trained for.")] = "next-action",
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Write a trained encoder as ONNX: next event and pause. Its card is in the file.

    Only shards that no living person taught.
    """
    from overt.commands.place import opened
    from overt.gateway import release

    if out.exists():
        raise InvalidInput("is there already", where=str(out), do="Name a new file.")
    with opened(data_dir) as store:
        handed = release.onnx(store, study, purpose, "command line")
    out.write_bytes(handed.data)
    facts = {"file": str(out), "bytes": len(handed.data), "sha256": handed.sha256}
    if as_json:
        say_json({**facts, "shards": handed.shards})
        return
    say(f"{out}: {len(handed.data):,} bytes, {len(handed.shards)} shards, model {handed.sha256}.")
    say("What goes in and comes out: docs/reference/exports.md.")
