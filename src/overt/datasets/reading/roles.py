"""Roles of elements from their tags, and which fields are never read: the SDK's rules, afterwards.

`sdk/src/roles.ts` and `sdk/src/gate.ts` decide this live, where an event happens. Published pages
are read by the same allow-list: a field that is not known to take plain text is not read.
"""

from __future__ import annotations

import re

from overt.schema.event import Role

_TAGS = {
    **dict.fromkeys(("button", "summary"), Role.BUTTON),
    **dict.fromkeys(("a", "area"), Role.LINK),
    "textarea": Role.TEXT_AREA,
    "select": Role.SELECT,
    "option": Role.OPTION,
    **dict.fromkeys(("img", "svg", "canvas"), Role.IMAGE),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), Role.HEADING),
    **dict.fromkeys(("p", "span", "li", "td", "th", "pre", "label"), Role.TEXT),
    **dict.fromkeys(("html", "body"), Role.PAGE),
}
_INPUTS = {
    **dict.fromkeys(("button", "submit", "reset", "image"), Role.BUTTON),
    "checkbox": Role.CHECKBOX,
    "radio": Role.RADIO,
    "range": Role.SLIDER,
}
_TYPED = frozenset(
    {"", "text", "search", "email", "url", "tel", "number", "date", "time", "month", "week"}
    | {"datetime-local"}
)
_SECRET = re.compile(r"current-password|new-password|one-time-code|cc-.*")
_SECRET_NAME = re.compile(r"passw|passphrase|secret|\bpin\b|cvc|cvv|cardnumber", re.IGNORECASE)


def role_of(tag: str, kind: str = "") -> Role:
    """Return the role of an element by its tag and, of an input, its `type`.

    >>> role_of("INPUT", "checkbox").name, role_of("div").name
    ('CHECKBOX', 'OTHER')
    """
    name = tag.lower()
    if name == "input":
        return _INPUTS.get(kind.lower(), Role.TEXT_FIELD)
    return _TAGS.get(name, Role.OTHER)


def is_plain(tag: str, kind: str = "", autocomplete: str = "", name: str = "") -> bool:
    """Tell whether what is typed into an element may be counted: it is known to take plain text.

    `name` is the element's name or id. Passwords, codes, cards and unknown types are not plain.

    >>> is_plain("INPUT", "password"), is_plain("INPUT", "text"), is_plain("INPUT", "new-kind")
    (False, True, False)
    """
    if tag.lower() not in ("input", "textarea"):
        return False
    if tag.lower() == "input" and kind.lower() not in _TYPED:
        return False
    secret = any(_SECRET.fullmatch(token) for token in autocomplete.lower().split())
    return not secret and not _SECRET_NAME.search(name)


def is_secret(tag: str, kind: str = "", name: str = "") -> bool:
    """Tell whether an element takes something secret, or might: an input of an unknown type."""
    known = kind.lower() in _TYPED or kind.lower() in _INPUTS
    return (tag.lower() == "input" and not known) or bool(_SECRET_NAME.search(name))
