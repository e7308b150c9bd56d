"""`overt device doctor`: what this computer lets the agent record, and what the person may do."""

from __future__ import annotations

from overt.commands.console import say, say_json
from overt.schema.errors import OvertError


def doctor(display: str | None, *, as_json: bool) -> bool:
    """Say what could be recorded here and what stands against it; returns whether nothing does."""
    from overt.commands.recording import require
    from overt.device import at_login, fields, platforms
    from overt.device.policy import policy
    from overt.device.wording import Words

    against = ""
    try:
        policy().check()
        platforms.require_display(display)
        require()
        platforms.look(display)
    except OvertError as error:
        against = str(error)
    kind = platforms.kind()
    w = Words("en")
    steps = [never_run] if (never_run := platforms.never_run(w)) else []
    has_display = platforms.has_display(display)
    on_linux = has_display and kind in (platforms.X11, platforms.WAYLAND)
    if on_linux and not fields.is_there():
        steps.append(
            "The accessibility service (AT-SPI) does not answer: keys could be recorded in "
            "terminals alone. Install at-spi2-core, switch accessibility on, and log in again."
        )
    if kind == platforms.WAYLAND:
        from overt.device import permission

        steps += permission.steps(permission.access())
    steps += [
        f"When you log in, recording begins by itself for the study {study}, as you chose. Off "
        "again: overt record --study ADDRESS --at-login off"
        for study in at_login.entries()
    ]
    if as_json:
        records = platforms.records(w) if has_display else "nothing"
        told = {"platform": kind, "records": records, "steps": steps}
        say_json({**told, "against": against or None})
        return not against
    if has_display:
        say(f"{kind}: {platforms.records(w)}.")
    for line in steps:
        say(line)
    say(against or "Nothing stands against recording here. `overt record` asks you first.")
    return not against
