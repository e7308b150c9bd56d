"""Erases, or resumes erasing, and stands still at a given stage until it is killed.

Arguments: data directory, stage. The recovery code comes on the first line of standard input; an
empty line means to resume. Prints `HERE` when it has reached the stage, `DONE` at the end.
"""

import sys

from overt.gateway import enrol, erase
from overt.store.store import Store


def main() -> None:
    root, stage = sys.argv[1:]
    code = sys.stdin.readline().strip()

    def stand_still(what: str, _done: float) -> None:
        if what == stage:
            sys.stdout.write("HERE\n")
            sys.stdout.flush()
            sys.stdin.read()

    with Store.open(root) as store:
        if code:
            person = enrol.by_recovery(store, code)
            erase.finish(store, erase.begin(store, person, progress=stand_still), stand_still)
        else:
            erase.resume_erasures(store, stand_still)
    sys.stdout.write("DONE\n")


if __name__ == "__main__":
    main()
