"""Salted commitments: the log holds SHA-256(salt || detail); who holds the salt can open it.

Without the 32 random bytes of salt nobody can find out, by guessing details, which person an
entry is about. The person gets the salts of their own entries; where the store keeps them it keeps
them sealed under the person's key, so that they go with it. Reads only (drawing a salt aside).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from overt.schema.canonical import canonical
from overt.schema.errors import Damaged

SALT_BYTES = 32


def commit(detail: dict[str, Any], salt: bytes | None = None) -> tuple[bytes, str]:
    """Return a fresh salt (32 bytes) and the commitment (hex) to `detail`.

    `salt` is given only to reproduce a commitment.
    """
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    return salt, hashlib.sha256(salt + canonical(detail)).hexdigest()


def opens(salt: bytes, detail: dict[str, Any], commitment: str) -> bool:
    """Tell whether salt and detail are what the commitment was made of."""
    if len(salt) != SALT_BYTES:
        return False
    made = hashlib.sha256(salt + canonical(detail)).hexdigest()
    return hmac.compare_digest(made.encode(), commitment.encode())


@dataclass(frozen=True)
class Opening:
    """What opens entry `n`: salt (32 bytes) and detail."""

    n: int
    salt: bytes
    detail: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the opening for a receipt or bundle; the salt in hex."""
        return {"n": self.n, "salt": self.salt.hex(), "detail": self.detail}


def read_opening(document: Any) -> Opening:
    """Return the opening in `document`; raises `Damaged` if it is none."""
    if not isinstance(document, dict) or set(document) != {"n", "salt", "detail"}:
        raise Damaged("not an opening (n, salt, detail)", where="opening")
    n, salt, detail = document["n"], document["salt"], document["detail"]
    if type(n) is not int or n < 0 or not isinstance(detail, dict) or not isinstance(salt, str):
        raise Damaged("not an opening (n, salt, detail)", where="opening")
    try:
        raw = bytes.fromhex(salt)
    except ValueError as error:
        raise Damaged("the salt is not hex", where=f"opening of entry {n}") from error
    if len(raw) != SALT_BYTES or raw.hex() != salt:
        raise Damaged("the salt is not 32 bytes of hex", where=f"opening of entry {n}")
    return Opening(n, raw, detail)
