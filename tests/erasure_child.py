"""Erases, or resumes erasing, in processes that stand still at a given stage until they are killed.

Each line of standard input is a JSON list: data directory, stage, and recovery code, or null to
resume. The work is done in a fork, which is cheap since all that is imported here stays loaded.
Prints the process that stands at the stage, or 0 when the end came first.
"""

import json
import os
import signal
import sys

import torch  # noqa: F401 - loaded once for all forks

from overt.gateway import enrol, erase
from overt.models.process import Process
from overt.store.store import Store


def say(process: int) -> None:
    sys.stdout.write(f"{process}\n")
    sys.stdout.flush()


def work(root: str, stage: str, code: str | None) -> None:
    def stand_still(what: str, _done: float) -> None:
        if what == stage:
            say(os.getpid())
            signal.pause()

    with Store.open(root) as store:
        if code:
            person = enrol.by_recovery(store, code)
            erase.finish(store, erase.begin(store, person, progress=stand_still), stand_still)
        else:
            erase.resume_erasures(store, stand_still)


def main() -> None:
    Process().close()  # what it forks from is shared too
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            try:
                work(*json.loads(line))
            finally:
                say(0)
                os._exit(0)
        os.waitpid(process, 0)


if __name__ == "__main__":
    main()
