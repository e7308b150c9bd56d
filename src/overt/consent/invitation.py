"""An invitation: a file that says where a study is joined, and pins what it promises there.

Whoever organises a study hands it out by mail or by policy. It states the hash of the notice in
each of its languages, the same that every receipt states; the notice holds all that a device
enforces (level, fields, applications, delays), so another promise is another hash. A device that
was given the file joins only where it is shown that very notice.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from overt.schema.errors import InvalidInput, Refused
from overt.schema.study import Study

VERSION = 1
BYTES_MAX = 64 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAMES = {"invitation", "study", "notice"}
_ASK = "Do not join; ask whoever invited you for a new invitation."


@dataclass(frozen=True)
class Invitation:
    """What an invitation says."""

    where: str
    """The file, for messages."""
    address: str
    """Address of the study's page, as the file states it; not looked at yet."""
    notices: Mapping[str, str]
    """Language → SHA-256 (hex) of the notice's bytes in it."""

    def language(self, wanted: str) -> str:
        """Return the language to ask for the notice in: the wanted one, if it is promised."""
        return wanted if wanted in self.notices else next(iter(self.notices))

    def check(self, language: str, sha256: str) -> None:
        """Raise `Refused` unless this is the notice that was promised in this language."""
        if self.notices.get(language) != sha256:
            raise Refused(
                "the study at this address says other than this invitation promises; "
                "nothing is recorded",
                where=self.where,
                do=_ASK,
            )


def invitation(study: Study, address: str) -> str:
    """Return the text of an invitation to a live study at the address of its page."""
    from overt.consent.notice import notice_sha256

    lines = [
        "# An invitation to take part in a study: overt record --study THIS-FILE",
        "# You are shown the notice, and asked, before anything happens. It must be, byte for",
        "# byte, one of those below (SHA-256, as on the receipt); else nothing is recorded.",
        f"invitation = {VERSION}",
        f'study = "{address}"',
        "",
        "[notice]",
    ]
    lines += [f'{language} = "{notice_sha256(study, language)}"' for language in study.notice]
    return "\n".join(lines) + "\n"


def read(source: bytes, where: str) -> Invitation:
    """Return what the bytes of a file say; `where` is the file, for messages.

    Raises `InvalidInput` where they are no invitation.
    """
    try:
        said = tomllib.loads(source.decode()) if len(source) <= BYTES_MAX else {}
    except (ValueError, RecursionError):
        said = {}
    if "purposes" in said and "invitation" not in said:
        raise InvalidInput(
            "is a study, and does not say where it can be joined",
            where=where,
            do="Who runs it makes an invitation: overt study invite ID --at https://example.org",
        )
    if "invitation" not in said or said.keys() - _NAMES:
        raise InvalidInput("is not an invitation to a study", where=where, do=_ASK)
    if said["invitation"] != VERSION:
        raise InvalidInput(
            "is an invitation of a later Overt than this", where=where, do="Install a newer one."
        )
    address, notices = said.get("study"), said.get("notice")
    if not isinstance(address, str) or not address:
        raise InvalidInput("does not say where its study can be joined", where=where, do=_ASK)
    if not isinstance(notices, dict) or not notices or not all(map(_is_hash, notices.values())):
        raise InvalidInput("does not say what its study promises", where=where, do=_ASK)
    return Invitation(where, address, notices)


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and bool(_SHA256.fullmatch(value))
