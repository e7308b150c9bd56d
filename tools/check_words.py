"""Refuse words the product does not use of itself, in docs, pages and notices."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORDS = (
    "anonymous",
    "anonymised",
    "anonymized",
    "anonymity",
    "unlinkable",
    "gdpr-compliant",
    "gdpr compliant",
    "provably clean",
    "impossible",
)
PATTERN = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in WORDS), re.IGNORECASE)
WHERE = ("*.md", "*.html", "*.toml", "src/overt/studio/web/*.ts", "sdk/*.ts", "src/*.py")
ALLOWED_MARK = "does not use of itself"
"""A line that lists the words in order to forbid them says so with this phrase."""


def main() -> int:
    """Return 1 and print file and line of each such word."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *WHERE], cwd=ROOT, check=True, capture_output=True
    ).stdout.decode()
    found = [
        f"{name}:{number}: says “{match[0]}”"
        for name in filter(None, listed.split("\0"))
        if (ROOT / name).is_file()
        for number, line in enumerate((ROOT / name).read_text("utf-8").splitlines(), 1)
        if ALLOWED_MARK not in line
        for match in PATTERN.finditer(line)
    ]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
