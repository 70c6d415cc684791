from hashlib import blake2b, sha256
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.core.errors import InvalidValue
from crm_api.core.etag import body_etag, digest, parse_etags, read_etag, write_etag
from crm_api.core.tokens import TOKEN_PREFIXES, TokenPrefix, generate, parse, token_hint


@pytest.mark.parametrize("prefix", TOKEN_PREFIXES)
def test_a_token_is_recognised_by_its_hash(prefix: TokenPrefix) -> None:
    token, stored = generate(prefix)
    assert token.startswith(prefix)
    assert len(token) == len(prefix) + 49
    assert parse(token) == parse(token, prefix) == stored == sha256(token.encode()).digest()
    assert parse(token, *(other for other in TOKEN_PREFIXES if other != prefix)) is None
    assert token_hint(token) == token[: len(prefix) + 4] + "…"


def test_the_checksum_can_be_computed_by_a_scanner() -> None:
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    token, _ = generate("crm_pat_")
    value = 0
    for character in token[-6:]:
        value = value * 62 + digits.index(character)
    assert value == crc32(token[:-6].encode())


@given(st.integers(0, 56), st.sampled_from("0aZ_é -"))
def test_a_changed_token_is_garbage(position: int, character: str) -> None:
    token, _ = generate("crm_pat_")
    changed = token[:position] + character + token[position + 1 :]
    assert (parse(changed) is None) == (changed != token)


@given(st.text(max_size=80))
def test_other_text_is_garbage(text: str) -> None:
    assert parse(text) is None
    assert parse("crm_pat_" + text) is None


def test_the_digest_is_the_head_of_blake2b() -> None:
    assert digest(b"x") == blake2b(b"x").hexdigest()[:16]
    assert read_etag(7, b"x") == f'"7.{digest(b"x")}"'
    assert write_etag(7) == '"7"'


def test_if_match_looks_at_the_version() -> None:
    for value in ('"7"', read_etag(7, b"x"), 'W/"7.abc"', '"6", "7"', "*"):
        assert parse_etags(value).matches_version(7), value
    assert not parse_etags('"6", "70", "7x", "x.7"').matches_version(7)
    assert not parse_etags("*").matches_version(None)
    assert [parse_etags(value).version for value in ('"7.a"', '"7", "7.b"', '"6","7"', "*", '"abc"')] == [7, 7, None, None, None]


def test_if_none_match_looks_at_the_whole() -> None:
    present = read_etag(7, b"x")
    assert parse_etags(present).matches_tag(present)
    assert parse_etags(f'"a", W/{present}').matches_tag(present)
    assert parse_etags("*").matches_tag(present)
    assert not parse_etags('"7"').matches_tag(present)
    assert not parse_etags("*").matches_tag(None)
    assert parse_etags(body_etag(b"list")).matches_tag(body_etag(b"list"))


@pytest.mark.parametrize("value", ["", "7", '"7', 'w/"7"', '"a" "b"', '"a",', '"a"b"', '*, "a"', '"' + '", "'.join("a" * 60) + '"'])
def test_damaged_tags_are_refused(value: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_etags(value)
    assert caught.value.code == "invalid_etag"


@given(st.text(max_size=40))
def test_any_text_gives_tags_or_an_error(value: str) -> None:
    try:
        condition = parse_etags(value)
    except InvalidValue:
        return
    assert condition.any or condition.tags
