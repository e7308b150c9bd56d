"""`overt study invite`: the file that a study's organiser hands out; and `overt study words`."""

from __future__ import annotations

from typing import Annotated

import typer

from overt.commands.console import say
from overt.commands.options import DATA_DIR, DataDir
from overt.commands.translating import words


def register(app: typer.Typer) -> None:
    """Add the commands to those of `overt study`."""
    app.command("words", epilog="Example: overt study words fr >> lab.toml")(words)
    example = "Example: overt study invite typing --at https://example.org > typing-invitation.toml"
    app.command("invite", epilog=example)(invite)


def invite(
    study: Annotated[str, typer.Argument(help="Id of a live study.")],
    *,
    at: Annotated[str, typer.Option("--at", help="Address that people reach the server under.")],
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Print an invitation: where the study is joined, and the hash of what its notice promises.

    `overt record --study FILE` joins there only while the server shows exactly that notice.
    """
    from overt.commands.place import opened
    from overt.commands.whereabouts import study_at
    from overt.consent.invitation import invitation
    from overt.gateway.studies import study_of

    address = f"{at.rstrip('/')}/study/{study}"
    study_at(address)
    with opened(data_dir) as store:
        say(invitation(study_of(store, study), address).rstrip())
