"""Studies: what a controller runs, in one `study.toml`.

The parser is strict: an unknown key is refused with its path and the nearest known one, because a
misspelt `retention_days` must not silently keep data for longer. A study is `live` (people join,
and read a notice) or `imported` (published data with source, licence and declared lawful basis);
the two are never mixed.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from overt.schema.applications import StudyApplication, applications
from overt.schema.canonical import canonical
from overt.schema.errors import InvalidInput, Missing
from overt.schema.purpose import REGISTRY, SCREEN
from overt.schema.tables import bad, identifier, number, one_of, refuse_unknown, text, texts
from overt.schema.translations import translations

ORIGINS = ("live", "imported")
LEVELS = ("rhythm", "keys")
DETAILS: Mapping[str, tuple[str, ...]] = {"rhythm": ("rhythm", "rhythm/1"), "keys": ("keys",)}
"""Level of a study → what who joins may choose: that level, or a version that says less."""

LANGUAGES = ("en", "de")
"""Languages that notices can be rendered in without words of the study's own."""

STUDY_BYTES_MAX = 64 * 1024
RETENTION_DAYS = (1, 3650)
OUTBOX_DELAY_S = (10, 86_400)
"""Shorter than ten seconds nobody can look before it leaves; longer than a day is a closed tab."""

HOLD_DAYS = (0, 30)
"""Days that what could not be sent may stay, sealed, on the device."""

EPSILON = (0.01, 10.0)
"""What all that is learned with noise on it may cost a person; a device takes part in no more."""

_COUNTRY = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")
_ELSEWHERE = re.compile(
    r"https://(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?P<port>:[1-9][0-9]{0,4})?"
    r"|http://(?:127\.0\.0\.1|localhost)(?::[1-9][0-9]{0,4})?"
)
"""An origin as a browser writes it, whole and lower-case; without TLS only on one's own machine."""

SITES_MAX = 50
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]{0,254}")
_PAGE = re.compile(r"/|(?:/(?::[a-z]+|[A-Za-z0-9._~-]+))+")
"""Fixed parts, and placeholders for what is in between."""

_SECRET = re.compile(r"password|passwd|secret|hidden|one-time-code|cc-", re.IGNORECASE)
_CATCH_ALL = re.compile(
    r"(?:^|,)\s*(?:\*|html|body|:root|input|textarea)\s*(?:$|,)|:not\(", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class NoticeText:
    """What a study says in one language; the rest of the notice follows from its settings."""

    about: str
    """What the study is for and who runs it, in two or three sentences."""
    title: str = ""
    """Title in this language; the study's own where empty."""
    readers: tuple[str, ...] = ()
    """Who can read, in this language; the study's own where empty."""
    storage: str = ""
    """Where it is stored, in this language; the study's own where empty."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """A site that people may switch on in the browser extension, one by one."""

    origin: str
    """Exact web origin, as a browser writes it."""
    paths: tuple[str, ...] = ()
    """Paths that may be recorded, where `*` stands for anything; all of them where empty."""
    fields: tuple[str, ...] = ()
    """CSS selectors of what may be recorded there; the study's own where empty."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study as its `study.toml` states it. Times end in their unit."""

    id: str
    title: str
    version: int
    """Goes up when the notice changes; people are asked again then."""
    origin: str
    controller: str
    contact: str
    purposes: tuple[str, ...]
    level: str
    retention_days: int
    readers: tuple[str, ...]
    """Who can read what is recorded, in words."""
    # live only
    address: str = ""
    """Postal address of the controller, as consent records must state it."""
    jurisdictions: tuple[str, ...] = ()
    """Countries (ISO 3166) under whose law the study runs."""
    storage: str = ""
    """Where it is stored, in words."""
    outbox_delay_s: int = 0
    hold_days: int = 0
    fields: tuple[str, ...] = ()
    """CSS selectors of the fields and areas that may be recorded; nothing else is. With `!` before
    it: nothing at all is recorded in there, not even of the pointer."""
    paths: tuple[str, ...] = ()
    """Pages by their path, `:word` for a part that is not looked at: only which of these a page is,
    or that it is another, is ever recorded."""
    notice: Mapping[str, NoticeText] = field(default_factory=dict)
    """Language → text; the first is the default."""
    origins: tuple[str, ...] = ()
    """Other sites whose pages may ask people to join, as exact web origins; mostly none."""
    sites: tuple[Site, ...] = ()
    """Sites that the browser extension may record, if the person switches them on; mostly none."""
    applications: tuple[StudyApplication, ...] = ()
    """What the desktop agent may record, if the person switches it on; everything else is not."""
    person: str = ""
    """Who answers people's questions, and how to reach them: a person, in words."""
    words: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Language → the words of the notice in it, which the study brings (`schema.translations`)."""
    epsilon_max: str = ""
    """ε of all that is learned with noise on it, together or in one place, as the notice states it;
    empty: `EPSILON` where it is learned together, and else nothing is promised."""
    # imported only
    source: str = ""
    licence: str = ""
    lawful_basis: str = ""


_BOTH = (
    "id",
    "title",
    "version",
    "origin",
    "controller",
    "contact",
    "purposes",
    "level",
    "retention_days",
    "readers",
)
_LIVE = ("address", "jurisdictions", "storage", "outbox_delay_s", "hold_days", "fields", "notice")
_OPTIONAL = ("origins", "paths", "sites", "applications", "person", "words", "epsilon_max")
"""What a live study may leave out."""

_IMPORTED = ("source", "licence", "lawful_basis")
_NOTICE = ("about", "title", "readers", "storage")
_SITE = ("origin", "paths", "fields")


def load_study(source: bytes | Path) -> Study:
    """Return the study in TOML bytes, or in the file at a path.

    Raises:
        InvalidInput: with the key path of what is wrong.
        Missing: there is no such file.
    """
    if isinstance(source, Path):
        try:
            source = source.read_bytes()
        except OSError as error:
            raise Missing(
                "cannot be read", where=str(source), do="Write one with `overt study new`."
            ) from error
    if len(source) > STUDY_BYTES_MAX:
        raise InvalidInput(f"is longer than {STUDY_BYTES_MAX} bytes", where="study.toml")
    try:
        table = tomllib.loads(source.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"is not TOML: {error}", where="study.toml") from error
    return _study(table)


def study_sha256(study: Study) -> str:
    """Return the hash (hex) of all a study states; comments and layout do not matter."""
    states = asdict(study)
    for name in ("sites", "applications", "person", "words", "epsilon_max"):
        if not states[name]:
            del states[name]  # so that studies without any keep the hash that receipts state
    for one in states.get("applications", ()):
        for flag in ("screen", "private_windows", "keys"):
            if not one[flag]:
                del one[flag]
    return hashlib.sha256(canonical(states)).hexdigest()


def _study(table: dict[str, Any]) -> Study:
    known = (*_BOTH, *_LIVE, *_OPTIONAL, *_IMPORTED)
    refuse_unknown(table, known, "")
    origin = one_of(table, "origin", ORIGINS)
    needed = (*_BOTH, *(_LIVE if origin == "live" else _IMPORTED))
    allowed = (*needed, *(_OPTIONAL if origin == "live" else ()))
    for name in table:
        if name not in allowed:
            raise bad(f"does not belong in a study of origin {origin}", name)
    for name in needed:
        if name not in table:
            raise bad("is missing", name, f"A study of origin {origin} states it.")
    values: dict[str, Any] = {
        "origin": origin,
        "id": identifier(table),
        "level": one_of(table, "level", LEVELS),
        "version": number(table, "version", (1, 10_000)),
        "retention_days": number(table, "retention_days", RETENTION_DAYS),
        "purposes": _purposes(table),
        "readers": texts(table, "readers", required=True),
    }
    for name in ("title", "controller", "contact"):
        values[name] = text(table, name)
    values |= _live(table) if origin == "live" else {n: text(table, n) for n in _IMPORTED}
    for purpose in values["purposes"]:
        if REGISTRY[purpose].needs_keys and values["level"] != "keys":
            raise bad(
                f"{purpose} needs level keys; this study has {values['level']}",
                "purposes",
                'Leave it out, or state `level = "keys"`: then people are asked for that too.',
            )
    if any(one.keys for one in values.get("applications", ())) and values["level"] != "keys":
        raise bad(
            "of an application are told at level keys alone",
            "applications",
            'Take `keys` out there, or state `level = "keys"`: then people are asked for that too.',
        )
    looks = any(one.screen for one in values.get("applications", ()))
    if looks != bool(set(values["purposes"]) & set(SCREEN)):
        raise bad(
            f"{' and '.join(SCREEN)} go together with an application that has `screen = true`",
            "purposes",
            "Name both, or neither.",
        )
    if values.get("applications") and not values["hold_days"]:
        raise bad("must be 1 or more with applications: they have no page to close", "hold_days")
    return Study(**values)


def _live(table: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": text(table, "address"),
        "storage": text(table, "storage"),
        "jurisdictions": _countries(table),
        "outbox_delay_s": number(table, "outbox_delay_s", OUTBOX_DELAY_S),
        "hold_days": number(table, "hold_days", HOLD_DAYS),
        "fields": _selectors(table, "fields"),
        "paths": _paths(table),
        "notice": _notice(table["notice"], table.get("words", {})),
        "origins": _origins(table),
        "sites": _sites(table.get("sites", [])),
        "applications": applications(table.get("applications", [])),
        "person": text(table, "person") if "person" in table else "",
        "words": translations(table.get("words", {})),
        "epsilon_max": _epsilon(table["epsilon_max"]) if "epsilon_max" in table else "",
    }


def _purposes(table: Mapping[str, Any]) -> tuple[str, ...]:
    values = texts(table, "purposes", required=True)
    for k, value in enumerate(values):
        if value not in REGISTRY:
            raise bad(
                "is not in the registry of purposes",
                f"purposes[{k}]",
                f"Known: {', '.join(REGISTRY)}. There are no others.",
            )
    if len(set(values)) != len(values):
        raise bad("names a purpose twice", "purposes")
    return tuple(sorted(values))


def _countries(table: Mapping[str, Any]) -> tuple[str, ...]:
    values = texts(table, "jurisdictions", required=True)
    for k, value in enumerate(values):
        if not _COUNTRY.fullmatch(value):
            raise bad("must be a country code such as DE", f"jurisdictions[{k}]")
    return values


def _epsilon(value: Any) -> str:
    if type(value) not in (int, float) or not EPSILON[0] <= value <= EPSILON[1]:
        raise bad(f"must be a number from {EPSILON[0]:g} to {EPSILON[1]:g}", "epsilon_max")
    return f"{value:g}"


def _origins(table: Mapping[str, Any]) -> tuple[str, ...]:
    values = texts(table, "origins")
    for k, value in enumerate(values):
        _origin(value, f"origins[{k}]")
    if len(set(values)) != len(values):
        raise bad("names a site twice", "origins")
    return values


def _origin(value: str, where: str) -> str:
    found = _ELSEWHERE.fullmatch(value)
    if not found or found["port"] == ":443" or len(value) > 255:
        raise bad(
            "must be one exact origin, as a browser writes it",
            where,
            "Such as https://example.org: no path, no wildcard, no port where it is the usual.",
        )
    return value


def _sites(tables: Any) -> tuple[Site, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise bad("must be tables", "sites", "Write each as [[sites]] with its origin.")
    if len(tables) > SITES_MAX:
        raise bad(f"must be at most {SITES_MAX}", "sites")
    made = []
    for k, table in enumerate(tables):
        path = f"sites[{k}]."
        refuse_unknown(table, _SITE, path)
        if "origin" not in table:
            raise bad("is missing", f"{path}origin")
        paths = texts(table, "paths", path=path)
        for at, value in enumerate(paths):
            if not _PATH.fullmatch(value):
                raise bad(
                    "must be a path, with * where anything may stand",
                    f"{path}paths[{at}]",
                    "Such as /write/*: no query, no fragment.",
                )
        made.append(
            Site(
                origin=_origin(text(table, "origin", path), f"{path}origin"),
                paths=paths,
                fields=_selectors(table, "fields", path) if "fields" in table else (),
            )
        )
    if len({site.origin for site in made}) != len(made):
        raise bad("names a site twice", "sites", "Give it several paths instead.")
    return tuple(made)


def _selectors(table: Mapping[str, Any], name: str, path: str = "") -> tuple[str, ...]:
    values = texts(table, name, required=True, path=path)
    if all(value.startswith("!") for value in values):
        raise bad("names nothing that may be recorded", f"{path}{name}", "`!` only excludes.")
    for k, value in enumerate(values):
        if value.startswith("!"):
            if not value[1:].strip():
                raise bad("excludes nothing", f"{path}{name}[{k}]", "Such as !.private.")
            continue
        if _SECRET.search(value):
            raise bad("names secret fields, which are never recorded", f"{path}{name}[{k}]")
        if _CATCH_ALL.search(value):
            raise bad("catches everything: name what may be recorded", f"{path}{name}[{k}]")
    return values


def _paths(table: Mapping[str, Any]) -> tuple[str, ...]:
    values = texts(table, "paths")
    for k, value in enumerate(values):
        if not _PAGE.fullmatch(value):
            raise bad(
                "must be the path of a page",
                f"paths[{k}]",
                "Such as /inbox or /message/:id: no site, no query, no fragment.",
            )
    return values


def _notice(table: Any, words: Any) -> dict[str, NoticeText]:
    if not isinstance(table, dict) or not table:
        raise bad("must have a table for at least one language", "notice", "Add [notice.en].")
    made = {}
    for language, parts in table.items():
        path = f"notice.{language}"
        if language not in LANGUAGES and language not in words:
            raise bad(
                "is not a language of notices",
                path,
                f"Known: {', '.join(LANGUAGES)}. `overt study words` prints what to translate.",
            )
        if not isinstance(parts, dict):
            raise bad("must be a table", path)
        refuse_unknown(parts, _NOTICE, f"{path}.")
        if "about" not in parts:
            raise bad("is missing", f"{path}.about")
        made[language] = NoticeText(
            about=text(parts, "about", f"{path}."),
            title=text(parts, "title", f"{path}.") if "title" in parts else "",
            storage=text(parts, "storage", f"{path}.") if "storage" in parts else "",
            readers=texts(parts, "readers", path=f"{path}."),
        )
    return made


def template(study_id: str, title: str, origin: str = "live") -> str:
    """Return the text of a new `study.toml` that loads as it is; `overt study new` writes it."""
    text = _TEMPLATE + (_TEMPLATE_LIVE if origin == "live" else _TEMPLATE_IMPORTED)
    for name, value in (("@id", study_id), ("@title", title), ("@origin", origin)):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        text = text.replace(name, escaped)
    load_study(text.encode())
    return text


_TEMPLATE = """\
id = "@id"
title = "@title"
version = 1                 # goes up with each change of the notice; people are asked again then
origin = "@origin"
controller = "Name of who decides what this is for"
contact = "privacy@example.org"
purposes = ["next-action", "typing-assist"]   # from the registry; each is its own choice
level = "rhythm"            # or "keys": characters in the listed fields
retention_days = 90
readers = ["Two people of the research group"]
"""

_TEMPLATE_LIVE = """\
address = "Street 1, 12345 Town"
jurisdictions = ["DE"]
storage = "a server of the research group"
outbox_delay_s = 60         # how long people can look before anything leaves
hold_days = 7               # what could not be sent waits, sealed, on the device
fields = ["[data-overt]"]   # CSS selectors of what may be recorded; "!.private": nothing there
# person = "Ada Example, +49 30 1234567, mornings"   # who answers people's questions
# paths = ["/inbox", "/message/:id"]   # pages that may be recorded, and told apart; never addresses
# origins = ["https://example.org"]   # other sites whose pages may ask people to join
# epsilon_max = 3                     # of all that is learned with noise on it; the notice says it
# [[sites]]                           # what the browser extension may record; before the notice
# origin = "https://example.org"
# paths = ["/write/*"]
# [[applications]]                    # what `overt record` may record on a desktop; nothing else
# id = "editor"
# title = "Text editor"
# executables = ["mousepad"]

[notice.en]
about = "We study how people write. Say here what for, in two or three sentences."
"""

_TEMPLATE_IMPORTED = """\
source = "Where the data was published, with address and date"
licence = "The licence it was published under"
lawful_basis = "The basis you rely on, such as GDPR Article 6(1)(e) with Article 89"
"""
