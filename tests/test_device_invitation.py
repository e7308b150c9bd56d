"""An invitation pins what was promised: anything else at the address is refused, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from overt.commands.whereabouts import invited, study_at
from overt.consent.invitation import Invitation, invitation
from overt.consent.notice import notice_sha256
from overt.schema.errors import Missing, OvertError, Refused
from overt.schema.study import load_study, template

STUDY = load_study(
    (template("desk", "Writing") + '\n[notice.de]\nabout = "Wir untersuchen."\n').encode()
)
ADDRESS = "https://example.org/study/desk"


def saved(folder: Path, text: str | bytes) -> str:
    path = folder / "invitation.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def test_what_an_invitation_says_is_read_back_and_holds_for_the_notice_it_was_made_from(
    tmp_path: Path,
) -> None:
    place = saved(tmp_path, invitation(STUDY, ADDRESS))
    assert study_at(place) == study_at(ADDRESS) == ("https://example.org", "desk")
    assert invited(ADDRESS) is None
    made = invited(place)
    assert made is not None
    assert (made.language("de"), made.language("fr")) == ("de", "en")
    for language in ("en", "de"):
        made.check(language, notice_sha256(STUDY, language))
    for language, other in (("en", "de"), ("de", "en"), ("fr", "en")):
        with pytest.raises(Refused, match=r"other than this invitation promises; nothing"):
            made.check(language, notice_sha256(STUDY, other))


@pytest.mark.parametrize(
    ("changed", "by"),
    [
        ("retention_days = 90", "retention_days = 365"),
        ('"typing-assist"]', '"typing-assist", "person-or-program"]'),
        ("outbox_delay_s = 60", "outbox_delay_s = 90"),
        ("version = 1", "version = 2"),
    ],
)
def test_a_study_that_came_to_ask_for_more_is_not_the_one_that_was_promised(
    changed: str, by: str
) -> None:
    source = template("desk", "Writing")
    assert changed in source
    other = load_study(source.replace(changed, by).encode())
    promised = Invitation("a file", ADDRESS, {"en": notice_sha256(STUDY, "en")})
    with pytest.raises(Refused):
        promised.check("en", notice_sha256(other, "en"))


GOOD = invitation(STUDY, ADDRESS)
HASH = notice_sha256(STUDY, "en")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (template("desk", "Writing"), "is a study, and does not say where it can be joined"),
        (GOOD.replace("invitation = 1", "invitation = 2"), "later Overt"),
        (GOOD.replace("invitation = 1\n", ""), "is not an invitation"),
        (GOOD + 'more = "x"\n[other]\n', "is not an invitation"),
        (GOOD.replace(f'study = "{ADDRESS}"\n', ""), "where its study can be joined"),
        (GOOD.split("[notice]")[0], "what its study promises"),
        (GOOD.replace(HASH, HASH[:-1]), "what its study promises"),
        (GOOD.replace(ADDRESS, "example.org"), "must be the address of a study's page"),
        (GOOD.replace(ADDRESS, "/etc/passwd"), "must be the address of a study's page"),
        (GOOD.replace("https:", "http:"), "without encryption"),
        ("", "is not an invitation"),
        (b"\xff\xfe\x00", "is not an invitation"),
        ("[" * 5000, "is not an invitation"),
        ("#" * 70_000, "is not an invitation"),
    ],
)
def test_what_is_not_an_invitation_is_one_line_that_says_which_file_and_what_to_do(
    tmp_path: Path, text: str | bytes, words: str
) -> None:
    place = saved(tmp_path, text)
    with pytest.raises(OvertError, match=words) as said:
        study_at(place)
    assert place in said.value.where
    assert said.value.do
    assert "\n" not in str(said.value)


def test_what_is_neither_a_file_nor_an_address_is_said_to_be_so(tmp_path: Path) -> None:
    for wrong in (str(tmp_path), str(tmp_path / "none"), "example.org/study/desk", "", "a\0b"):
        with pytest.raises(Missing, match="neither the address"):
            study_at(wrong)
