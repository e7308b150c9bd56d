"""What waits on this computer, and how it leaves: looked at, removed, sent, acknowledged."""

from __future__ import annotations

import gzip
import json
import random
import time
from dataclasses import dataclass, replace

from overt.device.account import GONE, Account, spoken
from overt.device.clock import CLOCK
from overt.device.kept import Kept
from overt.device.vault import Vault, as_json
from overt.schema import batch
from overt.schema.columns import reheaded
from overt.schema.errors import OvertError

_WAIT_FIRST_S, _WAIT_LAST_S = 1.0, 300.0
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Entry:
    """One batch that waits, as the person may look at it."""

    name: str
    closed_ms: int
    due_ms: int
    rows: int
    sent: bool
    plain: bytes
    """The bytes that will leave, before compression."""

    @property
    def session(self) -> str:
        """The session it belongs to."""
        return self.name.split("/")[1]


class Outbox:
    """The batches of a vault. Nothing leaves it but by acknowledgement, removal or a count."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.kept = Kept(vault)
        """What never leaves: whatever the person takes out here, they take out there."""
        self._failures = 0
        self._not_before_s = 0.0
        self._due_ms: dict[str, int] = {}
        """When each entry that we saw may leave: so that waiting costs no opening of it."""

    def entries(self) -> list[Entry]:
        """Return what waits, oldest first."""
        found = [_opened(name, value) for name, value in self.vault.items("outbox/")]
        return sorted(found, key=lambda entry: (entry.closed_ms, entry.name))

    def _due(self, now_ms: int) -> list[Entry]:
        """Return what may leave now, oldest first."""
        names = self.vault.names("outbox/")
        self._due_ms = {one: self._due_ms[one] for one in names if one in self._due_ms}
        found = []
        for name in names:
            if self._due_ms.get(name, 0) > now_ms or (value := self.vault.get(name)) is None:
                continue
            entry = _opened(name, value)
            self._due_ms[name] = entry.due_ms
            if entry.due_ms <= now_ms:
                found.append(entry)
        return sorted(found, key=lambda entry: (entry.closed_ms, entry.name))

    def clock_was_set(self) -> int:
        """Let what waits keep its real age when the wall clock was set. Returns by how many ms.

        At no moment in between is anything due that was not due before.
        """
        ahead_ms = CLOCK.jumped_ms()
        if not ahead_ms:
            return 0
        if ahead_ms < 0:
            CLOCK.follow(ahead_ms)
        with self.vault.alone:
            moved: dict[str, bytes | None] = {
                entry.name: _packed(
                    replace(
                        entry,
                        closed_ms=entry.closed_ms + ahead_ms,
                        due_ms=entry.due_ms + ahead_ms,
                    ),
                    entry.plain,
                )
                for entry in self.entries()
            }
            self._due_ms = {}
            self.vault.change(moved | self.kept.moved(ahead_ms))
        if ahead_ms > 0:
            CLOCK.follow(ahead_ms)
        return ahead_ms

    def counts(self) -> dict[str, int]:
        """Return events over all sessions: produced, waiting, removed, acknowledged, lost."""
        names = ("produced", "removed", "acknowledged", "lost", "quarantined")
        total = dict.fromkeys(names, 0)
        for _, value in self.vault.items("counts/"):
            counted = json.loads(value)
            for name in names:
                total[name] += int(counted.get(name, 0))
        ended = sum(total[name] for name in names[1:])
        return {**total, "waiting": total["produced"] - ended}

    def remove_since(self, since_ms: int) -> int:
        """Remove what was closed since then and never left, and what is kept here of that time.

        Returns how many events will not leave.
        """
        self.kept.remove_since(since_ms)
        return self._remove([one for one in self.entries() if one.closed_ms >= since_ms])

    def remove(self, names: list[str]) -> int:
        """Remove entries by name that never left. Returns how many events."""
        return self._remove([one for one in self.entries() if one.name in names])

    def _remove(self, entries: list[Entry]) -> int:
        removed = sum(self._end(entry, "removed") for entry in entries if not entry.sent)
        self.vault.purge()
        return removed

    def narrow(self, receipt: str, purposes: tuple[str, ...]) -> None:
        """After a withdrawal: drop what only withdrawn purposes needed, rename the rest."""
        self.kept.narrow(purposes)
        for entry in self.entries():
            header, _ = batch.read_header(entry.plain)
            left = tuple(one for one in header.purposes if one in purposes)
            if header.receipt != receipt or left == header.purposes:
                continue
            if not left:
                self._end(entry, "removed")
            else:
                plain = reheaded(entry.plain, purposes=left)
                self.vault.change({entry.name: _packed(entry, plain)})

    def _end(self, entry: Entry, how: str) -> int:
        """End an entry and count it in one change; whoever told the session's end hands it on."""
        with self.vault.alone:
            return self._ended(entry, how)

    def _ended(self, entry: Entry, how: str) -> int:
        place = f"counts/{entry.session}"
        counts = self.vault.get_json(place, {})
        counts[how] = int(counts.get(how, 0)) + entry.rows
        change: dict[str, bytes | None] = {entry.name: None, place: as_json(counts)}
        header, _ = batch.read_header(entry.plain)
        if how in ("removed", "lost") and header.end:
            others = [
                one
                for one in self.entries()
                if one.session == entry.session and one.name != entry.name and not one.sent
            ]
            if others:
                heir = others[-1]
                change[heir.name] = _packed(
                    heir, reheaded(heir.plain, end=True, produced=header.produced)
                )
        self.vault.change(change)
        return entry.rows

    def send(self, account: Account, hold_days: int, *, force: bool = False) -> bool:
        """Try what is due, oldest first, until one must wait. False: a purpose was withdrawn."""
        if not force and time.monotonic() < self._not_before_s:
            return True
        now_ms = CLOCK.now_ms()
        for entry in self.entries() if force else self._due(now_ms):
            if now_ms > entry.due_ms + hold_days * _DAY_MS:
                self._end(entry, "lost")
                continue
            outcome = self._try(account, entry)
            if outcome == "gone":
                return False
            if outcome == "wait":
                break
        return True

    def _try(self, account: Account, entry: Entry) -> str:
        plain = entry.plain
        header, _ = batch.read_header(plain)
        if not entry.sent:
            counts = self.vault.get_json(f"counts/{entry.session}", {})
            told = {name: int(counts.get(name, 0)) for name in ("removed", "lost")}
            plain = reheaded(plain, **told) if header.end else plain
            self.vault.change({entry.name: _packed(entry, plain, sent=True)})
        try:
            body = gzip.compress(plain, 6, mtime=0)
            answer = account.send("POST", "/v1/batches", header.receipt, content=body)
            status, after = answer.status_code, answer.headers.get("Retry-After", "")
            if spoken(answer).keys().isdisjoint(("stored", "error")):
                status = 0  # not a collector's word
        except OvertError:
            status, after = 0, ""
        if status in (200, 409):
            self._failures, self._not_before_s = 0, 0.0
            self._end(entry, "acknowledged")
            return "done"
        if status == GONE and header.receipt == account.receipt_id:
            return "gone"
        if status == GONE:
            self._end(entry, "removed")
            return "done"
        former = header.receipt != account.receipt_id and status in (401, 403, 404)
        if status in (400, 413, 422) or former:
            self._end(entry, "quarantined")
            return "done"
        self._failures += 1
        grown = min(_WAIT_LAST_S, _WAIT_FIRST_S * 2 ** min(self._failures - 1, 20))
        told_s = min(float(after), 86_400.0) if after.isdigit() else 0.0
        jitter = 0.5 + random.random() / 2  # noqa: S311 - spreads retries, hides nothing
        self._not_before_s = time.monotonic() + told_s + grown * jitter
        return "wait"


def _opened(name: str, value: bytes) -> Entry:
    length = int.from_bytes(value[:4], "little")
    return Entry(name=name, plain=value[4 + length :], **json.loads(value[4 : 4 + length]))


def _packed(entry: Entry, plain: bytes, *, sent: bool | None = None) -> bytes:
    about = as_json(
        {
            "due_ms": entry.due_ms,
            "closed_ms": entry.closed_ms,
            "rows": entry.rows,
            "sent": entry.sent if sent is None else sent,
        }
    )
    return len(about).to_bytes(4, "little") + about + plain
