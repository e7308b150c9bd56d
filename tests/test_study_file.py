"""A study file is read strictly: what is wrong is named by its path, and nothing is guessed."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_fixtures import FIVE_MINUTES, study
from overt.consent.notice import notice_bytes
from overt.schema.errors import InvalidInput, Missing
from overt.schema.study import Study, load_study, study_sha256, template

LIVE = template("writing", "How people write")
IMPORTED = template("aalto", "Aalto keystrokes", "imported")


def test_the_built_in_study_asks_for_all_purposes_at_rhythm_for_thirty_days() -> None:
    built_in = study()
    assert built_in.id == "five-minutes"
    assert built_in.purposes == ("next-action", "person-or-program", "typing-assist")
    assert (built_in.level, built_in.retention_days, built_in.outbox_delay_s) == ("rhythm", 30, 60)
    assert (built_in.origin, list(built_in.notice)) == ("live", ["en", "de"])


def test_a_study_may_list_other_sites() -> None:
    assert load_study(LIVE.encode()).origins == ()
    sites = ("https://a.example", "https://b.example:8443", "http://127.0.0.1:8000")
    source = with_line(LIVE, f"origins = {list(sites)}")
    assert load_study(source).origins == sites


def test_a_new_study_loads_as_it_is_written() -> None:
    assert load_study(LIVE.encode()).title == "How people write"
    assert load_study(IMPORTED.encode()).origin == "imported"
    assert load_study(template("a", 'Say "no" \\ here').encode()).title == 'Say "no" \\ here'
    with pytest.raises(InvalidInput, match="id"):
        template("Not An Id", "x")


def with_line(text: str, line: str) -> bytes:
    """Return the file with a line in place of the one with the same key, or added on top."""
    key = line.split("=")[0].strip()
    lines = text.splitlines()
    if not any(old.split("=")[0].strip() == key for old in lines):
        return "\n".join([line, *lines]).encode()
    return "\n".join(line if old.split("=")[0].strip() == key else old for old in lines).encode()


@pytest.mark.parametrize(
    ("line", "where", "what"),
    [
        ("retention_day = 3", "retention_day", "retention_days"),
        ("retention_days = 0", "retention_days", "1 to 3650"),
        ('purposes = ["text-assist"]', "purposes", "needs level keys"),
        ("retention_days = true", "retention_days", "whole number"),
        ("retention_days = 3.5", "retention_days", "whole number"),
        ("outbox_delay_s = 5", "outbox_delay_s", "10 to 86400"),
        ("hold_days = 31", "hold_days", "0 to 30"),
        ("version = 0", "version", "1 to"),
        ('level = "screen"', "level", "rhythm, keys"),
        ('origin = "synthetic"', "origin", "live, imported"),
        ('id = "a/b"', "id", "lower-case"),
        ('id = "-a"', "id", "lower-case"),
        ('title = ""', "title", "text"),
        ('controller = "a\\u0000b"', "controller", "printable"),
        ("purposes = []", "purposes", "at least one"),
        ('purposes = "next-action"', "purposes", "list"),
        ('purposes = ["emotion"]', "purposes[0]", "registry"),
        ('purposes = ["next-action", "next-action"]', "purposes", "twice"),
        ("readers = []", "readers", "at least one"),
        ("readers = [3]", "readers[0]", "text"),
        ('jurisdictions = ["Germany"]', "jurisdictions[0]", "country"),
        ('fields = ["#a", "input[type=password]"]', "fields[1]", "secret"),
        ('fields = ["*"]', "fields[0]", "everything"),
        ('fields = ["#a, *"]', "fields[0]", "everything"),
        ('fields = ["input"]', "fields[0]", "everything"),
        ('fields = ["p:not(.private)"]', "fields[0]", "everything"),
        ("fields = []", "fields", "at least one"),
        ('fields = ["[autocomplete=cc-number]"]', "fields[0]", "secret"),
        ('origins = "https://a.example"', "origins", "list"),
        ('origins = ["https://a.example", "*"]', "origins[1]", "exact origin"),
        ('origins = ["https://*.example.org"]', "origins[0]", "no wildcard"),
        ('origins = ["https://a.example/"]', "origins[0]", "no path"),
        ('origins = ["https://a.example/x"]', "origins[0]", "no path"),
        ('origins = ["https://A.example"]', "origins[0]", "exact origin"),
        ('origins = ["https://a.example:443"]', "origins[0]", "no port"),
        ('origins = ["http://a.example"]', "origins[0]", "exact origin"),
        ('origins = ["a.example"]', "origins[0]", "exact origin"),
        ('origins = ["null"]', "origins[0]", "exact origin"),
        ('origins = ["https://me:pw@a.example"]', "origins[0]", "exact origin"),
        ('origins = ["https://a.example\\nhttps://b.example"]', "origins[0]", "exact origin"),
        ('origins = ["https://a.example", "https://a.example"]', "origins", "twice"),
        ('source = "a journal"', "source", "does not belong"),
        ('notice = "text"', "notice", ""),
        ('about = ""', "notice.en.about", "text"),
    ],
)
def test_what_is_wrong_in_a_live_study_is_named(line: str, where: str, what: str) -> None:
    source = with_line(LIVE, line)
    if line.startswith("notice"):
        source = source.replace(b"[notice.en]", b"[other]")
    with pytest.raises(InvalidInput) as caught:
        load_study(source)
    assert caught.value.where == where or line.startswith("notice")
    assert what in str(caught.value)


@pytest.mark.parametrize("name", ["source", "licence", "lawful_basis"])
def test_imported_data_states_source_licence_and_lawful_basis(name: str) -> None:
    lines = [line for line in IMPORTED.splitlines() if not line.startswith(name)]
    with pytest.raises(InvalidInput) as caught:
        load_study("\n".join(lines).encode())
    assert caught.value.where == name


@pytest.mark.parametrize(
    "line",
    ["outbox_delay_s = 60", 'fields = ["#a"]', 'origins = ["https://a.example"]', "[notice.en]"],
)
def test_imported_data_has_nothing_of_a_live_study(line: str) -> None:
    with pytest.raises(InvalidInput, match="does not belong"):
        load_study(f"{IMPORTED}\n{line}\n".encode())


def test_the_notice_of_a_study_is_as_strict() -> None:
    for extra, where in (
        ('[notice.fr]\nabout = "Bonjour."', "notice.fr"),
        ('[notice.de]\ntitle = "Hallo"', "notice.de.about"),
        ('[notice.de]\nabout = "Hallo."\nreader = ["x"]', "notice.de.reader"),
    ):
        with pytest.raises(InvalidInput) as caught:
            load_study(f"{LIVE}\n{extra}\n".encode())
        assert caught.value.where == where


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_study_or_a_precise_refusal(source: bytes) -> None:
    with pytest.raises(InvalidInput):
        load_study(source)


@settings(deadline=None)
@given(st.data())
def test_a_study_with_any_line_taken_away_is_refused_or_still_whole(data: st.DataObject) -> None:
    lines = LIVE.splitlines()
    k = data.draw(st.integers(0, len(lines) - 1))
    rest = "\n".join(lines[:k] + lines[k + 1 :]).encode()
    if not lines[k] or lines[k].startswith("#"):
        assert load_study(rest).id == "writing"
    else:
        with pytest.raises(InvalidInput):
            load_study(rest)


def test_a_file_that_is_not_there_or_too_long_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="overt study new"):
        load_study(tmp_path / "study.toml")
    with pytest.raises(InvalidInput, match="longer"):
        load_study(b"#" * 70_000)
    assert load_study(FIVE_MINUTES) == study()


def test_the_hash_follows_what_a_study_states_not_how_it_is_laid_out() -> None:
    one = load_study(LIVE.encode())
    assert study_sha256(one) == study_sha256(load_study(f"# a comment\n{LIVE}".encode()))
    assert study_sha256(one) != study_sha256(dataclasses.replace(one, retention_days=91))


def test_areas_of_a_page_can_be_allowed_by_selector() -> None:
    for selector in ("#essay", "form.task textarea", "#form *", "[data-overt] input"):
        allowed = load_study(with_line(LIVE, f'fields = ["{selector}"]'))
        assert allowed.fields == (selector,)


SITES = """
[[sites]]
origin = "https://a.example"
paths = ["/write/*", "/"]
fields = ["#essay"]
[[sites]]
origin = "http://127.0.0.1:8000"
"""


def with_sites(text: str) -> bytes:
    return LIVE.replace("\n[notice.en]", f"\n{text}\n[notice.en]").encode()


def test_a_study_may_list_sites_for_the_extension_and_its_notice_and_hash_follow() -> None:
    listed = load_study(with_sites(SITES))
    assert [site.origin for site in listed.sites] == ["https://a.example", "http://127.0.0.1:8000"]
    assert listed.sites[0].paths == ("/write/*", "/")
    none = load_study(LIVE.encode())
    assert none.sites == ()
    assert study_sha256(listed) != study_sha256(none)
    told = json.loads(notice_bytes(listed, "en"))
    (text,) = [line for line in told["sections"][1]["text"] if "https://a.example" in line]
    assert "/write/*, /" in text
    assert "http://127.0.0.1:8000" in text
    own, other = told["settings"]["sites"]
    assert own["fields"] == ["#essay"]
    assert other["fields"] == list(listed.fields)
    assert "sites" not in json.loads(notice_bytes(none, "en"))["settings"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('sites = "https://a.example"', "sites"),
        ("[[sites]]\npaths = ['/']", r"sites\[0\].origin"),
        ("[[sites]]\norigin = 'https://*.example'", r"sites\[0\].origin"),
        ("[[sites]]\norigin = 'http://a.example'", r"sites\[0\].origin"),
        ("[[sites]]\norigin = 3", "origin"),
        ("[[sites]]\norigin = 'https://a.example'\npath = '/'", "paths"),
        ("[[sites]]\norigin = 'https://a.example'\npaths = ['write']", r"sites\[0\].paths\[0\]"),
        ("[[sites]]\norigin = 'https://a.example'\npaths = ['/?q=1']", r"sites\[0\].paths\[0\]"),
        ("[[sites]]\norigin = 'https://a.example'\nfields = ['input']", r"sites\[0\].fields\[0\]"),
        ("[[sites]]\norigin = 'https://a.example'\nfields = []", r"sites\[0\].fields"),
        ("[[sites]]\norigin = 'https://a.example'\n" * 2, "sites"),
    ],
)
def test_what_is_wrong_with_a_site_is_named(text: str, where: str) -> None:
    with pytest.raises(InvalidInput, match=where):
        load_study(with_sites(text))


A_PROGRAM = "applications[0].executables[0]"
DESK = """
[[applications]]
id = "editor"
title = "Text editor"
executables = ["mousepad", "/usr/bin/gedit"]
"""


def test_a_study_lists_desktop_applications_by_their_program_file() -> None:
    (editor,) = load_study((template("desk", "Desk") + DESK).encode()).applications
    with pytest.raises(InvalidInput, match="must be 1 or more"):
        load_study(with_line(template("desk", "Desk") + DESK, "hold_days = 0"))
    assert (editor.executables, editor.terminal) == (("mousepad", "/usr/bin/gedit"), False)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (("mousepad", "python3"), "applications[0].executables[0]"),
        (("mousepad", "bash"), "applications[0].executables[0]"),
        (('executables = ["mousepad"', 'terminal = true\nexecutables = ["bash"'), None),
        (('executables = ["mousepad"', 'terminal = true\nexecutables = ["perl"'), A_PROGRAM),
        (("mousepad", "my editor"), "applications[0].executables[0]"),
        (("mousepad", "../mousepad"), "applications[0].executables[0]"),
        (('"mousepad", ', ""), None),
        (('id = "editor"\n', ""), "applications[0].id"),
        (("executables", "executable"), "applications[0].executable"),
        (("Text editor", " "), "applications[0].title"),
        (("/usr/bin/gedit", "/usr/bin/chromium"), "applications[0].executables"),
        (("/usr/bin/gedit", "firefox-esr"), "applications[0].executables"),
        (("/usr/bin/gedit", "com.google.Chrome"), "applications[0].executables"),
    ],
)
def test_an_application_that_could_be_anything_is_refused(
    change: tuple[str, str], where: str | None
) -> None:
    source = (template("desk", "Desk") + DESK.replace(*change)).encode()
    if where is None:
        load_study(source)
        return
    with pytest.raises(InvalidInput) as refused:
        load_study(source)
    assert refused.value.where == where


def test_a_browser_is_listed_only_with_its_private_windows_and_the_notice_says_so() -> None:
    browser = DESK.replace("/usr/bin/gedit", "chromium") + "private_windows = true\n"
    study = load_study((template("desk", "Desk") + browser).encode())
    for language in study.notice:
        assert "privat" in str(_recorded(study, language))
    plain = load_study((template("desk", "Desk") + DESK).encode())
    assert "privat" not in str(_recorded(plain, "en"))


def _recorded(study: Study, language: str) -> list[str]:
    (section,) = (
        one
        for one in json.loads(notice_bytes(study, language))["sections"]
        if one["id"] == "recorded"
    )
    return list(section["text"])


def test_a_study_may_exclude_what_it_likes_but_must_name_what_may_be_recorded() -> None:
    def fields(value: str) -> Study:
        return load_study(re.sub(r"fields = .*", f"fields = {value}", LIVE).encode())

    assert fields('["#a", "!*", "!input[type=password]"]').fields[1:] == (
        "!*",
        "!input[type=password]",
    )
    for wrong in ('["!.private"]', '["#a", "! "]', '["#a", ":not(b)"]'):
        with pytest.raises(InvalidInput, match="fields"):
            fields(wrong)
