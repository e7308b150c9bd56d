"""Finding a Chromium that can be driven, or saying in one line how to get one."""

from __future__ import annotations

import importlib.util
import shutil

from overt.schema.errors import Missing

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find() -> str | None:
    """Return the path of a Chromium on PATH, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def require() -> str:
    """Return the path of a Chromium; raises `Missing` with the one line that helps."""
    if importlib.util.find_spec("playwright") is None:
        raise Missing(
            "playwright is not installed", do="Install it with: pip install 'overt[demo]'"
        )
    path = find()
    if path is None:
        raise Missing(
            "no Chromium on PATH",
            do="On Debian: apt-get install chromium; elsewhere put chromium or google-chrome "
            "on PATH.",
        )
    return path
