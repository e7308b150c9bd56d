"""Check that imports go downwards only, and the few rules that promises rest on.

`BELOW` is the whole architecture in one table: a folder may import itself and what stands there.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src" / "overt"

_DATA = {"schema", "features", "datasets", "log"}
_STORE = {"schema", "consent", "log"}
BELOW: dict[str, set[str]] = {
    "schema": set(),
    "log": {"schema"},
    "consent": {"schema", "log"},
    "store": _STORE,
    "collector": {*_STORE, "store"},
    "features": {"schema"},
    "datasets": {"schema", "features"},
    "models": _DATA,
    "audit": {*_DATA, "models"},
    "gateway": {*_DATA, *_STORE, "models", "audit", "store"},
    "studio": {*_DATA, *_STORE, "models", "audit", "store", "gateway", "collector"},
}
BELOW["device"] = {"schema", "consent"}
BELOW["federated"] = {*_DATA, "consent", "device", "models"}
BELOW["commands"] = {*BELOW["studio"], "studio", "device", "federated"}
BELOW["cli"] = {*BELOW["commands"], "commands"}

FORBIDDEN = {
    "torch": {*_DATA, *_STORE, "store", "collector", "audit", "device"},
    "overt.store.keyring": set(BELOW) - {"store"},
    "overt.store.entries": set(BELOW) - {"store"},
    "overt.store.segments": set(BELOW) - {"store", "gateway"},
}
"""Import → folders that never name it: only the store touches keys, only the gateway opens rows."""

VERIFIER = {
    "log/verify.py",
    "log/checkpoint.py",
    "log/document.py",
    "log/entry.py",
    "log/merkle.py",
    "log/opening.py",
    "schema/canonical.py",
    "schema/errors.py",
}
"""Modules an outsider runs: they import the standard library, `cryptography` and readers only."""
READERS = {
    "overt.log.checkpoint",
    "overt.log.document",
    "overt.log.entry",
    "overt.log.merkle",
    "overt.log.opening",
    "overt.schema.canonical",
    "overt.schema.errors",
}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of everything a file imports, wherever it does so."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "overt" or node.module.count(".") == 1:
                yield from ((node.lineno, f"{node.module}.{a.name}") for a in node.names)
            else:
                yield node.lineno, node.module


def problems(path: Path) -> Iterator[str]:
    """Yield one line for each import that the layout does not allow."""
    place = path.relative_to(PACKAGE).as_posix()
    folder = place.split("/")[0].removesuffix(".py")
    if folder in ("__init__", "__main__"):
        return
    if folder not in BELOW:
        yield f"{place}: folder `{folder}` is not in the layout (tools/check_layout.py)"
        return
    for line, name in imports(path):
        parts = name.split(".")
        target = parts[1] if parts[0] == "overt" and len(parts) > 1 else ""
        if target and target != folder and target not in BELOW[folder]:
            yield f"{place}:{line}: {folder} must not import {name}"
        for what, folders in FORBIDDEN.items():
            if folder in folders and (name == what or name.startswith(what + ".")):
                yield f"{place}:{line}: {folder} must not import {what}"
        if place in VERIFIER:
            known = parts[0] in sys.stdlib_module_names or parts[0] == "cryptography"
            if not known and not any(name == r or name.startswith(r + ".") for r in READERS):
                yield f"{place}:{line}: the verifier must not import {name}"


def main() -> int:
    """Return 1 and print every problem found."""
    found = [line for path in sorted(PACKAGE.rglob("*.py")) for line in problems(path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
