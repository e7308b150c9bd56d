"""The log on disk: one canonical entry a line, durable before it is acknowledged.

```
entries.jsonl   the entries, append-only
checkpoint      the newest checkpoint that was handed out; the entries must extend it
intent          only while several entries are being written at once: where they begin
lock            held while anything is written; server and command line take turns
```
A crash can leave an unacknowledged tail: a last line that is not whole, or, after `intent`, some
lines. It is cut off when the log is next opened or written. Anything else that is not as it should
be is `Damaged`, and nothing is written until a person has looked.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from overt.log.checkpoint import open_checkpoint
from overt.log.entry import Entry, read_entry
from overt.log.lock import exclusive
from overt.log.merkle import Frontier
from overt.log.signer import Signer
from overt.schema.errors import Damaged, OvertError


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


def _sync_directory(path: Path) -> None:
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write_durably(path: Path, data: bytes) -> None:
    """Replace `path` in one step, durable before return."""
    scratch = path.with_name(path.name + ".new")
    with scratch.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    _sync_directory(path.parent)


class Log:
    """An open log. Threads and processes may share the directory; each append takes the lock.

    >>> log = Log.open(directory, Signer("overt.local/demo", seed))  # doctest: +SKIP
    >>> log.append("consent", "five-minutes", commitment)            # doctest: +SKIP
    0
    """

    def __init__(self, directory: Path, signer: Signer, today: Callable[[], str]) -> None:
        self._directory = directory
        self._path = directory / "entries.jsonl"
        self._signer = signer
        self._today = today
        self._guard = threading.RLock()
        self._entries: list[Entry] = []
        self._leaves: list[bytes] = []
        self._frontier = Frontier()
        self._offset = 0

    @classmethod
    def open(cls, directory: Path | str, signer: Signer, today: Callable[[], str] = _today) -> Log:
        """Open the log in `directory`, making it if there is none, and check all of it.

        `today` returns the day (UTC, ISO 8601) that new entries carry.

        Raises:
            Damaged: an entry is not whole, or the entries do not extend the last checkpoint.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = cls(directory, signer, today)
        with log._guard, exclusive(directory / "lock"):
            log._path.touch(mode=0o600)
            _sync_directory(directory)
            log._catch_up()
            log._check_against_checkpoint()
        return log

    @property
    def origin(self) -> str:
        """Name of the log, as in its checkpoints."""
        return self._signer.origin

    @property
    def key(self) -> str:
        """Text form of the key that verifies the log's signatures."""
        return str(self._signer.key)

    @property
    def size(self) -> int:
        """Entries known to this process; `refresh` looks for those of others."""
        return len(self._entries)

    def append(self, kind: str, study: str, commitment: str) -> int:
        """Append one entry and return its number; it is durable then."""
        return self.append_all([(kind, study, commitment)])[0]

    def append_all(self, items: Iterable[tuple[str, str, str]]) -> list[int]:
        """Append entries (kind, study, commitment) with one fsync; return their numbers."""
        with self._guard, exclusive(self._directory / "lock"):
            self._catch_up()
            day, first = self._today(), self.size
            entries = [Entry(first + k, *item[:2], day, item[2]) for k, item in enumerate(items)]
            if not entries:
                return []
            intent = self._directory / "intent"
            if len(entries) > 1:
                _write_durably(intent, str(self._offset).encode())
            data = b"".join(entry.to_bytes() + b"\n" for entry in entries)
            with self._path.open("r+b") as file:
                file.seek(self._offset)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if len(entries) > 1:
                intent.unlink()
                _sync_directory(self._directory)
            self._take(entries, len(data))
            return [entry.n for entry in entries]

    def checkpoint(self) -> str:
        """Return a signed checkpoint of the log as it is now; kept as the floor of the log."""
        with self._guard, exclusive(self._directory / "lock"):
            self._catch_up()
            note = self._signer.checkpoint(self.size, self._frontier.root())
            path = self._directory / "checkpoint"
            if not path.exists() or path.read_text(encoding="utf-8") != note:
                _write_durably(path, note.encode())
            return note

    def sign(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        """Return `document` signed by the log's key; `kind` is receipt or certificate."""
        return self._signer.document(kind, document)

    def refresh(self) -> int:
        """Take in what other processes have appended; return the size."""
        with self._guard, exclusive(self._directory / "lock"):
            self._catch_up()
            return self.size

    def entries(self, start: int = 0, end: int | None = None) -> list[Entry]:
        """Return entries `start` up to, without, `end` (all by default)."""
        with self._guard:
            return self._entries[start:end]

    def leaves(self, end: int | None = None) -> list[bytes]:
        """Return the leaf hashes of the first `end` entries (all by default)."""
        with self._guard:
            return self._leaves[:end]

    def _take(self, entries: list[Entry], length: int) -> None:
        for entry in entries:
            leaf = entry.leaf()
            self._entries.append(entry)
            self._leaves.append(leaf)
            self._frontier.append(leaf)
        self._offset += length

    def _catch_up(self) -> None:
        """Read what was appended since the last look; cut off an unacknowledged tail."""
        size = self._path.stat().st_size
        if size < self._offset:
            raise Damaged(
                f"the log has shrunk: {self.size} entries were there",
                where=str(self._path),
                do="Restore the file; nothing is written until it is whole.",
            )
        if size > self._offset:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                self._read(file.read())
        (self._directory / "intent").unlink(missing_ok=True)

    def _read(self, data: bytes) -> None:
        entries: list[Entry] = []
        good = 0
        problem: OvertError | None = None
        while good < len(data):
            stop = data.find(b"\n", good)
            line = data[good:stop] if stop >= 0 else data[good:]
            try:
                entry = self._parse(line, self.size + len(entries))
                if stop < 0:
                    raise Damaged("the line is not whole", where=f"entry {entry.n}")
            except OvertError as error:
                problem = error
                break
            entries.append(entry)
            good = stop + 1
        self._take(entries, good)
        if problem is not None:
            self._cut(data[good:], problem)

    @staticmethod
    def _parse(line: bytes, n: int) -> Entry:
        try:
            entry = read_entry(json.loads(line), n)
        except (ValueError, RecursionError) as error:
            raise Damaged("not JSON", where=f"entry {n}") from error
        if entry.to_bytes() != line:
            raise Damaged("not in canonical form", where=f"entry {n}")
        return entry

    def _cut(self, tail: bytes, problem: OvertError) -> None:
        """Cut `tail` off if a crash can have left it there; else say what is damaged."""
        intent = self._directory / "intent"
        several = intent.exists() and self._offset >= int(intent.read_bytes())
        zeroed = b"\x00" in tail and b"\n" not in tail.rstrip(b"\x00")[:-1]
        if not (several or zeroed or b"\n" not in tail):
            raise problem
        with self._path.open("r+b") as file:
            file.truncate(self._offset)
            file.flush()
            os.fsync(file.fileno())

    def _check_against_checkpoint(self) -> None:
        path = self._directory / "checkpoint"
        if not path.exists():
            return
        known = open_checkpoint(path.read_text(encoding="utf-8"), self._signer.key)
        frontier = Frontier()
        for leaf in self._leaves[: known.size]:
            frontier.append(leaf)
        if frontier.size != known.size or frontier.root() != known.root:
            raise Damaged(
                f"the entries do not extend the checkpoint of size {known.size}",
                where=str(self._path),
                do="Restore the log; people hold checkpoints that would show the fork.",
            )
