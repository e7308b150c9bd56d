"""Make sure a Chromium is here: find it, or install Debian's as root, or say how to get one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> int:
    """Return 0 when a Chromium is on PATH."""
    if any(shutil.which(name) for name in NAMES):
        return 0
    if shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Debian's Chromium …", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
        ):
            subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
        if shutil.which("chromium"):
            return 0
    print(
        "The browser tests need Chromium. Debian, Ubuntu: sudo apt-get install chromium; "
        "Fedora: sudo dnf install chromium; Arch: sudo pacman -S chromium.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
