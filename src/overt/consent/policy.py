"""Who may do what: the one table, and the one function that reads it.

A role may take an action for a purpose only if the table lists it *and* the receipt of that moment
covers the purpose. What is not listed is refused; so is whatever cannot be checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from overt.schema.errors import NotConsented, OvertError, Refused, Withdrawn
from overt.schema.purpose import PURPOSES

ROLES = ("participant", "researcher", "custodian", "auditor", "trainer")
ACTIONS = ("read-own", "export-own", "erase-own", "train", "features", "audit", "count", "release")

_OWN = ("read-own", "export-own", "erase-own")
TABLE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "participant": {
        "next-action": _OWN,
        "typing-assist": _OWN,
        "person-or-program": _OWN,
        "text-assist": _OWN,
        "screen-elements": _OWN,
        "screen-pictures": _OWN,
    },
    "trainer": {
        "next-action": ("train", "features", "release"),
        "typing-assist": ("train", "features", "release"),
        "person-or-program": ("train", "features", "release"),
        "text-assist": ("train", "features", "release"),
        "screen-elements": ("features",),
        "screen-pictures": ("features",),
    },
    "researcher": {
        "next-action": ("features", "count"),
        "typing-assist": ("features", "count"),
        "person-or-program": ("features", "count"),
        "text-assist": ("features", "count"),
        "screen-elements": ("features", "count"),
        "screen-pictures": ("features", "count"),
    },
    "auditor": {
        "next-action": ("audit", "count"),
        "typing-assist": ("audit", "count"),
        "person-or-program": ("audit", "count"),
        "text-assist": ("audit", "count"),
        "screen-elements": ("count",),
        "screen-pictures": ("count",),
    },
    "custodian": {
        "next-action": ("count",),
        "typing-assist": ("count",),
        "person-or-program": ("count",),
        "text-assist": ("count",),
        "screen-elements": ("count",),
        "screen-pictures": ("count",),
    },
}
"""Role → purpose → actions. Nobody but the person reads, exports or erases one person's rows;
a custodian keeps the machine and sees counts; there is no role that may do everything. A trainer
releases nobody's rows who has a receipt: no notice says that rows leave the machine."""

GIVEN, IMPORTED, WITHDRAWN = "given", "imported", "withdrawn"
STATES = (GIVEN, IMPORTED, WITHDRAWN)


@dataclass(frozen=True)
class ReceiptState:
    """What a receipt allows at this moment. `state` is one of `STATES`.

    `imported` is not consent: the importer declared a lawful basis, and `purposes` are those of
    the study. Such a person has no receipt, so nobody acts for them as a participant.
    """

    state: str
    purposes: frozenset[str]


def decide(role: str, action: str, purpose: str, receipt: ReceiptState | None) -> None:
    """Return if `role` may take `action` for `purpose` under `receipt`; raise otherwise.

    `receipt` is None where there is none. The caller makes sure that a participant's receipt is
    their own.

    Raises:
        Withdrawn: the person has left; only erasing what may remain is still allowed.
        NotConsented: no receipt, or one that does not cover the purpose.
        Refused: the table does not list it, or the check could not be carried out.
    """
    try:
        allowed = _decide(role, action, purpose, receipt)
    except OvertError:
        raise
    except Exception as error:
        raise Refused("could not be checked", where=_where(role, action, purpose)) from error
    if allowed is not True:
        raise Refused("is not allowed", where=_where(role, action, purpose))


def _where(role: object, action: object, purpose: object) -> str:
    known = (*ROLES, *ACTIONS, *PURPOSES)
    return " ".join(
        word if isinstance(word, str) and word in known else "?" for word in (role, action, purpose)
    )


def _decide(role: str, action: str, purpose: str, receipt: ReceiptState | None) -> bool:
    where = _where(role, action, purpose)
    if purpose not in PURPOSES or action not in TABLE[role][purpose]:
        return False
    if receipt is None:
        raise NotConsented("there is no receipt", where=where)
    if receipt.state not in STATES:
        return False
    if receipt.state == IMPORTED and role == "participant":
        raise NotConsented("imported data has no receipt", where=where)
    if action == "erase-own":
        return True  # whoever has or had a receipt may always leave, purpose by purpose
    if receipt.state == WITHDRAWN:
        raise Withdrawn("the person has withdrawn", where=where)
    if purpose not in receipt.purposes:
        raise NotConsented("the receipt does not cover this purpose", where=where)
    if action == "release" and receipt.state != IMPORTED:
        raise NotConsented(
            "the receipt does not say that anything leaves this machine", where=where
        )
    return True
