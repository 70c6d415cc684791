"""The second factor: one-time codes of an authenticator app (RFC 6238), and recovery codes for when the app is lost.

The secret is stored sealed, recovery codes as hashes. A code is taken once: the time step of the last one taken is kept, and
moved on by the very statement that takes a code.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import UUID

from crm_api.core.clock import EPOCH, Clock
from crm_api.core.errors import Conflict
from crm_api.core.sealed import Keyring, Place
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.resources.users.runs import Runs

STEP_S: Final = 30
DIGITS: Final = 6
DRIFT: Final = 1
"""Steps that a phone's clock may be off, either way (RFC 6238 5.2)."""

SECRET_BYTES: Final = 20
RECOVERY_CODES: Final = 10
_ISSUER: Final = "CRM"
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # 5 bits each, without letters that look like digits
_LENGTH: Final = 16

_READ: Final = Statement("SELECT secret, last_step, confirmed_at, created_at FROM second_factors WHERE user_id = $1", ("user_id",))
_BEGIN: Final = Statement(
    "INSERT INTO second_factors AS f (user_id, secret, created_at) VALUES ($1, $2, $3)"
    " ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at, last_step = 0"
    " WHERE f.confirmed_at IS NULL RETURNING user_id",
    ("user_id", "secret", "now"),
)
_CONFIRM: Final = Statement(
    "UPDATE second_factors SET confirmed_at = $4, last_step = $3"
    " WHERE user_id = $1 AND secret = $2 AND confirmed_at IS NULL AND last_step < $3 RETURNING user_id",
    ("user_id", "secret", "step", "now"),
)
_TAKE: Final = Statement(
    "UPDATE second_factors SET last_step = $3 WHERE user_id = $1 AND secret = $2 AND confirmed_at IS NOT NULL AND last_step < $3"
    " RETURNING user_id",
    ("user_id", "secret", "step"),
)
_REMOVE: Final = Statement("DELETE FROM second_factors WHERE user_id = $1 RETURNING user_id", ("user_id",))
_TAKE_RECOVERY: Final = Statement(
    "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND hash = $2 AND used_at IS NULL RETURNING user_id",
    ("user_id", "hash", "now"),
)
_LEFT: Final = Statement("SELECT count(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL", ("user_id",))
_FORGET_RECOVERY: Final = Statement("DELETE FROM recovery_codes WHERE user_id = $1", ("user_id",))
_ADD_RECOVERY: Final = Statement(
    "INSERT INTO recovery_codes (user_id, hash) SELECT $1, h FROM unnest($2::bytea[]) AS u (h)", ("user_id", "hashes")
)


def code_of(secret: bytes, step: int) -> str:
    """The code of a time step (RFC 4226 5.3, with SHA-1 as every app expects)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_at(now: datetime) -> int:
    """The time step of an instant."""
    return int((now - EPOCH).total_seconds()) // STEP_S


def matching_step(secret: bytes, code: str, now: datetime) -> int | None:
    """The step near now whose code this is. All are compared whatever the outcome, so that time tells nothing."""
    found = None
    for step in range(step_at(now) - DRIFT, step_at(now) + DRIFT + 1):
        if hmac.compare_digest(code_of(secret, step).encode(), code.encode()):
            found = step
    return found


def shown_secret(secret: bytes) -> str:
    """The secret as people type it into an app: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def uri_of(secret: bytes, account: str) -> str:
    """What an app reads from a link or a QR code (Key URI Format)."""
    query = urlencode({"secret": base64.b32encode(secret).decode().rstrip("="), "issuer": _ISSUER, "digits": DIGITS, "period": STEP_S})
    return f"otpauth://totp/{quote(_ISSUER)}:{quote(account, safe='@')}?{query}"


def _place(user_id: UUID) -> Place:
    return Place("second_factors", "secret", None, user_id)


@dataclass(frozen=True, slots=True)
class Factor:
    """What is stored about a person's second factor."""

    sealed: bytes
    confirmed_at: datetime | None
    created_at: datetime


async def read(runs: Runs, user_id: UUID) -> Factor | None:
    """A person's second factor, in force or about to be."""
    row: Any = await runs.fetch_row(_READ, {"user_id": user_id})
    return None if row is None else Factor(bytes(row["secret"]), row["confirmed_at"], row["created_at"])


async def begin(runs: Runs, clock: Clock, keys: Keyring, user_id: UUID) -> bytes:
    """A new secret, which is in force once a code of it was given. Raises Conflict if one is in force, KeyMissing."""
    secret = secrets.token_bytes(SECRET_BYTES)
    values = {"user_id": user_id, "secret": keys.seal(secret, _place(user_id)), "now": clock.now()}
    if await runs.fetch_row(_BEGIN, values) is None:
        raise Conflict("A second factor is in force already; end it before setting up another.")
    return secret


async def begun(runs: Runs, keys: Keyring, user_id: UUID) -> bytes | None:
    """The secret that is waiting for its first code, if there is one."""
    factor = await read(runs, user_id)
    return None if factor is None or factor.confirmed_at is not None else keys.open(factor.sealed, _place(user_id))


async def confirm(uow: Uow, keys: Keyring, user_id: UUID, code: str) -> list[str] | None:
    """Puts the secret in force, if the code is one of it; the recovery codes, shown this once."""
    factor = await read(uow, user_id)
    if factor is None or factor.confirmed_at is not None:
        return None
    now = uow.clock.now()
    step = matching_step(keys.open(factor.sealed, _place(user_id)), _digits(code), now)
    if step is None:
        return None
    if await uow.fetch_row(_CONFIRM, {"user_id": user_id, "secret": factor.sealed, "step": step, "now": now}) is None:
        return None
    return await new_recovery_codes(uow, user_id)


async def take(runs: Runs, clock: Clock, keys: Keyring, user_id: UUID, code: str) -> bool:
    """Whether the code is the person's and was not used before; uses it up. Takes recovery codes too."""
    text = _bare(code)
    if len(text) == _LENGTH:
        values = {"user_id": user_id, "hash": sha256(text.encode()).digest(), "now": clock.now()}
        return await runs.fetch_row(_TAKE_RECOVERY, values) is not None
    factor = await read(runs, user_id)
    if factor is None or factor.confirmed_at is None:
        return False
    step = matching_step(keys.open(factor.sealed, _place(user_id)), _digits(code), clock.now())
    if step is None:
        return False
    return await runs.fetch_row(_TAKE, {"user_id": user_id, "secret": factor.sealed, "step": step}) is not None


async def remove(uow: Uow, user_id: UUID) -> bool:
    """Ends the second factor; False if there was none."""
    await uow.fetch(_FORGET_RECOVERY, {"user_id": user_id})
    return await uow.fetch_row(_REMOVE, {"user_id": user_id}) is not None


async def new_recovery_codes(uow: Uow, user_id: UUID) -> list[str]:
    """Other recovery codes in place of the old ones, shown this once."""
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(RECOVERY_CODES)]
    await uow.fetch(_FORGET_RECOVERY, {"user_id": user_id})
    await uow.fetch(_ADD_RECOVERY, {"user_id": user_id, "hashes": _hashes(codes)})
    return ["-".join(code[start : start + 4] for start in range(0, _LENGTH, 4)) for code in codes]


async def recovery_codes_left(runs: Runs, user_id: UUID) -> int:
    """How many recovery codes have not been used."""
    row: Any = await runs.fetch_row(_LEFT, {"user_id": user_id})
    return int(row[0])


def _hashes(codes: Sequence[str]) -> list[bytes]:
    # 80 random bits each: a slow hash would protect them no better.
    return [sha256(code.encode()).digest() for code in codes]


def _bare(code: str) -> str:
    return "".join(character for character in code.lower() if character in _ALPHABET or character.isdigit())


def _digits(code: str) -> str:
    return "".join(character for character in code if character.isascii() and character.isdigit())
