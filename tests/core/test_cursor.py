from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.core.cursor import CursorValue, decode_cursor, encode_cursor, query_digest
from crm_api.core.errors import InvalidCursor

KEY = b"k" * 32
VALUES: st.SearchStrategy[CursorValue] = st.one_of(
    st.none(),
    st.booleans(),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(),
    st.floats(allow_nan=False),
    st.uuids(),
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(fold=0)),
    st.dates(),
    st.decimals(allow_nan=False),
)


@given(st.lists(VALUES, max_size=5))
def test_values_come_back_with_their_types(values: list[CursorValue]) -> None:
    text = encode_cursor(KEY, "list", "d", values)
    again = decode_cursor(KEY, "list", "d", text)
    assert [(type(value), repr(value)) for value in again] == [(type(value), repr(value)) for value in values]
    assert text.isascii()
    assert "=" not in text


@given(st.text(max_size=200))
def test_made_up_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(KEY, "list", "d", text)


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_no_changed_character_goes_unnoticed(position: int, character: str) -> None:
    text = encode_cursor(KEY, "list", "d", ["a", 1])
    position %= len(text)
    changed = text[:position] + character + text[position + 1 :]
    if changed != text:
        with pytest.raises(InvalidCursor):
            decode_cursor(KEY, "list", "d", changed)


def test_the_reason_is_told() -> None:
    text = encode_cursor(KEY, "list", "d", [1])
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    tampered = urlsafe_b64encode(raw[:-2] + b"2]").rstrip(b"=").decode()
    reasons = []
    for key, kind, digest, given_text in (
        (KEY, "events", "d", text),
        (KEY, "list", "e", text),
        (b"other", "list", "d", text),
        (KEY, "list", "d", tampered),
        (KEY, "list", "d", "%%%"),
        (KEY, "list", "d", ""),
        (KEY, "list", "d", "A" * 9_000),
    ):
        with pytest.raises(InvalidCursor) as caught:
            decode_cursor(key, kind, digest, given_text, parameter="after")
        reasons.append(caught.value.reason)
        assert caught.value.to_dict()["errors"][0]["parameter"] == "after"
    assert reasons == ["kind", "mismatch", "tampered", "tampered", "malformed", "malformed", "malformed"]


def test_digests_ignore_the_order_of_keys_only() -> None:
    assert query_digest({"a": 1, "b": 2}, "x") == query_digest({"b": 2, "a": 1}, "x")
    assert len({query_digest("a", "b"), query_digest("ab"), query_digest("b", "a"), query_digest(["a", "b"])}) == 4


def test_other_types_are_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError):
        encode_cursor(KEY, "list", "d", [object()])  # type: ignore[list-item]  # the wrong type is the point
