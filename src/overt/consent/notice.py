"""The notice: the exact bytes a person is shown before they choose, and what a receipt binds to.

Rendered from the study and the words of a language (`wording`), never written by hand, so that
it cannot say less than what the settings do. The result is canonical JSON: a page shows its texts
as they are, and its SHA-256 stands in the receipt. Another study version, another wording or
another setting is another hash, and asks for fresh consent.
"""

from __future__ import annotations

import hashlib
from typing import Any

from overt.consent.wording import shipped, wording
from overt.schema.canonical import canonical
from overt.schema.errors import InvalidInput
from overt.schema.event import MARKS, Kind
from overt.schema.purpose import REGISTRY, SCREEN, TOGETHER
from overt.schema.study import DETAILS, EPSILON, Site, Study

SCHEMA = "overt-notice/1"

KIND_GROUPS: dict[str, frozenset[Kind]] = {
    "keyboard": frozenset(
        {
            Kind.KEY_DOWN,
            Kind.KEY_UP,
            Kind.EDIT,
            Kind.COMPOSITION_START,
            Kind.COMPOSITION_END,
            Kind.COMMAND,
        }
    ),
    "pointing": frozenset(
        {
            Kind.POINTER_DOWN,
            Kind.POINTER_UP,
            Kind.CLICK,
            Kind.WHEEL,
            Kind.SCROLL,
            Kind.HOVER,
        }
    ),
    "movement": frozenset({Kind.POINTER_MOVE}),
    "attention": frozenset({Kind.FOCUS, Kind.BLUR, Kind.VISIBILITY, Kind.VIEW, Kind.NAVIGATION}),
    "selection": frozenset({Kind.SELECTION}),
    "elements": frozenset({Kind.ELEMENT}),
    "pictures": frozenset({Kind.PICTURE}),
}
"""Kinds of event as people would call them; together all but the marks."""


def notice_bytes(study: Study, language: str) -> bytes:
    """Return the notice of a live study in one of its languages, as canonical JSON.

    Raises:
        InvalidInput: an imported study has no notice, or this one has none in that language.
    """
    if study.origin != "live":
        raise InvalidInput("imported data has no notice: nobody joins it", where="study.origin")
    if language not in study.notice:
        raise InvalidInput(
            "the study has no notice in this language",
            where="lang",
            do=f"It has: {', '.join(study.notice)}.",
        )
    return canonical(_notice(study, language, wording(study, language)))


def notice_sha256(study: Study, language: str) -> str:
    """Return the hash (hex) of the notice's bytes."""
    return hashlib.sha256(notice_bytes(study, language)).hexdigest()


def _notice(study: Study, language: str, words: dict[str, Any]) -> dict[str, Any]:
    own = study.notice[language]
    before = words["before"]["text" if study.hold_days else "text_without_hold"]
    easy = words["easy"]
    texts = {
        "easy": [*easy["text"], *easy[study.level], *easy["after"]],
        "recorded": [
            *words["recorded"][study.level],
            *words["recorded"]["always"],
            *([words["sites"]["text"]] if study.origins else []),
            *([words["extension"]["text"]] if study.sites else []),
            *(words["desktop"]["text"] if study.applications else []),
            *([words["desktop"]["private"]] if any(_private(study)) else []),
            *([words["desktop"]["keys"]] if any(one.keys for one in study.applications) else []),
            *(_looks(study, words["screen"]) if study.applications else []),
        ],
        "before": before,
        "kept": words["kept"]["text"],
        "readers": words["readers"]["text"],
        "leaving": [
            *words["leaving"]["text"],
            *([words["together"]["leaving"]] if _together(study) else []),
            *([words["together"]["budget"]] if budget(study) else []),
        ],
        "limits": words["limits"]["text"],
        "ask": [*([words["ask"]["person"]] if study.person else []), words["ask"]["contact"]],
    }
    filled = {
        "outbox_delay": _duration(study.outbox_delay_s, words["units"]),
        "hold_days": _duration(study.hold_days * 86_400, words["units"]),
        "retention_days": _duration(study.retention_days * 86_400, words["units"]),
        "storage": own.storage or study.storage,
        "origins": ", ".join(study.origins),
        "sites": "; ".join(_site(site, words["extension"]["only"]) for site in study.sites),
        "applications": ", ".join(one.title for one in study.applications),
        "browsers": ", ".join(_private(study)),
        "typed": "; ".join(_typed(study, words["desktop"]["fields"])),
        "windows": ", ".join(one.title for one in study.applications if one.screen),
        "person": study.person,
        "contact": study.contact,
        "epsilon_max": budget(study),
    }
    sections = [
        {
            "id": name,
            "heading": words["headings"][name],
            "text": [_fill(text, filled) for text in paragraphs],
        }
        for name, paragraphs in texts.items()
    ]
    readers = next(section for section in sections if section["id"] == "readers")
    readers["text"] = [*_sentences(own.readers or study.readers), *readers["text"]]
    return {
        "schema": SCHEMA,
        "study": study.id,
        "version": study.version,
        "language": language,
        "direction": words["direction"],
        "title": own.title or study.title,
        "about": own.about,
        "controller": study.controller,
        "contact": study.contact,
        "sections": sections,
        "choices": {
            "heading": words["headings"]["choices"],
            "text": words["choices"]["text"],
            "purposes": [_choice(purpose, words) for purpose in study.purposes],
            "details": _details(study, words),
        },
        "join": words["join"],
        "decline": words["decline"],
        "declined": words["declined"],
        "indicator": {**words["indicator"], "direction": words["direction"]},
        **({"events": events} if (events := _events(words)) else {}),
        "settings": {
            "level": study.level,
            "retention_days": study.retention_days,
            "outbox_delay_s": study.outbox_delay_s,
            "hold_days": study.hold_days,
            "fields": list(study.fields),
            "paths": list(study.paths),
            "origins": list(study.origins),
            **({"sites": [_settings(site, study) for site in study.sites]} if study.sites else {}),
            **({"applications": listed} if (listed := _applications(study)) else {}),
            **({"epsilon_max": stated} if (stated := budget(study)) else {}),
        },
    }


def _events(words: dict[str, Any]) -> dict[str, Any]:
    """Return what mirror and outbox call an event; nothing for English, which they know."""
    own: dict[str, Any] = words.get("events", {})
    return {} if own == shipped("en")["events"] else own


def _site(site: Site, only: str) -> str:
    return site.origin + (only.replace("{paths}", ", ".join(site.paths)) if site.paths else "")


def _settings(site: Site, study: Study) -> dict[str, Any]:
    """Return what the extension enforces of a site, before an event exists."""
    return {
        "origin": site.origin,
        "paths": list(site.paths),
        "fields": list(site.fields or study.fields),
    }


def _applications(study: Study) -> list[dict[str, Any]]:
    """Return what the desktop agent may record; its number is its place in this list, from 1."""
    return [
        {
            "number": number,
            "id": one.id,
            "title": one.title,
            "executables": list(one.executables),
            "terminal": one.terminal,
            **({"screen": True} if one.screen else {}),
            **({"private_windows": True} if one.private_windows else {}),
            **({"keys": list(one.keys)} if one.keys else {}),
        }
        for number, one in enumerate(study.applications, 1)
    ]


def _private(study: Study) -> list[str]:
    """Return the titles of browsers whose private windows count as any other."""
    return [one.title for one in study.applications if one.private_windows]


def _typed(study: Study, words: dict[str, Any]) -> list[str]:
    """Return the fields of applications in which it is recorded which key it is."""
    return [
        f"{one.title} ({', '.join(words[name.replace('-', '_')] for name in one.keys)})"
        for one in study.applications
        if one.keys
    ]


def _looks(study: Study, words: dict[str, Any]) -> list[str]:
    """Return what is recorded of windows, by the purposes that ask for it."""
    asked = [words[purpose] for purpose in SCREEN if purpose in study.purposes]
    return [*asked, words["always"]] if asked else [words["never"]]


def _choice(purpose: str, words: dict[str, Any]) -> dict[str, Any]:
    own = words["purposes"][purpose]
    needs = words["choices"]["needs"].replace("{kinds}", ", ".join(_kinds(purpose, words)))
    text = f"{own['text']} {needs}"
    if purpose in TOGETHER:
        text = f"{text} {words['together']['stays']}"
    return {"id": purpose, "title": own["title"], "text": text}


def _together(study: Study) -> bool:
    """Tell whether a purpose of the study learns where leaving rebuilds nothing."""
    return any(purpose in TOGETHER for purpose in study.purposes)


def budget(study: Study) -> str:
    """Return the ε that all learning with noise may cost a person, or nothing if none is said.

    As a decimal number, so that a notice's bytes hold no fraction of a machine's own.
    """
    return study.epsilon_max or (f"{EPSILON[1]:g}" if _together(study) else "")


def kinds_in_words(purpose: str, language: str) -> list[str]:
    """Return the kinds of event a purpose needs, as the notice calls them."""
    return _kinds(purpose, shipped(language))


def _kinds(purpose: str, words: dict[str, Any]) -> list[str]:
    kinds = REGISTRY[purpose].kinds - MARKS
    return [words["kinds"][name] for name, group in KIND_GROUPS.items() if kinds & group]


def _details(study: Study, words: dict[str, Any]) -> dict[str, Any]:
    """Return what the person may choose of how exactly; no levels where there is no choice."""
    offered = DETAILS[study.level]
    levels = [{"id": level, **words["details"][level]} for level in offered if len(offered) > 1]
    return {"heading": words["details"]["heading"], "levels": levels}


def _sentences(items: tuple[str, ...]) -> list[str]:
    return [item[:1].upper() + item[1:] + ("" if item[-1] in ".!?" else ".") for item in items]


def _fill(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _duration(seconds: int, units: dict[str, str]) -> str:
    """Return a duration in the largest unit that divides it: `60` is `1 minute`."""
    for name, size in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds % size == 0 and seconds >= size:
            count = seconds // size
            return f"{count} {units[name if count == 1 else name + 's']}"
    return f"0 {units['seconds']}"
