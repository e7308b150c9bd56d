"""Recovery codes: 128 random bits that let a person withdraw from any device.

Written in Crockford's base 32 (no I, L, O, U) in seven groups of four: 26 symbols carry the bits,
two the remainder modulo 1021. Any single wrong symbol, and any two of the 26 swapped, are noticed,
so a typing mistake is told apart from a code that is not known. Only a hash of the bits is stored.
"""

from __future__ import annotations

import hashlib
import secrets

from overt.schema.errors import InvalidInput

BITS = 128
_SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DATA, _CHECK, _PRIME = 26, 2, 1021
_READ = str.maketrans("ILO", "110")


def new_code() -> str:
    """Return a fresh recovery code, such as `7Z3K-…` (seven groups of four symbols)."""
    return write_code(secrets.token_bytes(BITS // 8))


def write_code(bits: bytes) -> str:
    """Return the code of 16 bytes."""
    if len(bits) != BITS // 8:
        raise InvalidInput("a recovery code carries 16 bytes", where="recovery_code")
    number = int.from_bytes(bits)
    symbols = _base32(number, _DATA) + _base32(number % _PRIME, _CHECK)
    return "-".join(symbols[k : k + 4] for k in range(0, len(symbols), 4))


def read_code(code: str) -> bytes:
    """Return the 16 bytes of a code as a person may type it: any case, spacing, O for 0, I for 1.

    Raises:
        InvalidInput: not a code, or mistyped. The message does not repeat it.
    """
    symbols = "".join(code.upper().split()).replace("-", "").translate(_READ)
    if len(symbols) != _DATA + _CHECK or not set(symbols) <= set(_SYMBOLS):
        raise InvalidInput(
            "a recovery code has 28 letters and digits in groups of four",
            where="recovery_code",
            do="Copy it from the receipt.",
        )
    number, check = _number(symbols[:_DATA]), _number(symbols[_DATA:])
    if number >> BITS or number % _PRIME != check:
        raise InvalidInput(
            "this recovery code has a typing mistake", where="recovery_code", do="Check each group."
        )
    return number.to_bytes(BITS // 8)


def recovery_hash(code: str) -> bytes:
    """Return what is stored of a code: 32 bytes. Plain SHA-256, as 128 bits cannot be guessed."""
    return hashlib.sha256(b"overt recovery 1\n" + read_code(code)).digest()


def _base32(number: int, length: int) -> str:
    return "".join(_SYMBOLS[number >> 5 * k & 31] for k in reversed(range(length)))


def _number(symbols: str) -> int:
    number = 0
    for symbol in symbols:
        number = number << 5 | _SYMBOLS.index(symbol)
    return number
