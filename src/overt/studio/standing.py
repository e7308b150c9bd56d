"""The question how a person stands, kept open until there is news.

A page must hear within two seconds that its person has withdrawn elsewhere. If it asked every
second and a half, that would be the dearest thing it does while nobody types. So it says which
purposes it knows of, and the answer waits until that is not so any more. Looking into the
database once a second also finds what another process wrote, and costs less than an answer.

A question that is kept open is a connection that is. There are only so many; all others are
answered at once, and so are all when the server stops, or was not told how to see that it does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool

from overt.store.store import Store

LOOK_EVERY_S = 1.0
LOOKS_MAX = 12
"""Below the twenty seconds after which a page gives up, and what proxies bear."""
HELD_MAX = 2000


def _ended() -> bool:
    return False


class Standing:
    """Keeps questions open; `goes_on` tells whether the server does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held = 0
        self.goes_on: Callable[[], bool] = _ended

    async def news(
        self, receipt: str, known: frozenset[str], is_gone: Callable[[], Awaitable[bool]]
    ) -> None:
        """Return when a receipt's purposes are not those `known`, or it is time to answer anyway.

        `is_gone`: whether whoever asked has hung up.
        """
        if self._held >= HELD_MAX:
            return
        self._held += 1
        try:
            for _ in range(LOOKS_MAX):
                if not self.goes_on() or await is_gone():
                    return
                grant = await run_in_threadpool(self._store.control.grant, receipt)
                if grant is None or frozenset(grant.active) != known:
                    return
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self._held -= 1
