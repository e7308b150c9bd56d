"""AES-256-GCM sealing: `nonce (12) | ciphertext | tag (16)`, with the place bound in."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from overt.schema.errors import Damaged

KEY_BYTES = 32
NONCE_BYTES = 12
SEAL_BYTES = NONCE_BYTES + 16
"""What sealing adds to the plain bytes."""


def seal(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """Return `plain` sealed under `key` (32 bytes); `bound` must be given again to open it."""
    return seal_with(AESGCM(key), os.urandom(NONCE_BYTES), plain, bound)


def seal_with(cipher: AESGCM, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
    """Return what `seal` does, under a cipher and a fresh random nonce (12 bytes) of the caller."""
    return nonce + cipher.encrypt(nonce, plain, bound)


def unseal(key: bytes, sealed: bytes, bound: bytes, *, where: str) -> bytes:
    """Return the plain bytes, or raise `Damaged` naming `where`."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as error:
        raise Damaged("does not open with its key", where=where) from error
