"""A second device of the same person: the grant passes from one to the other, sealed by a code.

The code has 60 random bits, lasts ten minutes and works once. What it leads to at the server and
what opens it there both come from it by scrypt, so that guessing it, for whoever holds the sealed
grant, costs a tenth of a second each of 2^60 times. The recovery code does not go along, nor which
applications are switched on: that is for each computer.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from overt.consent.invitation import Invitation
from overt.device.account import Account, Grant
from overt.device.notice import check_notice
from overt.schema.errors import InvalidInput, NotConsented, Refused

_SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ = str.maketrans("ILO", "110")
CODE_SYMBOLS = 12
HANDED = (
    "receipt_id", "receipt", "device_secret", "purposes", "level", "transform", "outbox_delay_s",
    "hold_days", "notice_sha256", "lang",
)  # fmt: skip
_NONCE_BYTES = 12
PAIR = "pair="
LASTS_S = 600.0
"""So long the server keeps what a code leads to."""


def new_code() -> str:
    """Return a fresh code, such as `7Z3K-4QHM-0WXB`."""
    symbols = "".join(secrets.choice(_SYMBOLS) for _ in range(CODE_SYMBOLS))
    return "-".join(symbols[k : k + 4] for k in range(0, CODE_SYMBOLS, 4))


def scanned(address: str, study: str, code: str) -> str:
    """Return what the square on the first device says: the study's address with the code behind.

    What stands behind `#` is not sent to a server, should somebody open it in a browser.
    """
    return f"{address}/study/{study}#{PAIR}{code}"


def code_in(address: str) -> str | None:
    """Return the code of an address as `scanned` makes it, or None."""
    _, _, behind = address.partition(f"#{PAIR}")
    return behind or None


def _place_and_key(code: str, study: str) -> tuple[str, bytes]:
    symbols = "".join(code.upper().split()).replace("-", "").translate(_READ)
    if len(symbols) != CODE_SYMBOLS or not set(symbols) <= set(_SYMBOLS):
        raise InvalidInput(
            "has twelve letters and digits in groups of four",
            where="code",
            do="Copy it from the first device.",
        )
    salt = b"overt pair 1\n" + study.encode()
    made = hashlib.scrypt(symbols.encode(), salt=salt, n=2**15, r=8, p=1, maxmem=2**26, dklen=48)
    return made[:16].hex(), made[16:]


def offer(account: Account, study: str) -> str:
    """Leave this device's grant, sealed, at the server; returns the code that leads to it."""
    grant = account.grant
    if grant is None:
        raise NotConsented("nobody has joined on this device", where="grant", do="Join first.")
    code = new_code()
    place, key = _place_and_key(code, study)
    handed = {name: getattr(grant, name) for name in HANDED}
    handed["receipt"] = {k: v for k, v in grant.receipt.items() if k != "recovery_code"}
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, json.dumps(handed).encode(), study.encode())
    account.ask_as_person(
        "POST", "/v1/me/pair", {"place": place, "sealed": base64.b64encode(sealed).decode()}
    )
    return code


Switched = Callable[[dict[str, Any], tuple[str, ...]], tuple[dict[str, Any], ...]]
"""Notice, purposes that were chosen on the first device → applications switched on here."""


def take(
    account: Account,
    study: str,
    code: str,
    switched: Switched,
    invitation: Invitation | None = None,
) -> Grant:
    """Fetch the grant that a code leads to, and keep it with what the person switches on here.

    Where there is an `invitation`, only under the notice that it promises.
    """
    place, key = _place_and_key(code, study)
    sealed = base64.b64decode(account.ask_anyone("POST", "/v1/pair", {"place": place})["sealed"])
    try:
        plain = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], study.encode())
        handed = json.loads(plain)
        handed = {name: handed[name] for name in HANDED}
    except (InvalidTag, ValueError, KeyError) as error:
        raise Refused(
            "what the server handed over does not open with this code",
            where="code",
            do="Ask the first device for another.",
        ) from error
    shown = account.notice(handed["lang"])
    if invitation is not None:
        invitation.check(handed["lang"], shown.sha256)
    check_notice(shown.notice, study)
    if handed["notice_sha256"] != shown.sha256:
        raise Refused(
            "the notice has changed since the first device joined",
            where="notice",
            do="Start `overt record` on the first device, read it there, and pair again.",
        )
    return account.pair(handed, switched(shown.notice, tuple(handed["purposes"])))
