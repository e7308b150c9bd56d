"""`overt access`: the key of the researcher's page."""

from __future__ import annotations

from pathlib import Path

from overt.commands.console import remark, say, say_json
from overt.commands.place import opened


def show_key(data_dir: Path, *, new: bool, as_json: bool) -> None:
    """Show the key, or replace it and show the new one."""
    from overt.gateway import researcher

    with opened(data_dir) as store:
        key = researcher.new_key(store) if new else researcher.key(store)
    if as_json:
        say_json({"key": key, "path": "/research"})
        return
    say(key)
    remark("Enter it at /research of the address that `overt up` prints. Keep it like a password.")
