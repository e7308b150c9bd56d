"""The log's signing key: signs checkpoints, receipts and certificates (Ed25519)."""

from __future__ import annotations

import base64
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from overt.log.checkpoint import Checkpoint, VerifierKey
from overt.log.document import signed_bytes


class Signer:
    """Signs as `origin` with the Ed25519 key of a 32-byte seed.

    The origin names the log: a URL without scheme, no spaces, no plus. The seed lives in the
    keyring; who holds it can sign a second history, which is why people keep checkpoints.
    """

    def __init__(self, origin: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        key = VerifierKey(origin, self._key.public_key().public_bytes_raw())
        self.key = VerifierKey.parse(str(key))
        self.origin = origin

    def note(self, text: str) -> str:
        """Return `text` (ending in a line feed) as a signed note."""
        line = base64.b64encode(self.key.id + self._key.sign(text.encode())).decode()
        return f"{text}\n\N{EM DASH} {self.origin} {line}\n"

    def checkpoint(self, size: int, root: bytes) -> str:
        """Return the signed checkpoint of a tree."""
        return self.note(Checkpoint(self.origin, size, root).text())

    def document(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        """Return a copy of `document` with its signature; `kind` is receipt or certificate."""
        value = base64.b64encode(self._key.sign(signed_bytes(kind, document))).decode()
        return {**document, "signature": {"key": str(self.key), "value": value}}
