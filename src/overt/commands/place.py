"""Opening the data directory that a command works in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overt.store.store import Store

BUILT_IN = "five-minutes"


@contextmanager
def opened(data_dir: Path, *, create: bool = False) -> Iterator[Store]:
    """Open a data directory for the length of the block; a new one gets the built-in study.

    Raises `Missing` when it is not there and `create` is false.
    """
    from overt.gateway.studies import register
    from overt.store.store import Store

    with Store.open(data_dir, create=create) as store:
        if create and store.control.study(BUILT_IN) is None:
            source = files("overt.studio") / "studies" / f"{BUILT_IN}.toml"
            register(store, source.read_bytes())
        yield store
