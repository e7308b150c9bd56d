"""Verbs that go on for hours, in a process without the weight of the command line.

What reads options and writes help is a fifth of the memory of an agent that does nothing else all
day. So once they are read the process begins anew (`exec`: the same process, at the same terminal)
with what it needs, and no more.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from overt.commands.console import one_line


def go_on(verb: str, **options: Any) -> None:
    """Do `verb` with these options (of JSON), and do not come back, but where one cannot exec."""
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.executable and sys.platform != "win32":  # there exec makes another process, and leaves
        path = "-I" if sys.flags.isolated else "-P"  # no module of the folder that one is in
        told = json.dumps(options)
        command = [sys.executable, path, "-m", __name__, verb, told]
        os.execv(command[0], command)  # noqa: S606 - this very program
    _do(verb, options)


def _do(verb: str, options: dict[str, Any]) -> None:
    folder = Path(options.pop("folder"))
    if verb == "record":
        from overt.commands import recording

        recording.record(folder, **options)
    elif verb == "login":
        from overt.commands import at_login

        at_login.begin(folder, **options)
    else:
        from overt.commands import coaching

        coaching.coach(folder, **options)


def main() -> None:
    """Do what `go_on` was told."""
    verb, told = sys.argv[1:]
    # Optional in httpx: a command line of its own, 4 MB of colours and lexers that nobody calls.
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    try:
        from overt.device.wording import in_own_words

        with one_line(), in_own_words():
            _do(verb, json.loads(told))
    except (KeyboardInterrupt, EOFError):
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
