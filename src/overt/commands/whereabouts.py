"""Where a study is joined, and where the agent keeps what is on this computer."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from overt.consent.invitation import BYTES_MAX, Invitation, read
from overt.schema.errors import InvalidInput, Missing, Refused
from overt.schema.tables import identifier

COACH = "coach"
"""Folder beside those of studies."""


def device_folder() -> Path:
    """Return where the agent keeps what is on this computer, unless told otherwise."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "overt"


def invited(study: str) -> Invitation | None:
    """Return the invitation in the file that `--study` names; None where it is an address."""
    if "://" in study:
        return None
    try:
        with Path(study).open("rb") as file:
            source = file.read(BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        raise Missing(
            "is neither the address of a study's page nor a file that you can read",
            where=study or "--study",
            do="Give an address such as https://example.org/study/typing, or an invitation.",
        ) from error
    return read(source, study)


def study_at(study: str) -> tuple[str, str]:
    """Return server and study of an address such as `https://example.org/study/typing`.

    What is no address is the path of an invitation that states one.
    """
    invitation = invited(study)
    address, where = (study, "--study") if invitation is None else _stated(invitation)
    try:
        parts = urlsplit(address)
        whole = parts.port != 0 and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        whole = False
    place, _, name = parts.path.rpartition("/study/") if whole else ("", "", "")
    if not whole or parts.scheme not in ("http", "https") or not name or place:
        raise InvalidInput(
            "must be the address of a study's page",
            where=where,
            do="Such as https://example.org/study/typing.",
        )
    own = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme == "http" and not own:
        raise Refused(
            "would send what is recorded without encryption", where=where, do="Use https."
        )
    name = identifier({"id": name.strip("/")}, "study.")
    if name == COACH:
        raise InvalidInput(
            "is a name that this computer keeps for the coach", where=where, do="Ask for another."
        )
    return f"{parts.scheme}://{parts.netloc}", name


def _stated(invitation: Invitation) -> tuple[str, str]:
    return invitation.address, f"{invitation.where}: study"
