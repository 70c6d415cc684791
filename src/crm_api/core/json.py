"""JSON in and out, with the limits and the strictness of the contract.

Reading refuses what would otherwise be changed in silence: invalid UTF-8, nesting beyond the limit, integers beyond 64
bits (they would become floats), texts that the database can't hold.
"""

import json as stdlib_json
import re
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import BadRequest, FieldError, ValidationFailed, join_pointer
from crm_api.core.money import decimal_text

MAX_DEPTH: Final = 32

_STRING: Final = re.compile(rb'"[^"]*"')
_NOT_STRUCTURE: Final = bytes(byte for byte in range(256) if byte not in b'[]{}"')
_SAME_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_SUSPECT_TEXT: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_DIGITS_ALIKE: Final = bytes.maketrans(b"123456789", b"000000000")
_NUMBER: Final = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_BAD_CHARACTER: Final = re.compile("[\x00\ud800-\udfff]")


def loads_limited(body: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """The value of a request body.

    Raises BadRequest (400) for an empty body, invalid UTF-8, wrong syntax, NaN, a number out of range or nesting deeper
    than `max_depth`, with the byte `position` where it is known; ValidationFailed (422) with a pointer for each text
    that holds NUL or an unpaired surrogate.
    """
    if exceeds_depth(body, max_depth):
        raise BadRequest(errors=[FieldError("json_depth", pointer="", params={"max": max_depth})])
    if b"\\u" in body and _SUSPECT_TEXT.search(body):
        _refuse_bad_text(body)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _syntax_problem(body, error) from None
    if len(body) > 19 and b"0" * 19 in body.translate(_DIGITS_ALIKE):
        _refuse_huge_integers(body)
    return value


def exceeds_depth(body: bytes, max_depth: int) -> bool:
    """Whether arrays and objects nest deeper than `max_depth`, found without parsing and in linear time.

    Strings are cut out, all brackets made alike, then innermost pairs are deleted once per level. Text that isn't JSON
    may get either answer; the parser refuses it anyway.
    """
    if body.count(b"[") + body.count(b"{") <= max_depth:
        return False
    if b"\\" in body:  # first pairs of backslashes, so that what is left before a quote escapes it
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # strings without brackets are two adjacent quotes now; taking those away leaves the rest in or out of strings as it was
    brackets = body.translate(None, _NOT_STRUCTURE).replace(b'""', b"")
    brackets = _STRING.sub(b"", brackets).translate(_SAME_BRACKETS)
    for _ in range(max_depth):
        if not brackets:
            return False
        shorter = brackets.replace(b"[]", b"")
        if len(shorter) == len(brackets):
            return False
        brackets = shorter
    return bool(brackets)


def dumps(value: Any) -> bytes:
    """Compact JSON in the contract's spelling: timestamps with six digits and Z, decimals as strings."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_PASSTHROUGH_DATETIME)


def canonical(value: Any) -> bytes:
    """JSON with sorted keys: equal values give equal bytes, for digests."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_SORT_KEYS)


def _default(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_timestamp(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, UUID):  # a driver's subclass
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, tuple | list):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _syntax_problem(body: bytes, error: orjson.JSONDecodeError) -> BadRequest:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as invalid:
        return _bad("invalid_utf8", invalid.reason, invalid.start)
    reason = "the body is empty" if not body.strip() else error.msg
    return _bad("invalid_json", reason, len(text[: error.pos].encode()))


def _bad(code: str, reason: str, position: int) -> BadRequest:
    place = FieldError(code, pointer="", params={"reason": reason, "position": position})
    return BadRequest(f"Invalid JSON at byte {position}: {reason}.", errors=[place])


def _refuse_huge_integers(body: bytes) -> None:
    # strings become spaces of the same length, so that positions stay true
    bare = re.sub(rb'"(?:[^"\\]|\\.)*"', lambda string: b" " * len(string[0]), body, flags=re.DOTALL)
    for number in _NUMBER.finditer(bare):
        token = number[0]
        if token.lstrip(b"-").isdigit() and (len(token) > 20 or not -(2**63) <= int(token) < 2**63):
            raise _bad("invalid_json", "the integer does not fit into 64 bits; send large or exact numbers as strings", number.start())


def _refuse_bad_text(body: bytes) -> None:
    try:
        value = stdlib_json.loads(body)
    except (ValueError, RecursionError):
        return  # the parser proper reports it
    errors = [FieldError("invalid_characters", pointer=_BAD_CHARACTER.sub("\ufffd", where)) for where in _bad_texts(value)]
    if errors:
        raise ValidationFailed(errors)


def _bad_texts(value: Any, *path: str | int) -> Iterator[str]:
    if isinstance(value, str):
        if _BAD_CHARACTER.search(value):
            yield join_pointer(*path)
    elif isinstance(value, dict):
        for key, item in value.items():
            if _BAD_CHARACTER.search(key):
                yield join_pointer(*path, key)
            else:
                yield from _bad_texts(item, *path, key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _bad_texts(item, *path, index)
