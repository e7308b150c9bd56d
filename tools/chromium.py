"""Make sure a Chromium is here: find it, or install Debian's as root, or say how to get one.

The tests of the browser extension want a screen beside it (Xvfb) and a keyboard (xdotool), to
answer the browser's own prompts; those of the desktop agent a window manager and real programs.
Without them only those tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


SCREEN = {
    "Xvfb": "xvfb",
    "xdotool": "xdotool",
    "openbox": "openbox",
    "xprop": "x11-utils",
    "dbus-daemon": "dbus",
    "/usr/libexec/at-spi-bus-launcher": "at-spi2-core",
    "mousepad": "mousepad",
    "xterm": "xterm",
    "zenity": "zenity",
}
"""Program → Debian package."""

SOAK = {"sway": "sway", "sakura": "sakura", "fish": "fish", "zsh": "zsh"}
"""What only the long tests take: a Wayland compositor (no screen needed), a terminal for it, and
shells other than bash."""


def main() -> int:
    """Return 0 when a Chromium is on PATH."""
    there = any(shutil.which(name) for name in NAMES)
    wanted = {**SCREEN, **(SOAK if "--soak" in sys.argv else {})}
    screen = [package for name, package in wanted.items() if not shutil.which(name)]
    if there and not screen:
        return 0
    if shutil.which("apt-get") and os.geteuid() == 0:
        packages = [*([] if there else ["chromium"]), *screen]
        print(f"Installing Debian's {' and '.join(packages)} …", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
        ):
            subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
    if there or shutil.which("chromium"):
        return 0
    print(
        "The browser tests need Chromium. Debian, Ubuntu: sudo apt-get install chromium; "
        "Fedora: sudo dnf install chromium; Arch: sudo pacman -S chromium.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
