"""Whether a study asks this device for no more than the notice that its person reads says.

The server is not trusted with this: what it sends as settings is held against the words it sends,
and the receipt it issues against what the person chose, before anything is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from overt.consent.recovery import read_code
from overt.schema.applications import applications
from overt.schema.errors import InvalidInput, OvertError, Refused
from overt.schema.purpose import REGISTRY, SCREEN, TOGETHER
from overt.schema.study import EPSILON
from overt.schema.study import LEVELS as STUDY_LEVELS

_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202d\u202e]")
"""By these a terminal hides, moves or turns round what it shows; a line feed may be there."""

_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, RecursionError, OvertError)

_ID = re.compile(r"[0-9a-f]{32}")

LEVELS = ("rhythm", "rhythm/0", "rhythm/1", "keys")
OUTBOX_DELAY_S_MAX, HOLD_DAYS_MAX = 7 * 86_400, 365
_DO = "Do not join; tell whoever invited you."


def check_notice(notice: dict[str, Any], study: str) -> None:
    """Raise `Refused` where a notice's settings go beyond its words, or beyond what we record."""
    try:
        settings, listed = notice["settings"], notice["settings"].get("applications", [])
        said = " ".join(text for section in notice["sections"] for text in section["text"])
        purposes = [one["id"] for one in notice["choices"]["purposes"]]
        numbers = [one["number"] for one in listed]
        level = settings["level"]
        known = applications([{k: v for k, v in one.items() if k != "number"} for one in listed])
        delay_s, hold_days = settings["outbox_delay_s"], settings["hold_days"]
        hides = any(map(_UNSEEN.search, _texts(notice)))
        together = bool(set(purposes) & set(TOGETHER))
        stated = str(settings.get("epsilon_max", ""))
        epsilon = float(stated) if stated or together else EPSILON[0]
    except _UNREADABLE as error:
        raise Refused("is not a notice that can be followed", where="notice", do=_DO) from error
    if hides:
        raise Refused("holds characters that hide what it says", where="notice", do=_DO)
    if notice.get("study") != study:
        raise Refused("is of another study", where="notice", do=_DO)
    if not known or level not in STUDY_LEVELS:
        raise Refused(
            "this study lists no desktop application, or is of a level that does not exist",
            where="study",
            do="Join it in a browser.",
        )
    told = [one for one in known if one.keys]
    if (told and level != "keys") or any(f"{one.title} (" not in said for one in told):
        raise Refused(
            "would keep which key it was without saying so, or where", where="notice", do=_DO
        )
    if numbers != list(range(1, len(known) + 1)):
        raise Refused("does not number its applications from 1", where="notice", do=_DO)
    if any(one.screen for one in known) != bool(set(purposes) & set(SCREEN)):
        raise Refused(
            "would look at windows without asking for it, or asks without saying at which",
            where="notice",
            do=_DO,
        )
    unsaid = [one.title for one in known if one.title not in said]
    if unsaid:
        raise Refused(
            f"asks for more than its words say: {', '.join(unsaid)}", where="notice", do=_DO
        )
    if not purposes or not set(purposes) <= set(REGISTRY):
        raise Refused("names a purpose that does not exist", where="notice", do=_DO)
    if not EPSILON[0] <= epsilon <= EPSILON[1] or (stated and f"ε {stated} " not in said):
        raise Refused("would cost more privacy than its words say", where="notice", do=_DO)
    if type(delay_s) is not int or not 0 <= delay_s <= OUTBOX_DELAY_S_MAX:
        raise Refused("names no delay before things leave", where="notice", do=_DO)
    if type(hold_days) is not int or not 1 <= hold_days <= HOLD_DAYS_MAX:
        raise Refused("names no days of keeping", where="notice", do=_DO)


def _texts(part: Any) -> Iterator[str]:
    """Yield every text of some JSON."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict | list):
        for each in part.values() if isinstance(part, dict) else part:
            yield from _texts(each)


def told(text: object) -> str:
    """Return what a server says, without what a terminal would take for orders."""
    return _UNSEEN.sub("", str(text))


def check_receipt(receipt: dict[str, Any], purposes: Sequence[str], detail: str) -> None:
    """Raise `InvalidInput` where a receipt says other than what the person chose."""
    try:
        granted = {one["purpose"] for one in receipt["processing"]["purposes"]}
        level = receipt["overt"]["level"]
        complete = _ID.fullmatch(receipt["receipt_id"]) and read_code(receipt["recovery_code"])
    except (KeyError, TypeError, AttributeError, InvalidInput) as error:
        raise InvalidInput("is not a receipt", where="receipt", do=_DO) from error
    if granted != set(purposes) or level != detail or level not in LEVELS or not complete:
        raise InvalidInput("says other than what you chose", where="receipt", do=_DO)
