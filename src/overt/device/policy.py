"""What an organisation lets be recorded on its computers: a file that can only narrow.

It joins nobody, switches nothing on and hides nothing. What is not understood in it narrows to
nothing at all, as in the browser extension.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overt.schema.errors import Refused

_DO = "Ask whoever manages this computer."


def place() -> Path:
    """Return where an organisation puts the file."""
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "Overt" / "policy.toml"
    if sys.platform == "darwin":
        return Path("/Library/Application Support/Overt/policy.toml")
    return Path("/etc/overt/policy.toml")


@dataclass(frozen=True)
class Policy:
    """What may be; None: the policy says nothing of it."""

    where: str = ""
    stopped: bool = False
    servers: tuple[str, ...] | None = None
    """Addresses that may be joined, such as `https://study.example.org`."""
    programs: tuple[str, ...] | None = None
    """Program files that may be recorded in, by name or full path."""

    def check(self, server: str = "") -> None:
        """Raise `Refused` where nothing may be recorded, or nothing for this server."""
        if self.stopped:
            raise Refused(
                "the organisation's policy stops all recording on this computer",
                where=self.where,
                do=_DO,
            )
        if server and self.servers is not None and server not in self.servers:
            raise Refused(
                "the organisation's policy does not let this server be joined",
                where=self.where,
                do=_DO,
            )

    def allows(self, program: str) -> bool:
        """Return whether there may be recording in a program, named as a study names it."""
        return self.programs is None or program in self.programs

    def narrowed(self, applications: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
        """Return applications with the programs that are left; those with none are left out."""
        left = [
            {**one, "executables": [name for name in one["executables"] if self.allows(name)]}
            for one in applications
        ]
        return tuple(one for one in left if one["executables"])


def policy() -> Policy:
    """Return the policy of this computer; one that cannot be read or followed stops everything."""
    where = place()
    try:
        told = tomllib.loads(where.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Policy()
    except (OSError, ValueError):
        return Policy(str(where), stopped=True)
    stopped = told.pop("stopped", False)
    lists = [told.pop(name, None) for name in ("servers", "programs")]
    known = not told and isinstance(stopped, bool)
    if not known or not all(one is None or _is_texts(one) for one in lists):
        return Policy(str(where), stopped=True)
    servers, programs = (None if one is None else tuple(one) for one in lists)
    return Policy(str(where), stopped, servers, programs)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
