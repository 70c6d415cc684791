"""Opaque secrets: API tokens, OAuth tokens and codes, client secrets.

`crm_pat_` + 43 characters (32 random bytes in base62) + 6 characters (CRC-32 of all before it, base62). The prefix says
what leaked; the checksum lets secret scanners, and us, reject garbage without a database. Only the SHA-256 of the whole
token is stored: 256 random bits need neither salt nor a slow hash, and a look-up by hash leaks nothing by timing.
"""

import re
import secrets
from hashlib import sha256
from typing import Final, Literal, get_args
from zlib import crc32

TokenPrefix = Literal["crm_at_", "crm_rt_", "crm_pat_", "crm_ac_", "crm_cs_", "crm_ss_", "crm_ml_", "crm_dc_", "crm_et_"]

#: Access token, refresh token, personal or service token, authorization code, client secret, browser session, link in a mail, device code,
#: ticket for the event stream.
TOKEN_PREFIXES: Final[tuple[TokenPrefix, ...]] = get_args(TokenPrefix)

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_BYTES: Final = 32
_BODY: Final = 43  # 62**43 > 2**256
_CHECK: Final = 6  # 62**6 > 2**32
_FORM: Final = re.compile(f"({'|'.join(TOKEN_PREFIXES)})[0-9A-Za-z]{{{_BODY + _CHECK}}}")
_SHOWN: Final = 4


def generate(prefix: TokenPrefix) -> tuple[str, bytes]:
    """A new token and the hash to store. The token itself is shown to its owner once."""
    head = prefix + _base62(int.from_bytes(secrets.token_bytes(_RANDOM_BYTES), "big"), _BODY)
    token = head + _checksum(head)
    return token, token_hash(token)


def parse(token: str, *prefixes: TokenPrefix) -> bytes | None:
    """The hash of a well-formed token whose checksum fits, else None; with `prefixes`, only those kinds count."""
    match = _FORM.fullmatch(token)
    if match is None or (prefixes and match[1] not in prefixes):
        return None
    if _checksum(token[:-_CHECK]) != token[-_CHECK:]:
        return None
    return token_hash(token)


def token_hash(token: str) -> bytes:
    """SHA-256 of the token's text: 32 bytes."""
    return sha256(token.encode()).digest()


def token_hint(token: str) -> str:
    """What may be shown later to tell tokens apart: `crm_pat_8sK2…`."""
    prefix, _, body = token.rpartition("_")
    return f"{prefix}_{body[:_SHOWN]}…"


def _checksum(head: str) -> str:
    return _base62(crc32(head.encode()), _CHECK)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
