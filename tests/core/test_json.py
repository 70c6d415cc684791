import contextlib
import json as stdlib_json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.core.errors import BadRequest, ValidationFailed
from crm_api.core.json import canonical, dumps, exceeds_depth, loads_limited

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
BRACKETS = st.text(st.sampled_from('[]{}"\\a\n'))
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | TEXT | BRACKETS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | BRACKETS, inner, max_size=4),
    max_leaves=60,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@given(VALUES, st.booleans())
def test_json_is_read_as_written(value: Any, escaped: bool) -> None:
    assert loads_limited(stdlib_json.dumps(value, ensure_ascii=escaped).encode(), max_depth=100) == value


@given(VALUES, st.integers(0, 6), st.booleans())
def test_depth_is_found_without_parsing(value: Any, limit: int, escaped: bool) -> None:
    body = stdlib_json.dumps(value, ensure_ascii=escaped).encode()
    assert exceeds_depth(body, limit) == (depth(value) > limit)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_problem(body: bytes) -> None:
    with contextlib.suppress(BadRequest, ValidationFailed):
        loads_limited(body)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_bodies_are_refused(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    assert loads_limited(opening * 31 + b"[]" + closing * 31) is not None
    for levels in (33, 1_000, 1_000_000):
        with pytest.raises(BadRequest) as caught:
            loads_limited(opening * (levels - 1) + b"[]" + closing * (levels - 1))
        assert caught.value.errors[0].code == "json_depth"
    with pytest.raises(BadRequest):
        loads_limited(opening * 1_000_000)


@pytest.mark.parametrize(
    ("body", "code", "position"),
    [
        (b"", "invalid_json", 0),
        (b"  ", "invalid_json", None),
        (b'{"a":1,}', "invalid_json", None),
        ('{"ä":1 "b":2}'.encode(), "invalid_json", 8),
        (b'{"a":"\xff"}', "invalid_utf8", 6),
        (b'{"a":NaN}', "invalid_json", 5),
        (b"[1e400]", "invalid_json", 1),
        (b"[1, 9223372036854775808]", "invalid_json", 4),
        (b"[-9223372036854775809]", "invalid_json", 1),
        (b'{"9223372036854775808":' + b"9" * 5_000 + b"}", "invalid_json", 23),
        (b'\xef\xbb\xbf{"a":1}', "invalid_json", 0),
        (b'{"a":"\x00"}', "invalid_json", 6),
        (b"{'a':1}", "invalid_json", 1),
    ],
)
def test_bad_json_says_where(body: bytes, code: str, position: int | None) -> None:
    with pytest.raises(BadRequest) as caught:
        loads_limited(body)
    (error,) = caught.value.errors
    assert error.code == code
    assert error.params is not None
    if position is not None:
        assert error.params["position"] == position


def test_long_numbers_that_fit_or_are_no_integers_pass() -> None:
    assert loads_limited(
        b'[9223372036854775807,-9223372036854775808,1234567890123456789012.5,"99999999999999999999","\\"99999999999999999999"]'
    ) == [
        2**63 - 1,
        -(2**63),
        1234567890123456789012.5,
        "9" * 20,
        '"' + "9" * 20,
    ]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b'{"name":"a\\u0000"}', ["/name"]),
        (b'{"a":[{"b/c":"\\ud800"}],"d":"\\uDFFF"}', ["/a/0/b~1c", "/d"]),
        (b'{"x\\u0000":1}', ["/x\ufffd"]),
        (b'"\\ud800\\ud800\\udc00"', [""]),
    ],
)
def test_texts_the_database_cannot_hold_have_a_pointer(body: bytes, pointers: list[str]) -> None:
    with pytest.raises(ValidationFailed) as caught:
        loads_limited(body)
    assert [(error.code, error.pointer) for error in caught.value.errors] == [("invalid_characters", where) for where in pointers]
    dumps(caught.value.to_dict())


def test_harmless_escapes_pass() -> None:
    assert loads_limited(b'["\\ud83d\\ude00","\\\\u0000","\\u00e9"]') == ["😀", "\\u0000", "é"]


def test_values_are_written_as_the_contract_says() -> None:
    value = {
        "at": datetime(2026, 11, 22, 3, 31, tzinfo=UTC),
        "day": date(2026, 11, 22),
        "amount": Decimal("1E+3"),
        "id": UUID(int=1),
        "tags": frozenset({"b", "a"}),
    }
    assert loads_limited(dumps(value)) == {
        "at": "2026-11-22T03:31:00.000000Z",
        "day": "2026-11-22",
        "amount": "1000",
        "id": "00000000-0000-0000-0000-000000000001",
        "tags": ["a", "b"],
    }
    assert canonical({"b": 1, "a": {"d": 1, "c": 2}}) == b'{"a":{"c":2,"d":1},"b":1}'
    with pytest.raises(TypeError):
        dumps(object())
