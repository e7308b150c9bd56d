"""Sealed derived files: features, data sets, models. Each has its own key and its members.

```
"OVA1" | sealed head, u32 length then bytes | sealed parts, each u32 length then bytes
```

The head is JSON with `name`, `members` (rows of the subjects it was made from) and `parts`; so
an erasure finds every file a person is in, and the database does not say who is in which. Parts
hold 16 MiB each; row id and number are bound in. Destroying overwrites the key, then the file.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from overt.schema.errors import Damaged, Missing
from overt.store.control import Control
from overt.store.files import locked, make_folder, overwrite, write_new
from overt.store.keyring import Keyring
from overt.store.layout import Layout
from overt.store.seal import seal, unseal

MAGIC = b"OVA1"
PART_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Artefact:
    """An artefact as filed; `kind` is such as features, dataset, model, card."""

    row: str
    kind: str
    study: str
    purpose: str
    day: int


class Artefacts:
    """The folder of artefacts."""

    def __init__(self, layout: Layout, keyring: Keyring, control: Control) -> None:
        self._layout, self._keyring, self._control = layout, keyring, control
        make_folder(layout.artefacts)

    def put(
        self,
        kind: str,
        study: str,
        purpose: str,
        name: str,
        data: bytes,
        members: Iterable[str],
    ) -> str:
        """Seal and file `data`, made from the subjects `members`; durable. Return its row."""
        with self._folder(fcntl.LOCK_SH):
            return self._put(kind, study, purpose, name, data, sorted(members))

    def _put(
        self, kind: str, study: str, purpose: str, name: str, data: bytes, members: list[str]
    ) -> str:
        row = os.urandom(16).hex()
        key = self._keyring.artefact_key(row, create=True)
        if key is None:
            raise Missing("no key was made", where=f"artefact {row}")
        parts = [data[at : at + PART_BYTES] for at in range(0, len(data), PART_BYTES)]
        head = {"name": name, "members": members, "parts": len(parts)}
        sealed = [seal(key, json.dumps(head).encode(), _bound(row, "head"))]
        sealed += [seal(key, part, _bound(row, number)) for number, part in enumerate(parts)]
        framed = [piece for s in sealed for piece in (len(s).to_bytes(4, "little"), s)]
        write_new(self._layout.artefact(row), b"".join([MAGIC, *framed]))
        self._control.put_artefact(row, kind, study, purpose)
        return row

    def filed(
        self, study: str | None = None, kind: str | None = None, purpose: str | None = None
    ) -> list[Artefact]:
        """Return the artefacts of a study, kind, purpose; oldest first."""
        return [Artefact(*values) for values in self._control.artefacts(study, kind, purpose)]

    def get(self, row: str) -> bytes:
        """Return the content. Raises `Missing` or `Damaged`."""
        sealed, key = self._pieces(row), self._key(row)
        head = self._head(row, sealed[0], key)
        if head["parts"] != len(sealed) - 1:
            raise Damaged("has lost a part", where=f"artefact {row}")
        return b"".join(
            unseal(key, part, _bound(row, number), where=f"artefact {row}")
            for number, part in enumerate(sealed[1:])
        )

    def name(self, row: str) -> str:
        """Return the name the artefact was filed under."""
        return str(self._head(row, self._pieces(row)[0], self._key(row))["name"])

    def members(self, row: str) -> list[str]:
        """Return the rows of the subjects the artefact was made from."""
        head = self._head(row, self._pieces(row)[0], self._key(row))
        return [str(member) for member in head["members"]]

    def with_member(self, subject: str) -> list[Artefact]:
        """Return the readable artefacts made from this subject's events, oldest first."""
        readable = set(self._keyring.artefact_rows())
        return [a for a in self.filed() if a.row in readable and subject in self.members(a.row)]

    def destroy(self, row: str) -> None:
        """Destroy the key, overwrite and remove the file, forget the row. Repeating is fine."""
        self._keyring.destroy(row)
        overwrite(self._layout.artefact(row))
        self._control.drop_artefact(row)

    def sweep(self) -> int:
        """Finish what a crash interrupted: remove what lacks its entry, key or file.

        Returns how many were removed; does nothing while another process files an artefact.
        """
        with self._folder(fcntl.LOCK_EX | fcntl.LOCK_NB) as held:
            if not held:
                return 0
            entries = {artefact.row for artefact in self.filed()}
            keys = set(self._keyring.artefact_rows())
            files = {path.stem for path in self._layout.artefacts.glob("*.art")}
            broken = (entries | keys | files) - (entries & keys & files)
            for row in broken:
                self.destroy(row)
            for path in self._layout.artefacts.glob(".*"):
                overwrite(path)
            return len(broken)

    @contextmanager
    def _folder(self, kind: int) -> Iterator[bool]:
        """Hold a lock on the folder; yield whether it was got."""
        descriptor = os.open(self._layout.artefacts, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with locked(descriptor, kind):
                yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(descriptor)

    def _key(self, row: str) -> bytes:
        key = self._keyring.artefact_key(row)
        if key is None:
            raise Missing("there is no such artefact, or it was erased", where=f"artefact {row}")
        return key

    def _pieces(self, row: str) -> list[bytes]:
        try:
            data = self._layout.artefact(row).read_bytes()
        except FileNotFoundError as error:
            raise Missing("there is no such artefact", where=f"artefact {row}") from error
        at, pieces = 4, []
        while at < len(data):
            length = int.from_bytes(data[at : at + 4], "little")
            pieces.append(data[at + 4 : at + 4 + length])
            at += 4 + length
        if data[:4] != MAGIC or at != len(data) or not pieces:
            raise Damaged("is not a sealed artefact", where=f"artefact {row}")
        return pieces

    def _head(self, row: str, sealed: bytes, key: bytes) -> dict[str, Any]:
        plain = unseal(key, sealed, _bound(row, "head"), where=f"artefact {row}")
        head: dict[str, Any] = json.loads(plain)
        return head


def _bound(row: str, part: int | str) -> bytes:
    return f"overt artefact 1 {row} {part}".encode()
