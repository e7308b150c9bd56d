"""What passes between a person's own devices: a sealed grant for the next one, and their pauses.

Both are in memory only. A grant is sealed on the first device under a code that the person carries
to the second; the server keeps it for ten minutes or until it is taken, once, and cannot read it
without guessing the code. Of pauses it keeps how many there were since it started, so that each
device notices another's; it does not keep when.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

from overt.schema.errors import InvalidInput, Missing, Refused

LASTS_S = 600.0
SEALED_BYTES_MAX = 16_384
WAITING_MAX = 1000
"""Sealed grants at a time, of all people: sixteen megabytes."""


class Handover:
    """Sealed grants by the place that a code leads to, and the pauses of each receipt."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[float, str, str]] = {}
        """Place → until when, whose, sealed."""
        self._run = secrets.token_hex(8)
        self._pauses: dict[str, int] = {}

    def leave(self, receipt: str, place: str, sealed: str) -> None:
        """Keep a sealed grant for ten minutes; one that this receipt left before is dropped."""
        if len(place) != 32 or not set(place) <= set("0123456789abcdef"):
            raise InvalidInput("is not 32 hexadecimal digits", where="place")
        if not 0 < len(sealed) <= SEALED_BYTES_MAX:
            raise InvalidInput("is too large", where="sealed")
        with self._lock:
            self._drop(lambda until_s, whose: until_s < time.monotonic() or whose == receipt)
            if len(self._waiting) >= WAITING_MAX:
                raise Refused("too many devices are being paired", where="place", do="Wait.")
            self._waiting[place] = (time.monotonic() + LASTS_S, receipt, sealed)

    def take(self, place: str) -> str:
        """Return a sealed grant, which is gone then."""
        with self._lock:
            self._drop(lambda until_s, _: until_s < time.monotonic())
            found = self._waiting.pop(place, None)
        if found is None:
            raise Missing(
                "no device waits under this code",
                where="code",
                do="It lasts ten minutes and works once; ask the first device for another.",
            )
        return found[2]

    def _drop(self, which: Callable[[float, str], bool]) -> None:
        for place, (until_s, whose, _) in list(self._waiting.items()):
            if which(until_s, whose):
                del self._waiting[place]

    def pause(self, receipt: str) -> dict[str, str | int]:
        """Count a pause; every device of the receipt follows when it next asks."""
        with self._lock:
            self._pauses[receipt] = self._pauses.get(receipt, 0) + 1
        return self.pauses(receipt)

    def pauses(self, receipt: str) -> dict[str, str | int]:
        """Return how many pauses there were in this run of the server."""
        return {"run": self._run, "count": self._pauses.get(receipt, 0)}
