"""The environment that programs are started in which need no key of ours."""

from __future__ import annotations

import os

PASSPHRASE_VARIABLE = "OVERT_PASSPHRASE"  # noqa: S105 - the name of a variable, not a secret


def keyless(**more: str) -> dict[str, str]:
    """Return our environment without the passphrase, and with these variables."""
    return {name: text for name, text in os.environ.items() if name != PASSPHRASE_VARIABLE} | more
