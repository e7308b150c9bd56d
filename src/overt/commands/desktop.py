"""The command line of the desktop agent and the coach; what they do is in other modules."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from overt.commands.options import AsJson, StudyAddress
from overt.commands.pairing import pair
from overt.commands.whereabouts import device_folder

DeviceFolder = Annotated[
    Path | None,
    typer.Option("--device-dir", help="Where the agent keeps things; default: your data folder."),
]
AsChip = Annotated[bool, typer.Option("--chip", help="Show a chip even if there is a tray.")]


class Switch(StrEnum):
    """What can be switched."""

    ON = "on"
    OFF = "off"


device_app = typer.Typer(
    help="What the desktop agent keeps on this computer.", no_args_is_help=True
)
device_app.command(epilog="Example: overt device pair --study URL")(pair)


RECORD = "overt record --study https://example.org/study/typing"
INVITED = "overt record --study typing.invitation.toml --page"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(device_app, name="device")
    app.command(epilog=f"Examples: {RECORD}; {RECORD} --at-login on; {INVITED}")(record)
    app.command(epilog="Example: overt coach --program mousepad --program xterm")(coach)


def record(
    *,
    study: StudyAddress,
    lang: Annotated[
        str | None, typer.Option(help="Language of notice and prompts; default: your session's.")
    ] = None,
    display: Annotated[str | None, typer.Option(help="X display; default: $DISPLAY.")] = None,
    page: Annotated[
        bool | None,
        typer.Option(
            "--page/--terminal",
            help="Join on a page in your browser, or in the terminal; default: you are asked.",
        ),
    ] = None,
    at_login: Annotated[
        Switch | None,
        typer.Option(help="Whether it begins by itself when you log in; nothing starts now."),
    ] = None,
    from_login: Annotated[bool, typer.Option("--from-login", hidden=True)] = False,
    folder: DeviceFolder = None,
    chip: AsChip = False,
) -> None:
    """Join a study and record the applications you switch on, on this desktop or in a terminal.

    An icon in the tray, or a chip in the corner, shows it; click it to pause. Without a display it
    is the last row of the terminal, over your own shell; Ctrl+Alt+P pauses, exit ends it. Nothing
    leaves before the study's delay.
    """
    from overt.commands.alone import go_on
    from overt.device.wording import in_own_words

    place = folder or device_folder()
    if at_login is not None:
        from overt.commands.at_login import switch

        with in_own_words():
            switch(place, study, on=at_login is Switch.ON, chip=chip)
        return
    if from_login:
        go_on("login", folder=str(place), address=study, display=display, chip=chip)
        return
    told = {"address": study, "lang": lang, "display": display, "chip": chip}
    go_on("record", folder=str(place), page=page, **told)


def coach(
    *,
    program: Annotated[
        list[str] | None, typer.Option(help="Count in this program; may be repeated.")
    ] = None,
    display: Annotated[str | None, typer.Option(help="X display; default: $DISPLAY.")] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Destroy all that was counted.")] = False,
    folder: DeviceFolder = None,
    chip: AsChip = False,
) -> None:
    """Learn from your own typing: a private page of figures, weak pairs and exercises.

    No study, no server, no network. Sums only, sealed on this computer.
    """
    from overt.commands import coaching
    from overt.commands.alone import go_on

    place = folder or device_folder()
    if forget:
        coaching.forget(place)
    else:
        go_on("coach", folder=str(place), programs=program or [], display=display, chip=chip)


@device_app.command("outbox", epilog="Example: overt device outbox --study URL --remove-minutes 10")
def device_outbox(
    *,
    study: StudyAddress,
    remove_minutes: Annotated[
        int | None, typer.Option(min=1, help="Take out what is of the last minutes.")
    ] = None,
    folder: DeviceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show what waits to leave this computer; take parts of it out."""
    from overt.commands import recording

    place = folder or device_folder()
    recording.outbox(place, study, remove_minutes=remove_minutes, as_json=as_json)


@device_app.command("page", epilog="Example: overt device page --study URL")
def device_page(*, study: StudyAddress, folder: DeviceFolder = None) -> None:
    """Open your own page of a recording that runs now: what waits, pause, take out, end."""
    from overt.commands import recording

    recording.page(folder or device_folder(), study)


@device_app.command("send", epilog="Example: overt device send --study URL")
def device_send(
    *, study: StudyAddress, folder: DeviceFolder = None, as_json: AsJson = False
) -> None:
    """Send all that waits on this computer now, without the study's delay."""
    from overt.commands import recording

    recording.send(folder or device_folder(), study, as_json=as_json)


@device_app.command("leave", epilog="Example: overt device leave --study URL")
def device_leave(
    *,
    study: StudyAddress,
    recovery: Annotated[
        bool,
        typer.Option("--recovery", help="From any computer, with the recovery code: it is asked."),
    ] = False,
    folder: DeviceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw: what is on this computer is destroyed, the server erases the rest.

    With --recovery nothing needs to be on this computer: your other ones are lost, perhaps.
    """
    from overt.commands import recording

    place = folder or device_folder()
    recording.leave(place, study, recovery=recovery, as_json=as_json)


@device_app.command("doctor", epilog="Example: overt device doctor")
def device_doctor(
    *,
    display: Annotated[str | None, typer.Option(help="X display; default: $DISPLAY.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what could be recorded on this computer, which permission it takes, and how to undo it.

    Changes nothing. Status 1 if something stands against recording.
    """
    from overt.commands import permitting

    if not permitting.doctor(display, as_json=as_json):
        raise typer.Exit(1)
