"""Page cursors: opaque to clients, checked on the way back in.

A cursor carries the sort values of the last row, so that the next page is a range scan, not an offset. It is signed
because those values are compared with columns, and a client that could choose them would sort and probe by fields of
its own choosing. Nothing in it is secret from the client that got it: the values come from a row it was shown.

Layout: base64url without padding of `MAC (16 bytes) ‖ JSON [kind, digest, value, …]`. Values without a JSON type of
their own are one-key objects: u UUID, t timestamp, d date, n decimal, i integer beyond 64 bits, f non-finite number.
"""

import hmac
from base64 import urlsafe_b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import blake2b
from math import isfinite
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.core.errors import InvalidCursor

CursorValue = None | str | int | float | bool | UUID | datetime | date | Decimal

_MAC: Final = 16
_MAX_TEXT: Final = 8_000
_URL_TO_STD: Final = bytes.maketrans(b"-_", b"+/")
_ALPHABET: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def query_digest(*parts: Any) -> str:
    """A short digest of what a cursor belongs to: filter, sort, view. Parts are JSON values; order of keys is ignored."""
    return blake2b(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS, default=str), digest_size=9).hexdigest()


def encode_cursor(key: bytes, kind: str, digest: str, values: Sequence[CursorValue]) -> str:
    """A cursor of `kind` (`list`, `events`, …) at `values` for the query with `digest`; see `query_digest`."""
    payload = orjson.dumps([kind, digest, *map(_pack, values)], option=orjson.OPT_PASSTHROUGH_DATETIME)
    return urlsafe_b64encode(hmac.digest(key, payload, "sha256")[:_MAC] + payload).rstrip(b"=").decode("ascii")


def decode_cursor(key: bytes, kind: str, digest: str, text: str, *, parameter: str = "cursor") -> list[CursorValue]:
    """The values of a cursor, with their types.

    Raises InvalidCursor with reason `malformed`, `tampered`, `kind` (made by another route) or `mismatch` (made for
    another filter, sort or view).
    """
    raw = _unbase64(text)
    if raw is None or len(raw) <= _MAC:
        raise InvalidCursor("malformed", parameter)
    payload = raw[_MAC:]
    if not hmac.compare_digest(hmac.digest(key, payload, "sha256")[:_MAC], raw[:_MAC]):
        raise InvalidCursor("tampered", parameter)
    its_kind, its_digest, *values = orjson.loads(payload)
    if its_kind != kind:
        raise InvalidCursor("kind", parameter)
    if its_digest != digest:
        raise InvalidCursor("mismatch", parameter)
    return [_unpack(value) if type(value) is dict else value for value in values]


def _unbase64(text: str) -> bytes | None:
    if len(text) > _MAX_TEXT or not text.isascii():
        return None
    data = text.encode("ascii")
    if not _ALPHABET.issuperset(data):
        return None
    try:
        raw = a2b_base64(data.translate(_URL_TO_STD) + b"=" * (-len(data) % 4))
    except Base64Error:
        return None
    # the unused low bits of the last character must be zero: one cursor, one spelling
    return raw if urlsafe_b64encode(raw).rstrip(b"=") == data else None


def _pack(value: CursorValue) -> Any:
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if isinstance(value, UUID):
        return {"u": f"{value.int:032x}"}
    if isinstance(value, datetime):
        return {"t": value.astimezone(UTC).isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if isinstance(value, Decimal):
        return {"n": str(value)}
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else {"i": str(value)}
    if isinstance(value, float):
        return value if isfinite(value) else {"f": repr(value)}
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"a cursor can't hold {kind.__name__}")


def _unpack(tagged: dict[str, str]) -> CursorValue:
    ((tag, text),) = tagged.items()
    match tag:
        case "u":
            return UUID(int=int(text, 16))
        case "t":
            return datetime.fromisoformat(text)
        case "d":
            return date.fromisoformat(text)
        case "n":
            return Decimal(text)
        case "i":
            return int(text)
        case _:
            return float(text)
