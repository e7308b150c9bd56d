"""Suggestions a second of the corrector, beside SymSpell, on the same made-up slips.

    python benchmarks/typos.py [--slips 400] [--json]

Slips are single and double edits of frequent English words with a fixed seed. They say how fast
both are; how right they are on real slips, `overt evaluate spelling` and `typos` say. The corrector
is fitted to made-up slips of other words, so that its ranking has trees to walk.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence

from overt.models.typos import corrector
from overt.models.typos.evidence import Asked
from overt.models.typos.peers import symspell_closest
from overt.models.typos.words import english

LETTERS = "abcdefghijklmnopqrstuvwxyz"
ROUNDS = 3
LEARNED = 400
"""Slips that the corrector is fitted to: enough for its trees to be of the usual depth."""


def slip(word: str, rng: random.Random) -> str:
    """Return the word with one edit: two letters swapped, one left out, put in, or another."""
    at = rng.randrange(len(word) - 1)
    letter = rng.choice(LETTERS)
    return rng.choice(
        [
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
        ]
    )


def slips(words: Sequence[str], count: int, rng: random.Random) -> list[tuple[str, str]]:
    """Return so many (typed, meant), one in five with two edits."""
    made = []
    while len(made) < count:
        meant = rng.choice(words)
        typed = slip(meant, rng)
        typed = slip(typed, rng) if rng.random() < 0.2 and len(typed) > 2 else typed
        if typed != meant:
            made.append((typed, meant))
    return made


def per_s(suggest: Callable[[str], object], typed: Sequence[str]) -> float:
    """Return suggestions a second of the fastest round; nothing is remembered between rounds."""
    times_s = []
    for _ in range(ROUNDS):
        started_s = time.perf_counter()
        for token in typed:
            suggest(token)
        times_s.append(time.perf_counter() - started_s)
    return len(typed) / min(times_s)


def measured(count: int) -> dict[str, object]:
    """Return all figures."""
    rng = random.Random(3)
    words = english()
    frequent = sorted(words.words, key=words.alone, reverse=True)[:6000]
    usable = [word for word in frequent if len(word) > 3 and word.isalpha()]
    rng.shuffle(usable)
    learned, asked = usable[: len(usable) // 2], usable[len(usable) // 2 :]
    half = set(learned[: len(learned) // 2])
    fitted = corrector.train(words, slips(learned, LEARNED, rng), lambda pair: pair[1] in half)
    pairs = slips(asked, count, rng)
    typed = [token for token, _ in pairs]
    ours = {token: fitted.suggest(Asked(token)) for token in typed}
    theirs = {token: symspell_closest.__wrapped__(token) for token in typed}
    return {
        "benchmark": "typos",
        "slips": count,
        "overt_per_s": round(per_s(lambda token: fitted.suggest(Asked(token)), typed)),
        "symspell_per_s": round(per_s(symspell_closest.__wrapped__, typed)),
        "overt_first_right": _share(
            pairs, {t: [one.text for one in found] for t, found in ours.items()}
        ),
        "symspell_first_right": _share(pairs, theirs),
    }


def _share(pairs: Sequence[tuple[str, str]], found: dict[str, Sequence[str]]) -> float:
    return round(sum(list(found[t][:1]) == [meant] for t, meant in pairs) / len(pairs), 3)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--slips", type=int, default=400)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    figures = measured(chosen.slips)
    print(json.dumps(figures, indent=None if chosen.json else 2))


if __name__ == "__main__":
    main()
