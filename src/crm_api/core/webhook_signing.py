"""Signatures of webhooks, after Standard Webhooks 1.0 (https://www.standardwebhooks.com).

What is signed is `<id>.<timestamp>.<body>`, byte for byte as sent. `v1` is HMAC-SHA256 with a shared key, written `whsec_<base64>`;
`v1a` is Ed25519, written `whsk_<base64 of the seed>` for who signs and `whpk_<base64>` for who checks. A header holds one signature
for each key that is good at the moment, apart by single spaces: receivers split at them, and some trip over more than one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Kind = Literal["v1", "v1a"]
KINDS: Final[tuple[Kind, ...]] = ("v1", "v1a")
KEY_BYTES: Final = 32
_PREFIX: Final[dict[Kind, str]] = {"v1": "whsec_", "v1a": "whsk_"}
_PUBLIC: Final = "whpk_"


@dataclass(frozen=True)
class SigningKey:
    """A key that signs: HMAC of 24 to 64 bytes (`v1`), or the 32 bytes of an Ed25519 seed (`v1a`). No text made from it shows the key."""

    kind: Kind
    key: bytes

    @classmethod
    def new(cls, kind: Kind = "v1") -> SigningKey:
        """A fresh random key."""
        return cls(kind, os.urandom(KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """The key of `whsec_…`, `whsk_…`, or base64 alone, which is taken for `whsec_`. Raises ValueError."""
        kind: Kind = "v1"
        for found, prefix in _PREFIX.items():
            if text.startswith(prefix):
                kind, text = found, text.removeprefix(prefix)
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise ValueError("the key is not base64") from None
        if (kind == "v1" and not 24 <= len(key) <= 64) or (kind == "v1a" and len(key) != KEY_BYTES):
            raise ValueError("a whsec_ key has 24 to 64 bytes, a whsk_ key 32")
        return cls(kind, key)

    def __repr__(self) -> str:
        return f"SigningKey({self.kind})"

    @property
    def text(self) -> str:
        """The key as the owner of an endpoint keeps it and libraries take it. Secret."""
        return _PREFIX[self.kind] + base64.b64encode(self.key).decode()

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.key)

    @property
    def public(self) -> str | None:
        """`whpk_…`, with which receivers check; None for a shared key."""
        if self.kind == "v1":
            return None
        return _PUBLIC + base64.b64encode(self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()

    def sign(self, message: bytes) -> str:
        """One signature as it stands in the header: `v1,<base64>`."""
        raw = hmac.new(self.key, message, hashlib.sha256).digest() if self.kind == "v1" else self._private.sign(message)
        return f"{self.kind},{base64.b64encode(raw).decode()}"


def signature(keys: Iterable[SigningKey], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`. `timestamp` is the attempt's, in seconds since 1970."""
    message = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return " ".join(key.sign(message) for key in keys)


def headers(keys: Iterable[SigningKey], message_id: str, timestamp: int, body: bytes) -> list[tuple[str, str]]:
    """The three headers of Standard Webhooks."""
    return [
        ("webhook-id", message_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", signature(keys, message_id, timestamp, body)),
    ]
