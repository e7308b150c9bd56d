"""`overt doctor`: is everything in place here, and if not, what to do."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from overt.commands import chromium
from overt.commands.console import say, say_json
from overt.commands.place import opened
from overt.schema.errors import Missing, OvertError
from overt.schema.manifest import bucket

DISK_BYTES_MIN = 1 << 30
LIBRARIES = ("overt", "pyarrow", "numba", "cryptography", "sqlalchemy", "starlette", "uvicorn")
OPTIONAL = {"torch": "pip install 'overt[models]'", "playwright": "pip install 'overt[demo]'"}

Check = Callable[[Path], str]


def _python(_: Path) -> str:
    return f"Python {platform.python_version()}, {os.cpu_count()} cores"


def _libraries(_: Path) -> str:
    return ", ".join(f"{name} {version(name)}" for name in LIBRARIES)


def _optional(_: Path) -> str:
    found = []
    for name, how in OPTIONAL.items():
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError as error:
            raise Missing(f"{name} is not installed", do=f"Install it with: {how}") from error
    return ", ".join(found)


def _browser(_: Path) -> str:
    return chromium.require()


def _disk(data_dir: Path) -> str:
    place = next(p for p in (data_dir.resolve(), *data_dir.resolve().parents) if p.exists())
    free = shutil.disk_usage(place).free
    if free < DISK_BYTES_MIN:
        raise Missing("less than 1 GiB of disk is free", where=str(place), do="Make room.")
    return f"{free / 2**30:.0f} GiB free"


def _private(data_dir: Path) -> str:
    for path in (data_dir, data_dir / "keyring", data_dir / "master.key", data_dir / "control.db"):
        if path.exists() and path.stat().st_mode & 0o077:
            raise Missing(
                "others on this machine can look in", where=str(path), do=f"chmod go= {path}"
            )
    key = "master.key" if (data_dir / "master.key").exists() else "passphrase"
    return f"only its owner can look in; unlocked by {key}"


def _keys_and_rows(data_dir: Path) -> str:
    with opened(data_dir) as store:
        studies = store.control.studies()
        stored = [store.control.stored_in_study(study.id) for study in studies]
        events = bucket(sum(counts["events"] for counts in stored))
    return f"{len(studies)} studies, {events} events, keyring opens"


def _log(data_dir: Path) -> str:
    from overt.gateway.ledger import log_of

    with opened(data_dir) as store:
        return f"{log_of(store).refresh()} entries, whole, extending the last checkpoint"


def _erasures(data_dir: Path) -> str:
    from overt.gateway.erasure import unfinished

    with opened(data_dir) as store:
        waiting = len(unfinished(store))
    if waiting:
        raise Missing(
            f"{waiting} erasures are unfinished", do="Run `overt retention` or `overt up`."
        )
    return "none unfinished"


CHECKS: tuple[tuple[str, Check, bool], ...] = (
    ("python", _python, True),
    ("libraries", _libraries, True),
    ("models and demo", _optional, False),
    ("browser for the demo", _browser, False),
    ("disk", _disk, True),
    ("data directory", _private, True),
    ("keys and rows", _keys_and_rows, True),
    ("log", _log, True),
    ("erasures", _erasures, True),
)
"""Name, check, and whether Overt needs it to run."""

IN_DATA = ("data directory", "keys and rows", "log", "erasures")


def examine(data_dir: Path, *, as_json: bool) -> None:
    """Run every check; exit with 1 if one that Overt needs fails."""
    there = (data_dir / "keyring").exists()
    results = []
    for name, check, needed in CHECKS:
        if name in IN_DATA and not there:
            results.append((name, True, f"none yet at {data_dir}; `overt up` makes it", needed))
            continue
        try:
            results.append((name, True, check(data_dir), needed))
        except (OvertError, PackageNotFoundError, OSError) as error:
            results.append((name, False, str(error), needed))
    healthy = all(ok for _, ok, _, needed in results if needed)
    if as_json:
        checks = [
            {"check": name, "ok": ok, "says": says, "needed": needed}
            for name, ok, says, needed in results
        ]
        say_json({"healthy": healthy, "checks": checks})
    else:
        for name, ok, says, needed in results:
            mark = "ok  " if ok else ("FAIL" if needed else "note")
            say(f"{mark}  {name}: {says}")
    if not healthy:
        raise SystemExit(1)
