"""Checkpoints of the log: C2SP tlog-checkpoint in a C2SP signed note, Ed25519. Reads only.

```
overt.local/3f2c…            origin
1042                         tree size
CsUYapGGPo4dkMgIAUqom/X…=    root hash, base64
                             empty line
— overt.local/3f2c… Az3g…=   name, base64(key id, 4 bytes || signature, 64 bytes)
```
The key id is the first four bytes of SHA-256(name || 0x0A || 0x01 || public key). The text form of
a verifier key is `name+hex(key id)+base64(0x01 || public key)`. Sources: c2sp.org/signed-note and
c2sp.org/tlog-checkpoint.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from overt.schema.errors import Damaged

ED25519 = b"\x01"
NOTE_BYTES_MAX = 16 * 1024
"""A checkpoint is about 250 bytes; witnesses may add signatures."""

SIGNATURES_MAX = 100
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_NAME = re.compile(r"[^\s+]{1,200}")


def _damaged(what: str, where: str) -> Damaged:
    return Damaged(what, where=where, do="Ask the holder of the log for an undamaged copy.")


def _base64(text: str, where: str) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _damaged("not base64", where) from error
    if base64.b64encode(value).decode() != text:
        raise _damaged("base64 is not in its canonical form", where)
    return value


def key_id(name: str, public: bytes) -> bytes:
    """Return the four bytes that stand for a key in signature lines."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


@dataclass(frozen=True)
class VerifierKey:
    """A public key with the name it signs under; `public` is 32 bytes."""

    name: str
    public: bytes

    def __str__(self) -> str:
        encoded = base64.b64encode(ED25519 + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    @property
    def id(self) -> bytes:
        """The four bytes that stand for this key in signature lines."""
        return key_id(self.name, self.public)

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Return the key of a text form; raises `Damaged` if anything about it is off."""
        name, plus, rest = text.partition("+")
        digest, plus2, encoded = rest.partition("+")
        if not plus or not plus2 or not _NAME.fullmatch(name):
            raise _damaged("not a verifier key (name+id+base64)", "key")
        raw = _base64(encoded, "key")
        if len(raw) != 33 or raw[:1] != ED25519:
            raise _damaged("not an Ed25519 key", "key")
        key = cls(name, raw[1:])
        if digest != key.id.hex():
            raise _damaged("the key id does not belong to this name and key", "key")
        return key

    def accepts(self, signature: bytes, message: bytes) -> bool:
        """Tell whether `signature` (64 bytes) over `message` is this key's."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def open_note(note: str, key: VerifierKey) -> str:
    """Return the text of a signed note after checking the key's signature.

    Signatures of other keys are ignored, as the note format asks.

    Raises:
        Damaged: malformed, no signature by `key`, or one that does not verify.
    """
    if len(note.encode(errors="surrogatepass")) > NOTE_BYTES_MAX:
        raise _damaged("longer than a signed note may be", "note")
    if any((ord(c) < 0x20 and c != "\n") or 0xD800 <= ord(c) <= 0xDFFF for c in note):
        raise _damaged("has characters that a signed note may not have", "note")
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise _damaged("malformed signed note", "note")
    text += "\n"
    signatures = lines[:-1].split("\n")
    if len(signatures) > SIGNATURES_MAX:
        raise _damaged("too many signatures", "note")
    found = False
    for line in signatures:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash != "\N{EM DASH}" or not _NAME.fullmatch(name):
            raise _damaged("malformed signature line", "note")
        raw = _base64(encoded, "note")
        if len(raw) < 5:
            raise _damaged("malformed signature line", "note")
        if name != key.name or raw[:4] != key.id:
            continue
        if not key.accepts(raw[4:], text.encode()):
            raise _damaged("the signature does not verify", "note")
        found = True
    if not found:
        raise _damaged("not signed by the expected key", "note")
    return text


@dataclass(frozen=True)
class Checkpoint:
    """A signed statement: the log `origin` had `size` entries under the 32-byte `root`."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """Return the checkpoint in a signed note.

    Raises:
        Damaged: the note does not verify, is not a checkpoint, or is another log's.
    """
    lines = open_note(note, key).split("\n")
    if len(lines) < 4 or not all(lines[:-1]):
        raise _damaged("not a checkpoint", "checkpoint")
    if lines[0] != key.name:
        raise _damaged("origin and name of the key differ", "checkpoint")
    if not _SIZE.fullmatch(lines[1]):
        raise _damaged("malformed tree size", "checkpoint")
    root = _base64(lines[2], "checkpoint")
    if len(root) != 32:
        raise _damaged("malformed root hash", "checkpoint")
    return Checkpoint(lines[0], int(lines[1]), root)
