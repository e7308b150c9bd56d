"""Access tokens: what a device shows the collector, good for some minutes.

`v1.<receipt id>.<expiry, s since 1970>.<base64url(HMAC-SHA256)>`. Nothing is stored; a withdrawal
is seen because the receipt is looked up, not the token. No error repeats the token.
"""

from __future__ import annotations

import base64
import hmac
import re

from overt.schema.errors import Refused
from overt.schema.limits import GRANTS_KEPT_MAX, TOKEN_TTL_S

SECRET_BYTES_MIN = 32
_FORM = re.compile(r"v1\.([0-9a-f]{32})\.([1-9][0-9]{0,11})\.([A-Za-z0-9_-]{43})", re.ASCII)
_REFRESH = "Ask /v1/token for a fresh one."


def _mac(secret: bytes, receipt_id: str, expires_s: str) -> str:
    if len(secret) < SECRET_BYTES_MIN:
        raise Refused("the secret of tokens is too short to be safe", where="token")
    digest = hmac.digest(secret, f"overt token 1\n{receipt_id}\n{expires_s}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest)[:-1].decode()


def issue_token(secret: bytes, receipt_id: str, now_s: int) -> str:
    """Return a token for a receipt (32 hex digits), good for `TOKEN_TTL_S` from `now_s`."""
    token = f"v1.{receipt_id}.{now_s + TOKEN_TTL_S}"
    token = f"{token}.{_mac(secret, receipt_id, token.rpartition('.')[2])}"
    if not _FORM.fullmatch(token):
        raise Refused("a token needs a receipt id of 32 hex digits and a time", where="token")
    return token


def check_token(secret: bytes, token: str, now_s: int) -> str:
    """Return the receipt id that a token stands for.

    Raises:
        Refused: malformed, not made with this secret, expired, or from the future.
    """
    match = _FORM.fullmatch(token)
    if match is None:
        raise Refused("is not a token", where="token", do=_REFRESH)
    receipt_id, expires_s, mac = match.groups()
    if not hmac.compare_digest(_mac(secret, receipt_id, expires_s), mac):
        raise Refused("was not issued here", where="token", do=_REFRESH)
    _check_time(int(expires_s), now_s)
    return receipt_id


def _check_time(expires_s: int, now_s: int) -> None:
    left_s = expires_s - now_s
    if left_s <= 0:
        raise Refused("has expired", where="token", do=_REFRESH)
    if left_s > TOKEN_TTL_S + 60:
        raise Refused("lasts longer than tokens do: check the clock", where="token", do=_REFRESH)


class Tokens:
    """Checks tokens, and remembers good ones: a device shows the same one many times."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._good: dict[bytes, tuple[str, int]] = {}

    def check(self, token: bytes, now_s: int) -> str:
        """Return what `check_token` does, or raise the same."""
        known = self._good.get(token)
        if known is not None:
            _check_time(known[1], now_s)
            return known[0]
        text = token.decode("latin-1")
        receipt_id = check_token(self._secret, text, now_s)
        if len(self._good) >= GRANTS_KEPT_MAX:
            self._good.clear()
        self._good[token] = (receipt_id, int(text.split(".")[2]))
        return receipt_id
