"""`overt coach`: choose programs, count, and look at one's own page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from overt.commands.console import remark, say
from overt.commands.recording import require
from overt.commands.running import stop_on_signals
from overt.commands.whereabouts import COACH
from overt.schema.errors import InvalidInput, Missing, Refused

if TYPE_CHECKING:
    from overt.device.wording import Words


def coach(folder: Path, programs: list[str], display: str | None, *, chip: bool) -> None:
    """Count in the programs the person switched on until Ctrl+C, and serve their page."""
    if not sys.stdin.isatty():
        raise Refused(
            "counting starts only with a person's own act",
            where="overt coach",
            do="Run it in a terminal.",
        )
    require()
    from overt.device.coach import Coach, days, programs_in_sight, refused
    from overt.device.coach_page import serve
    from overt.device.platforms import never_run, require_display
    from overt.device.policy import policy
    from overt.device.vault import Vault, as_json
    from overt.device.wording import Words, here

    w = Words(here())
    if (untried := never_run(w)) is not None:
        remark(f"overt: {untried}")
    rules = policy()
    rules.check()
    for name in programs:
        what = refused(name)
        if what is not None or not rules.allows(name):
            raise InvalidInput(
                f"{name} is {what or 'not among the programs of the policy ' + rules.where}",
                where="--program",
                do="Name the program that you type in.",
            )
    require_display(display, or_terminal=False)
    vault = Vault(folder / COACH)
    vault.hold()
    counted = None
    try:
        chosen = programs or [one for one in vault.get_json("programs", []) if rules.allows(one)]
        if not chosen:
            chosen = _choose([one for one in programs_in_sight(display) if rules.allows(one)], w)
        if chosen:
            counted = Coach(vault, chosen, display, lang=w.language, chip=chip)
            vault.change({"programs": as_json(chosen)})
    finally:
        if counted is None and not days(vault):
            vault.destroy()  # nothing was counted: nothing stays
    if counted is None:
        say(w("terminal.coach_nothing"))
        return
    stop_on_signals(counted.stop)
    page = serve(lambda: days(vault))
    say(page.url)
    where = w("terminal.coach_counts", programs=", ".join(chosen), folder=folder / COACH)
    remark(f"overt: {where}")
    remark(f"overt: {w('terminal.coach_how')}")
    try:
        counted.run(lambda phase: remark(f"overt: {w(f'terminal.{phase}')}"))
    finally:
        page.close()
    remark(f"overt: {w('terminal.coach_ended')}")


def _choose(names: list[str], w: Words) -> list[str]:
    from overt.commands.joining import chosen

    if not names:
        raise Missing(
            "no program has a window now",
            where="display",
            do="Open what you type in, or name it: overt coach --program mousepad",
        )
    say(w("terminal.coach_which"))
    picked = chosen([{"title": name, "text": ""} for name in names], "programs", w)
    return [str(one["title"]) for one in picked]


def forget(folder: Path) -> None:
    """Destroy the key and the sums."""
    from overt.device.vault import Vault
    from overt.device.wording import Words, here

    place = folder / COACH
    if not (place / "key").exists():
        raise Missing("nothing was counted on this computer", where=str(place))
    Vault(place).destroy()
    say(Words(here())("terminal.destroyed"))
