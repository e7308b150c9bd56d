"""Canonical JSON: one document, one sequence of bytes, so that it can be hashed and signed.

Keys sorted by code point, no space between tokens, UTF-8 as it is, integers only. For documents
of strings, integers, booleans, null, lists and objects with ASCII keys (all that Overt signs)
this equals RFC 8785, and `JSON.stringify` over sorted keys.
"""

from __future__ import annotations

import json
from typing import Any


def canonical(document: Any) -> bytes:
    """Return `document` as canonical JSON.

    Raises:
        ValueError: a float, a key that is no ASCII string, or a value that JSON does not have.
    """
    _check(document)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _check(value: Any) -> None:
    if value is None or isinstance(value, str | bool | int):
        return
    if isinstance(value, list | tuple):
        for item in value:
            _check(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise ValueError("canonical JSON: keys are ASCII strings")
            _check(item)
    else:
        raise ValueError(f"canonical JSON: no {type(value).__name__} in a signed document")
