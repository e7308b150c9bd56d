"""Tokens are good for their receipt and their minutes, and for nothing else."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.consent.recovery import new_code, read_code, recovery_hash, write_code
from overt.consent.token import Tokens, check_token, issue_token
from overt.schema.errors import InvalidInput, Refused
from overt.schema.limits import TOKEN_TTL_S

SECRET = bytes(range(32))
RECEIPT = "0123456789abcdef" * 2
NOW_S = 1_795_305_600

receipts = st.binary(min_size=16, max_size=16).map(bytes.hex)


@settings(deadline=None)
@given(receipts, st.integers(1, 10**11 - TOKEN_TTL_S - 1), st.integers(0, TOKEN_TTL_S - 1))
def test_a_token_stands_for_its_receipt_until_it_expires(
    receipt: str, now_s: int, later_s: int
) -> None:
    token = issue_token(SECRET, receipt, now_s)
    assert check_token(SECRET, token, now_s + later_s) == receipt
    with pytest.raises(Refused, match="expired"):
        check_token(SECRET, token, now_s + TOKEN_TTL_S)


@settings(deadline=None)
@given(st.data())
def test_no_changed_token_passes_and_no_error_repeats_it(data: st.DataObject) -> None:
    token = issue_token(SECRET, RECEIPT, NOW_S)
    k = data.draw(st.integers(0, len(token) - 1))
    changes = [
        token[:k] + data.draw(st.characters().filter(lambda c: c != token[k])) + token[k + 1 :],
        token[:k] + token[k + 1 :],
        token[:k] + token[k] + token[k:],
        token[:k],
    ]
    for changed in changes:
        with pytest.raises(Refused) as caught:
            check_token(SECRET, changed, NOW_S)
        assert RECEIPT not in str(caught.value)
        assert token.rpartition(".")[2] not in str(caught.value)


@settings(deadline=None)
@given(st.text())
def test_what_is_not_a_token_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        check_token(SECRET, text, NOW_S)


def test_a_token_of_another_server_or_of_the_future_is_refused() -> None:
    token = issue_token(SECRET, RECEIPT, NOW_S)
    with pytest.raises(Refused, match="not issued here"):
        check_token(SECRET[::-1], token, NOW_S)
    with pytest.raises(Refused, match="check the clock"):
        check_token(SECRET, token, NOW_S - 3600)


def test_a_token_that_is_remembered_is_good_no_longer_than_it_was() -> None:
    tokens, token = Tokens(SECRET), issue_token(SECRET, RECEIPT, NOW_S).encode()
    assert tokens.remembered(token, NOW_S) is None
    assert tokens.check(token, NOW_S) == tokens.remembered(token, NOW_S) == RECEIPT
    for now_s, words in ((NOW_S + TOKEN_TTL_S, "expired"), (NOW_S - 3600, "check the clock")):
        assert tokens.remembered(token, now_s) is None
        with pytest.raises(Refused, match=words):
            tokens.check(token, now_s)


def test_a_short_secret_or_a_wrong_id_makes_no_token() -> None:
    with pytest.raises(Refused, match="too short"):
        issue_token(b"short", RECEIPT, NOW_S)
    for wrong in ("", "x" * 32, RECEIPT.upper(), RECEIPT + "0", RECEIPT[:-1] + "\n"):
        with pytest.raises(Refused):
            issue_token(SECRET, wrong, NOW_S)


bits = st.binary(min_size=16, max_size=16)


@settings(deadline=None)
@given(bits)
def test_a_recovery_code_reads_back_however_it_is_typed(secret: bytes) -> None:
    code = write_code(secret)
    assert [len(group) for group in code.split("-")] == [4] * 7
    sloppy = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert read_code(code) == read_code(f"  {sloppy}\n") == secret
    assert recovery_hash(sloppy) == recovery_hash(code)


@settings(max_examples=5, deadline=None)
@given(bits)
def test_every_single_typing_mistake_and_every_swap_is_noticed(secret: bytes) -> None:
    code = write_code(secret).replace("-", "")
    symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    for k, old in enumerate(code):
        for new in symbols:
            if new != old:
                with pytest.raises(InvalidInput):
                    read_code(code[:k] + new + code[k + 1 :])
    for j, k in itertools.combinations(range(26), 2):
        if code[j] != code[k]:
            swapped = code[:j] + code[k] + code[j + 1 : k] + code[j] + code[k + 1 :]
            with pytest.raises(InvalidInput, match="typing mistake"):
                read_code(swapped)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_an_error_about_a_code_does_not_repeat_it(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_code("ZZZZ" + text)
    assert "ZZZZ" not in str(caught.value)


def test_codes_are_fresh_and_carry_128_bits() -> None:
    codes = [new_code() for _ in range(500)]
    assert len(set(codes)) == len(codes)
    ones = [sum(read_code(code)[k // 8] >> k % 8 & 1 for code in codes) for k in range(128)]
    assert all(150 < count < 350 for count in ones)
    with pytest.raises(InvalidInput):
        write_code(bytes(15))
