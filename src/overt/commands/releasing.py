"""`overt export` and `overt model`: what leaves this machine and what may not, and cards."""

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


Purpose = Annotated[str, typer.Option(help="What it was trained for.")]
PrivateOne = Annotated[bool, typer.Option("--private", help="The one of overt train-private.")]


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
    model_app.command(
        "export",
        epilog="Example: overt model export model.onnx --study aalto\n\n"
        "Example: overt model export p.onnx --study aalto --purpose typing-assist --private",
    )(export_model)
    model_app.command("card", epilog="Example: overt model card --study aalto > MODEL.md")(
        show_card
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
    purpose: Purpose = "next-action",
    private: PrivateOne = False,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Write a model as ONNX, its card inside: next event and pause, or with --private pauses.

    Only what no living person taught; what imported people did, once an attack hardly finds them.
    """
    from overt.commands.place import opened
    from overt.gateway import release

    if out.exists():
        raise InvalidInput("is there already", where=str(out), do="Name a new file.")
    with opened(data_dir) as store:
        hand_out = release.private_onnx if private else release.onnx
        handed = hand_out(store, study, purpose, "command line")
    out.write_bytes(handed.data)
    facts = {"file": str(out), "bytes": len(handed.data), "sha256": handed.sha256}
    if as_json:
        say_json({**facts, "shards": handed.shards})
        return
    parts = "learned privately" if private else f"{len(handed.shards)} shards"
    say(f"{out}: {len(handed.data):,} bytes, {parts}, model {handed.sha256}.")
    say("What goes in and comes out: docs/reference/exports.md.")


def show_card(
    *,
    study: Annotated[str, typer.Option("--study", help="Id of the study.")],
    purpose: Purpose = "next-action",
    private: PrivateOne = False,
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Print the card of a study's model: data, figures, by group, attacks, ε, what it is not for.

    As Markdown; nobody is named in it.
    """
    from overt.commands.place import opened
    from overt.gateway import private_kept
    from overt.gateway.train import standing_card
    from overt.models.card import markdown

    with opened(data_dir) as store:
        if private:
            card = private_kept.standing(store, study, purpose).card
        else:
            card = standing_card(store, study, purpose)
    if as_json:
        say_json(card)
    else:
        sys.stdout.write(markdown(card))
