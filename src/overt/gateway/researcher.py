"""The researcher's key: who shows it may open the researcher's page of this data directory.

The key and the passes made with it are derived from one secret in the keyring, so nothing of them
is stored anywhere else; who can open the keyring could read more than that page shows. A new key
ends every pass made with the one before.
"""

from __future__ import annotations

import hmac

from overt.consent.recovery import read_code, write_code
from overt.schema.errors import InvalidInput
from overt.store.store import Store

PASS_S = 12 * 3600
"""How long a browser that showed the key is let in."""

_SECRET = "researcher"  # noqa: S105 - the name of a secret
_KEY_BYTES = 16


def key(store: Store) -> str:
    """Return the key: seven groups of four symbols, made at first use."""
    return write_code(_key_bytes(store.keyring.secret(_SECRET)))


def new_key(store: Store) -> str:
    """Replace the key, and so end every pass; return the new one."""
    store.keyring.renew_secret(_SECRET)
    return key(store)


def is_key(store: Store, shown: str) -> bool:
    """Tell whether this is the key, however it is spaced; a typing mistake is told from nothing."""
    try:
        given = read_code(shown)
    except InvalidInput:
        given = bytes(_KEY_BYTES)
    return hmac.compare_digest(given, _key_bytes(store.keyring.secret(_SECRET)))


def issue_pass(store: Store, now_s: int) -> str:
    """Return a pass for a browser, good for `PASS_S` from now."""
    until_s = str(now_s + PASS_S)
    return f"{until_s}.{_mac(store, until_s)}"


def is_pass(store: Store, shown: str, now_s: int) -> bool:
    """Tell whether this pass was issued under the key there is now, and is not over."""
    until_s, _, mac = shown.partition(".")
    if not until_s.isascii() or not until_s.isdigit() or len(until_s) > 12:
        return False
    good = hmac.compare_digest(mac.encode(), _mac(store, until_s).encode())
    return good and now_s < int(until_s)


def _key_bytes(secret: bytes) -> bytes:
    return hmac.digest(secret, b"overt researcher key 1", "sha256")[:_KEY_BYTES]


def _mac(store: Store, until_s: str) -> str:
    secret = store.keyring.secret(_SECRET)
    return hmac.digest(secret, f"overt researcher pass 1 {until_s}".encode(), "sha256").hex()
