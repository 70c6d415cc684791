"""Secrets that must be readable again (webhook secrets, credentials of third parties, TOTP seeds), sealed where they are stored.

AES-256-GCM (NIST SP 800-38D). A sealed value is one byte with the key's id, 12 random bytes of nonce, the ciphertext, and 16
bytes of tag. What is authenticated beside it is the value's place, `table|column|tenant|row`: whoever can write to the database
still can't make one row's secret serve another, since a value opens only where it was sealed.

Tokens, codes, passwords and client secrets are not for this: they are never needed again and only their hashes are stored.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest
from typing import Final
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm_api.core.errors import InternalError, Unavailable

KEY_BYTES: Final = 32
MAX_KEYS: Final = 16
_NONCE: Final = 12
_TAG: Final = 16
_HEAD: Final = 1 + _NONCE

_log = structlog.stdlib.get_logger("crm_api.sealed")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value stands. `org_id` is None in tables that belong to no organisation; `row` is the rest of the primary key."""

    table: str
    column: str
    org_id: UUID | None
    row: UUID | str

    def authenticated(self) -> bytes:
        """The additional authenticated data: `table|column|tenant|row`."""
        return f"{self.table}|{self.column}|{self.org_id or ''}|{self.row}".encode()


class Unreadable(InternalError):
    """A sealed value does not open: its key is not in the ring, or it was altered or moved. Logged; the client sees a bare 500."""


class KeyMissing(Unavailable):
    """Something is to be sealed and the server has no key (503)."""

    def __init__(self) -> None:
        super().__init__("This server has no encryption key (CRM_ENCRYPTION_KEYS), so it keeps no secrets that must be readable again.")


class Keyring:
    """The keys of a deployment by id (1 to 255). The first one seals; all of them open.

    Raises ValueError for ids or keys that can't be. No text made from a ring holds a key.
    """

    __slots__ = ("_ciphers", "_keys")

    def __init__(self, keys: Sequence[tuple[int, bytes]]) -> None:
        if len(keys) > MAX_KEYS:
            raise ValueError(f"holds at most {MAX_KEYS} keys")
        for id, key in keys:
            if not 1 <= id <= 255:
                raise ValueError("a key's id is a number from 1 to 255")
            if len(key) != KEY_BYTES:
                raise ValueError(f"key {id} must be {KEY_BYTES} bytes long, it is {len(key)}")
        self._keys = dict(keys)
        if len(self._keys) != len(keys):
            raise ValueError("two keys have the same id")
        self._ciphers = {id: AESGCM(key) for id, key in keys}

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """The ring of `2:<base64>,1:<base64>`. Raises ValueError, never with a key in its text."""
        keys = []
        for place, entry in enumerate((part for part in text.replace(",", " ").split()), 1):
            id, separator, encoded = entry.partition(":")
            if not separator or not (id.isascii() and id.isdigit() and len(id) <= 3):
                raise ValueError(f"entry {place} must be <id>:<base64 of {KEY_BYTES} bytes>, with an id from 1 to 255")
            try:
                padded = encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4)
                keys.append((int(id), base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)))
            except binascii.Error:
                raise ValueError(f"the key of entry {place} is not base64") from None
        return cls(keys)

    @staticmethod
    def new_key(id: int = 1) -> str:
        """A fresh random key as `CRM_ENCRYPTION_KEYS` takes it."""
        return f"{id}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"

    def __repr__(self) -> str:
        return f"Keyring({', '.join(map(str, self._keys))})"

    def __bool__(self) -> bool:
        return bool(self._keys)

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of all keys, the one that seals first."""
        return tuple(self._keys)

    @property
    def sealing_id(self) -> int:
        """The id of the key that seals. Raises KeyMissing."""
        if not self._keys:
            raise KeyMissing()
        return next(iter(self._keys))

    def seal(self, plain: bytes, place: Place) -> bytes:
        """The value as it is stored at `place`: 29 bytes longer. Raises KeyMissing."""
        id = self.sealing_id
        nonce = os.urandom(_NONCE)
        return bytes((id,)) + nonce + self._ciphers[id].encrypt(nonce, plain, place.authenticated())

    def open(self, sealed: bytes, place: Place) -> bytes:
        """The value that was sealed at `place`. Raises Unreadable, with a line in the log that says where and why."""
        id = key_id(sealed)
        cipher = self._ciphers.get(id)
        if cipher is None:
            raise _unreadable("unknown_key", id, place)
        if len(sealed) < _HEAD + _TAG:
            raise _unreadable("truncated", id, place)
        try:
            return cipher.decrypt(sealed[1:_HEAD], sealed[_HEAD:], place.authenticated())
        except InvalidTag:
            raise _unreadable("altered_or_wrong_key", id, place) from None

    def fingerprint(self, id: int) -> bytes:
        """What may be stored to recognise the key of an id later: 16 bytes from which nothing follows about the key."""
        return digest(self._keys[id], b"crm_api key fingerprint", sha256)[:16]


NO_KEYS: Final = Keyring(())


def key_id(sealed: bytes) -> int:
    """The id of the key that a value was sealed with; 0 for an empty value."""
    return sealed[0] if sealed else 0


def _unreadable(reason: str, id: int, place: Place) -> Unreadable:
    _log.error(
        "sealed_value_unreadable",
        reason=reason,
        key_id=id,
        table=place.table,
        column=place.column,
        org_id=None if place.org_id is None else str(place.org_id),
        row=str(place.row),
    )
    return Unreadable()
