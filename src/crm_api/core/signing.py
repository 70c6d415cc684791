"""Signatures that outsiders can check: Ed25519 (RFC 8032), with the public key shown to whoever wants it."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEED_BYTES: Final = 32
MAX_KEYS: Final = 16


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: its 32 bytes, and the first 16 hexadecimal digits of their SHA-256 as its name."""

    id: str
    raw: bytes

    def json(self) -> dict[str, str]:
        """The key as the API shows it."""
        return {"key_id": self.id, "algorithm": "Ed25519", "public_key": base64.b64encode(self.raw).decode()}


class Signer:
    """The keys of a deployment. The first one signs; signatures of all of them are known. No text made from it holds a key."""

    __slots__ = ("_keys", "public_keys")

    def __init__(self, seeds: Sequence[bytes]) -> None:
        """Raises ValueError for seeds that can't be, and where there is none."""
        if not 1 <= len(seeds) <= MAX_KEYS:
            raise ValueError(f"holds 1 to {MAX_KEYS} keys")
        self._keys: dict[str, Ed25519PrivateKey] = {}
        self.public_keys: list[PublicKey] = []
        for place, seed in enumerate(seeds, 1):
            if len(seed) != SEED_BYTES:
                raise ValueError(f"key {place} must be {SEED_BYTES} bytes long, it is {len(seed)}")
            key = Ed25519PrivateKey.from_private_bytes(seed)
            raw = key.public_key().public_bytes_raw()
            id = hashlib.sha256(raw).hexdigest()[:16]
            if id not in self._keys:
                self._keys[id] = key
                self.public_keys.append(PublicKey(id, raw))

    @classmethod
    def parse(cls, text: str) -> Signer:
        """The signer of base64 seeds separated by commas. Raises ValueError, never with a key in its text."""
        seeds = []
        for place, part in enumerate(text.replace(",", " ").split(), 1):
            try:
                seeds.append(base64.b64decode(part, validate=True))
            except binascii.Error:
                raise ValueError(f"key {place} is not base64") from None
        return cls(seeds)

    def __repr__(self) -> str:
        return f"Signer({', '.join(self._keys)})"

    @property
    def key_id(self) -> str:
        """The name of the key that signs."""
        return self.public_keys[0].id

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._keys[self.key_id].sign(message)

    def knows(self, key_id: str) -> bool:
        """Whether a key is one of these."""
        return key_id in self._keys

    def verify(self, key_id: str, message: bytes, signature: bytes) -> bool:
        """Whether this is the signature of one of these keys."""
        key = self._keys.get(key_id)
        if key is None:
            return False
        try:
            key.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True
