"""The person's browser, asked to open a page of theirs.

The page's address is its secret, and a command line can be read by every user of a computer. So the
browser is given the name of a file that only its user can read, which leads on to the page.
"""

from __future__ import annotations

import html
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from overt.schema.environment import keyless

_LEADS_ON = (
    '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
    '<meta http-equiv="refresh" content="0; url={url}"><title>Overt</title>'
    '<a href="{url}">Overt</a>\n'
)


def is_there() -> bool:
    """Return whether a browser with a window can be opened from here, as far as one can tell."""
    return bool(_opener())


def _opener() -> list[str]:
    if sys.platform == "darwin":
        return ["/usr/bin/open"]
    has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    found = shutil.which("xdg-open") if has_display and sys.platform != "win32" else None
    return [found] if found else []


@contextmanager
def opened(url: str) -> Iterator[None]:
    """Open a page in the person's browser; what leads there is removed at the end of the block.

    Where no browser opens, nothing happens: the address stands in the terminal as well.
    """
    command = _opener()
    if not command:
        yield
        return
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nowhere")
    place = runtime if runtime.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="overt-", dir=place) as folder:  # 0700
        leads_on = Path(folder) / "page.html"
        leads_on.write_text(_LEADS_ON.format(url=html.escape(url)), encoding="utf-8")
        process = subprocess.Popen(
            [*command, leads_on.as_uri()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=keyless(),
        )
        # It may stay for as long as the browser does, and is taken leave of whenever it ends.
        threading.Thread(target=process.wait, name="browser", daemon=True).start()
        yield
