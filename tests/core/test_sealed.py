"""Sealed values open where they were sealed, with the key that sealed them, and nowhere else."""

from __future__ import annotations

import base64
from uuid import UUID

import pytest
import structlog
from pydantic import ValidationError

from crm_api.core.errors import Problem
from crm_api.core.sealed import NO_KEYS, KeyMissing, Keyring, Place, Unreadable, key_id
from crm_api.settings import Settings

ORG, ROW = UUID(int=1), UUID(int=2)
HERE = Place("connection_secrets", "secret", ORG, ROW)
ONE = (1, b"1" * 32)
TWO = (2, b"2" * 32)


def test_a_value_opens_where_it_was_sealed() -> None:
    ring = Keyring([ONE])
    for plain in (b"", b"s", b"whsec_" + b"x" * 10_000):
        sealed = ring.seal(plain, HERE)
        assert ring.open(sealed, HERE) == plain
        assert len(sealed) == len(plain) + 29
        assert plain == b"" or len(plain) == 1 or plain not in sealed


def test_the_place_is_authenticated_in_the_form_that_is_documented() -> None:
    assert HERE.authenticated() == f"connection_secrets|secret|{ORG}|{ROW}".encode()
    assert Place("user_factors", "seed", None, ROW).authenticated() == f"user_factors|seed||{ROW}".encode()


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place("webhook_endpoints", "secret", ORG, ROW),
        Place("connection_secrets", "other", ORG, ROW),
        Place("connection_secrets", "secret", ROW, ROW),
        Place("connection_secrets", "secret", None, ROW),
        Place("connection_secrets", "secret", ORG, ORG),
    ],
)
def test_a_value_that_was_moved_does_not_open(elsewhere: Place) -> None:
    ring = Keyring([ONE])
    sealed = ring.seal(b"secret", HERE)
    with pytest.raises(Unreadable):
        ring.open(sealed, elsewhere)


def test_no_value_is_sealed_alike_twice() -> None:
    ring = Keyring([ONE])
    assert len({ring.seal(b"secret", HERE) for _ in range(1000)}) == 1000


def test_each_altered_byte_is_noticed() -> None:
    ring = Keyring([ONE])
    sealed = ring.seal(b"secret", HERE)
    for index in range(len(sealed)):
        altered = bytearray(sealed)
        altered[index] ^= 1
        with pytest.raises(Unreadable):
            ring.open(bytes(altered), HERE)
    for length in range(len(sealed)):
        with pytest.raises(Unreadable):
            ring.open(sealed[:length], HERE)


def test_the_first_key_seals_and_all_open() -> None:
    old = Keyring([ONE]).seal(b"secret", HERE)
    ring = Keyring([TWO, ONE])
    new = ring.seal(b"secret", HERE)
    assert (key_id(old), key_id(new), ring.sealing_id) == (1, 2, 2)
    assert ring.open(old, HERE) == ring.open(new, HERE) == b"secret"
    with pytest.raises(Unreadable):
        Keyring([TWO]).open(old, HERE)


def test_what_does_not_open_is_a_bare_500_and_a_line_in_the_log() -> None:
    sealed = Keyring([ONE]).seal(b"secret", HERE)
    with structlog.testing.capture_logs() as logs, pytest.raises(Unreadable) as raised:
        Keyring([(1, b"x" * 32)]).open(sealed, HERE)
    problem = raised.value
    assert isinstance(problem, Problem)
    assert (problem.status, problem.code, problem.detail, problem.extra) == (500, "internal_error", None, {})
    assert problem.__cause__ is None
    assert problem.__suppress_context__
    [line] = logs
    assert (line["event"], line["reason"], line["key_id"], line["table"]) == (
        "sealed_value_unreadable",
        "altered_or_wrong_key",
        1,
        "connection_secrets",
    )
    assert "secret" not in str({key: value for key, value in line.items() if key not in ("event", "table", "column")})


def test_without_a_key_nothing_is_sealed() -> None:
    with pytest.raises(KeyMissing) as raised:
        NO_KEYS.seal(b"secret", HERE)
    assert raised.value.status == 503
    assert "CRM_ENCRYPTION_KEYS" in str(raised.value.detail)
    assert not NO_KEYS


def test_fingerprints_tell_keys_apart() -> None:
    assert Keyring([ONE]).fingerprint(1) == Keyring([TWO, ONE]).fingerprint(1)
    assert Keyring([ONE]).fingerprint(1) != Keyring([(1, b"x" * 32)]).fingerprint(1)


def test_rings_are_read_from_text() -> None:
    made = Keyring.new_key(7)
    ring = Keyring.parse(f"{made}, {Keyring.new_key(1)}")
    assert ring.ids == (7, 1)
    urlsafe = base64.urlsafe_b64encode(b"\xfb" * 32).decode().rstrip("=")
    assert Keyring.parse(f"3:{urlsafe}").fingerprint(3) == Keyring([(3, b"\xfb" * 32)]).fingerprint(3)
    assert made.partition(":")[2] not in repr(ring)


@pytest.mark.parametrize(
    "wrong",
    [
        "nocolon",
        ":" + base64.b64encode(b"k" * 32).decode(),
        "0:" + base64.b64encode(b"k" * 32).decode(),
        "256:" + base64.b64encode(b"k" * 32).decode(),
        "1:" + base64.b64encode(b"k" * 31).decode(),
        "1:" + base64.b64encode(b"k" * 33).decode(),
        "1:!!!!",
        "1:" + base64.b64encode(b"k" * 32).decode() + ",1:" + base64.b64encode(b"m" * 32).decode(),
        ",".join(Keyring.new_key(id) for id in range(1, 18)),
    ],
)
def test_what_is_no_ring_is_refused_without_showing_a_key(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"key|entry|id") as raised:
        Keyring.parse(wrong)
    for part in wrong.replace(",", ":").split(":"):
        assert len(part) < 10 or part not in str(raised.value)
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"encryption_keys": wrong})
    assert all(str(error["loc"][0]) == "encryption_keys" for error in refused.value.errors())


def test_settings_do_not_show_keys() -> None:
    made = Keyring.new_key()
    settings = Settings.model_validate({"encryption_keys": made})
    assert settings.keyring.ids == (1,)
    assert made.partition(":")[2] not in f"{settings!r}{settings.model_dump()}{settings.model_dump_json()}"
    assert not Settings.model_construct(encryption_keys=None).keyring
