"""The header of a batch: what it says of itself, as one JSON object, checked field by field."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple, get_type_hints

from overt.schema import limits
from overt.schema.coarse import COARSE
from overt.schema.errors import InvalidInput
from overt.schema.event import SCHEMA_ID
from overt.schema.purpose import PURPOSES

LEVELS = ("rhythm", "keys")
TRANSFORMS = {"rhythm/0": "rhythm", COARSE: "rhythm", "keys/0": "keys", "raw/0": ""}
"""Transform → the level it belongs to. `raw/0` is imported data as published, of any level; live
capture names one of the others."""


class BatchHeader(NamedTuple):
    """What a batch says of itself. Ids are random and lower-case hex (32 digits).

    A tuple, because the collector makes one for each batch and a frozen dataclass takes ten times
    as long to make.
    """

    schema: str
    source: str
    """Program and version, such as `sdk/0.1.0` or `import/aalto`."""
    study: str
    receipt: str
    """Id of the receipt the recording rests on."""
    session: str
    batch: int
    """Number of the batch in the session, from 0, over all streams."""
    purposes: tuple[str, ...]
    """The stream: sorted purposes that need these events."""
    level: str
    transform: str
    rows: int
    first_seq: int
    time_origin_ms: int
    """Clock at the session's time origin, ms since 1970; the anchor of `t0_us`. The device's
    own, or where that is set wrong the server's (`overt.schema.alignment`)."""
    t0_us: int
    """Monotonic time of the first row since the session's time origin."""
    clock_resolution_us: int
    """Smallest step of the clock, measured on the device."""
    x0_8th_css_px: int
    y0_8th_css_px: int
    produced: int
    """Events created in this session when the batch was closed."""
    removed: int
    """Of these, removed by the person before they left."""
    lost: int
    """Of these, lost on the device (full store, expired before it could leave)."""
    end: bool
    """The session ended properly, and this is its last batch."""

    def to_json(self) -> bytes:
        """Return the header as compact JSON with keys in the order of the fields."""
        return json.dumps(self._asdict(), separators=(",", ":")).encode()


_FIELDS = get_type_hints(BatchHeader)
_INTS = tuple(
    (name, -(2**31) if name.endswith("_css_px") else 0)
    for name, kind in _FIELDS.items()
    if kind is int
)
_STRINGS = tuple(name for name, kind in _FIELDS.items() if kind is str)
_ID = re.compile("[0-9a-f]{32}", re.ASCII)


def _usual_form() -> re.Pattern[bytes]:
    """Return the form in which devices write: fields in order, no escapes, no spaces but behind.

    Groups are the words before `batch`, the words from `purposes` to `transform`, and all numbers.
    """
    text, number = rb'"[^"\\]+"', rb"(-?(?:0|[1-9][0-9]{0,15}))"
    kinds: dict[Any, bytes] = {str: text, int: number, bool: rb"(true|false)"}
    parts = {
        name: b'"%s":%s' % (name.encode(), kinds.get(kind, rb"\[[^\]\\]*\]"))
        for name, kind in _FIELDS.items()
    }
    names = list(parts)
    first, last = names.index("batch"), names.index("rows")
    words = b",".join(parts[name] for name in names[:first])
    stream = b",".join(parts[name] for name in names[first + 1 : last])
    numbers = b",".join(parts[name] for name in names[last:])
    return re.compile(rb"\{(%s),%s,(%s),%s\} *" % (words, parts["batch"], stream, numbers))


_USUAL = _usual_form()
_PARTS_KEPT_MAX = 4096
_words: dict[bytes, tuple[str, str, str, str, str]] = {}
_streams: dict[bytes, tuple[tuple[str, ...], str, str]] = {}
"""Words of headers that were checked, by their bytes: batches of a session differ in numbers."""


_last: tuple[bytes, BatchHeader] | None = None
"""Text and header that were read last: what unfolds a batch and what checks it both need it."""


def read(text: bytes) -> BatchHeader:
    """Return the header in these bytes. Raises `InvalidInput` naming the field, not its value."""
    global _last  # noqa: PLW0603 - replaced whole, so no thread sees half of it
    last = _last
    if last is not None and last[0] == text:
        return last[1]
    header = _read(text)
    _last = (text, header)
    return header


def _read(text: bytes) -> BatchHeader:
    found = _USUAL.fullmatch(text)
    if found is not None:
        words, stream = _words.get(found[1]), _streams.get(found[3])
        if words is not None and stream is not None:
            header = _with_numbers(found, words, stream)
            if header is not None:
                return header
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad("is not JSON", "header") from error
    header = _checked(data)
    if found is not None:
        if len(_words) >= _PARTS_KEPT_MAX or len(_streams) >= _PARTS_KEPT_MAX:
            _words.clear()
            _streams.clear()
        h = header
        _words[found[1]] = (h.schema, h.source, h.study, h.receipt, h.session)
        _streams[found[3]] = (h.purposes, h.level, h.transform)
    return header


def _with_numbers(
    found: re.Match[bytes],
    words: tuple[str, str, str, str, str],
    stream: tuple[tuple[str, ...], str, str],
) -> BatchHeader | None:
    """Return the header of words that were checked before, or None if a number is out of range."""
    _, batch, _, *texts, end = found.groups()
    number, *numbers = map(int, (batch, *texts))
    rows, first_seq, origin_ms, t0_us, step_us, x0, y0, produced, removed, lost = numbers
    if min(number, first_seq, origin_ms, t0_us, step_us, produced, removed, lost) < 0:
        return None
    if max(number, *numbers) >= 2**53 or min(x0, y0) < -(2**31):
        return None
    if not 1 <= rows <= limits.BATCH_ROWS_MAX or first_seq + rows > limits.SESSION_SEQ_MAX:
        return None
    if removed + lost > produced:
        return None
    return BatchHeader._make((*words, number, *stream, *numbers, end == b"true"))


def _checked(data: Any) -> BatchHeader:
    """Check every field of a parsed header, one after the other, and return it."""
    if type(data) is not dict or data.keys() != _FIELDS.keys():
        raise _bad("fields differ from those of a BatchHeader", "header")
    for name, low in _INTS:
        value = data[name]
        if type(value) is not int or not low <= value < 2**53:
            raise _bad("is not an integer in range", f"header.{name}")
    for name in _STRINGS:
        value = data[name]
        if type(value) is not str or not 0 < len(value) <= 64:
            raise _bad("is not a short string", f"header.{name}")
    for name in ("receipt", "session"):
        if not _ID.fullmatch(data[name]):
            raise _bad("is not 32 hexadecimal digits", f"header.{name}")
    if data["schema"] != SCHEMA_ID:
        raise _bad("is not a known schema", "header.schema", f"This build reads {SCHEMA_ID}.")
    if data["level"] not in LEVELS or data["transform"] not in TRANSFORMS:
        raise _bad("is not a known detail level or transform", "header.level")
    if TRANSFORMS[data["transform"]] not in ("", data["level"]):
        raise _bad("does not belong to the level", "header.transform")
    names = data["purposes"]
    if (
        type(names) is not list
        or not names
        or any(type(n) is not str or n not in PURPOSES for n in names)
        or names != sorted(set(names))
    ):
        raise _bad("is not a sorted list of known purposes", "header.purposes")
    if type(data["end"]) is not bool:
        raise _bad("is not true or false", "header.end")
    if not 1 <= data["rows"] <= limits.BATCH_ROWS_MAX:
        raise _bad("is out of bounds", "header.rows")
    if data["first_seq"] + data["rows"] > limits.SESSION_SEQ_MAX:
        raise _bad("is out of bounds", "header.first_seq")
    if data["removed"] + data["lost"] > data["produced"]:
        raise _bad("is less than what was removed and lost", "header.produced")
    data["purposes"] = tuple(names)
    return BatchHeader(**data)


def _bad(what: str, where: str, do: str = "") -> InvalidInput:
    return InvalidInput(what, where=where, do=do)
