"""Secrets in all places where a page can hold them, hands that put them there, and a search.

The page (`probes.html`) holds a secret of its own for each place of `PLACES`. Some stand in it from
the beginning, most are typed, pasted, dragged, chosen or set while a recorder runs. The search
opens what a recorder sent, kept and said (gzip, zlib, base64, JSON in JSON) and looks for each
secret in all `spellings`, and as keys one after the other. `tests/test_sdk_probes.py` holds Overt
to finding none; `benchmarks/leaks.py` counts what others find.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from overt.schema.errors import InvalidInput
from overt.schema.fold import MAGIC, unfold

HERE = Path(__file__).parent
PLACES = (
    "password",
    "shown password",
    "one-time code",
    "card number",
    "hidden field",
    "filled by the browser",
    "mirrored password",
    "placeholder",
    "field not listed",
    "text area not listed",
    "editable text",
    "canvas editor",
    "shadow root",
    "frame",
    "frame of another origin",
    "file name",
    "clipboard",
    "drag",
    "option",
    "data attribute",
    "aria-label",
    "title attribute",
    "alt text",
    "id",
    "link",
    "page text",
    "meta",
    "page title",
    "query",
    "fragment",
    "pushed path",
    "referrer",
    "listed field",
)
"""The last is the control: at level `keys` a study may keep what is typed there, key by key."""

CONTROL = PLACES[-1]
DIGITS = ("one-time code", "card number")
LENGTH = 10
LETTERS = "ghjkmnpqrstvwxyzGHJKMNPQRSTVWXYZ"
"""None of them is a hexadecimal digit; without digits, which some recorders mask."""


def secret(place: str) -> str:
    """Return the secret of a place, the same each time: letters, or digits where those belong."""
    digest = hashlib.sha256(f"probe {place}".encode()).digest()
    alphabet = "0123456789" if place in DIGITS else LETTERS
    return "".join(alphabet[byte % len(alphabet)] for byte in digest[:LENGTH])


SECRETS = {place: secret(place) for place in PLACES}


def page(recorder: str, elsewhere: str) -> bytes:
    """Return the page with a recorder's script, and a frame from the origin `elsewhere`."""
    named = {"meta": "meta", "hidden": "hidden field", "data": "data attribute"}
    text = re.sub(
        r"\{\{(.+?)\}\}",
        lambda found: SECRETS[named.get(found[1], found[1])],
        (HERE / "probes.html").read_text("utf-8"),
    )
    return text.replace("ELSEWHERE", elsewhere).replace("<!-- recorder -->", recorder).encode()


FRAME = b"<!doctype html><title>frame</title><input id=inner size=12>"


def visit(page: Any, url: str) -> None:
    """Go to the page with secrets in its query, its fragment and its referrer."""
    sign = "&" if "?" in url else "?"
    page.goto(
        f"{url}{sign}q={SECRETS['query']}#{SECRETS['fragment']}",
        referer=f"{url.rpartition('/')[0]}/from?{SECRETS['referrer']}",
    )


def use(page: Any) -> None:
    """Put the secrets where they are not yet, with keys, clicks, clipboard and drags."""

    def write(place: str, selector: str, inside: Any = page) -> None:
        inside.locator(selector).click()
        page.keyboard.type(SECRETS[place])

    write("listed field", "#listed")
    write("password", "#password")
    page.click("#reveal")
    write("shown password", "#revealed")
    write("one-time code", "#code")
    write("card number", "#card")
    write("mirrored password", "#mirrored")
    write("field not listed", "#unlisted")
    write("text area not listed", "#letter")
    write("editable text", "#rich")
    page.keyboard.press("Enter")
    page.keyboard.press("Backspace")
    write("canvas editor", "#canvas")
    write("shadow root", "#inner", page.locator("#host"))
    write("frame", "#inner", page.frame_locator("#same"))
    write("frame of another origin", "#inner", page.frame_locator("#cross"))
    page.evaluate(FILL, [SECRETS["filled by the browser"], SECRETS["drag"]])
    named = {"name": f"{SECRETS['file name']}.txt", "mimeType": "text/plain", "buffer": b"a file"}
    page.set_input_files("#file", named)
    page.select_option("#choice", index=1)
    page.evaluate("(text) => navigator.clipboard.writeText(text)", SECRETS["clipboard"])
    for selector in ("#pasted", "#listed"):
        page.click(selector)
        page.keyboard.press("Control+v")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+x")
    for goal in ("#drop", "#dropped"):
        page.drag_and_drop("#dragged", goal)
    for selector in ("#described", ".named", "#link", "#picture", "#text"):
        page.click(selector)
    page.hover("#link")
    page.dblclick("#text")
    page.evaluate(
        """([title, path]) => { document.title = title;
        history.pushState({ path }, "", `/orders/${path}?step=2`); }""",
        [SECRETS["page title"], SECRETS["pushed path"]],
    )
    page.click("#drop")


FILL = """([filled, carried]) => {
  const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  set.call(at("filled"), filled);
  for (const type of ["input", "change"])
    at("filled").dispatchEvent(new Event(type, { bubbles: true }));
  window.carried = carried;
}"""


def spellings(text: str) -> dict[str, bytes]:
    """Return the ways a text may be written; all but base64 are searched whatever the case."""
    plain = text.encode()
    found = {
        "plain": plain,
        "UTF-16": text.encode("utf-16-le"),
        "UTF-16 the other way round": text.encode("utf-16-be"),
        "reversed": plain[::-1],
        "hexadecimal": plain.hex().encode(),
        "percent": "".join(f"%{byte:02x}" for byte in plain).encode(),
        "numbers": ",".join(str(byte) for byte in plain).encode(),
        "keys": ",".join(f'"{letter}"' for letter in text).encode(),
    }
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + plain)
        # The letters that depend on nothing but the text itself.
        begin, end = -(-shift * 8 // 6), (shift + len(plain)) * 8 // 6
        found[f"base64, {shift}"] = whole[begin:end]
    return found


def search(chunks: Iterable[bytes]) -> dict[str, set[str]]:
    """Return the places whose secret is in these bytes, and in which spellings."""
    found: dict[str, set[str]] = {}
    needles = {place: spellings(text) for place, text in SECRETS.items()}
    for chunk in chunks:
        for data in opened(chunk):
            lower = data.lower()
            for place, ways in needles.items():
                for way, needle in ways.items():
                    exact = way.startswith("base64")
                    if needle in data if exact else needle.lower() in lower:
                        found.setdefault(place, set()).add(way)
    return found


DEPTH_MAX = 6


def opened(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """Yield bytes as they are and all that lies compressed, encoded or quoted in them."""
    yield data
    if depth == DEPTH_MAX:
        return
    for found in re.finditer(rb"\x1f\x8b\x08", data):
        with contextlib.suppress(zlib.error):
            yield from opened(zlib.decompressobj(31).decompress(data[found.start() :]), depth + 1)
    for found in re.finditer(MAGIC, data):
        with contextlib.suppress(InvalidInput):
            yield from opened(unfold(data[found.start() :], alone=False), depth + 1)
    with contextlib.suppress(zlib.error):
        yield from opened(zlib.decompress(data), depth + 1)
    with contextlib.suppress(ValueError, RecursionError):
        strings = list(_strings(json.loads(data)))
        yield "\n".join(strings).encode("utf-8", "replace")
        yield keys_of(strings).encode("utf-8", "replace")
        for string in strings:
            if "\x1f\x8b" in string[:4] or string[:1] in "[{":
                yield from opened(string.encode("latin-1", "replace"), depth + 1)
            elif len(string) > 40 and re.fullmatch(r"[A-Za-z0-9+/_-]+=*", string):
                with contextlib.suppress(binascii.Error):
                    raw = base64.b64decode(string + "==", altchars=b"-_" if "-" in string else None)
                    yield from opened(raw, depth + 1)


def keys_of(strings: Iterable[str]) -> str:
    """Return single characters in the order in which they come: what was typed, key by key."""
    return "".join(string for string in strings if len(string) == 1)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def typed(events: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Yield, for each kind and column of events, its numbers as characters, one after the other."""
    columns: dict[tuple[int, str], list[str]] = {}
    for event in events:
        for name, value in event.items():
            if isinstance(value, int) and 32 <= value < 127:
                columns.setdefault((event["kind"], name), []).append(chr(value))
    yield from ("".join(letters).encode() for letters in columns.values())
