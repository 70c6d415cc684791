"""PKCE (RFC 7636), S256 only and for every client: `plain` protects from nothing that a code could be stolen by (RFC 9700 2.1.1)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import compare_digest
from typing import Final

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def is_challenge(text: str) -> bool:
    """Whether this can be BASE64URL(SHA-256(verifier)), RFC 7636 4.2."""
    return _CHALLENGE.fullmatch(text) is not None


def verifies(verifier: str, challenge: str) -> bool:
    """Whether the verifier is the one that the challenge was made of; one of the wrong form is not (RFC 7636 4.1, 4.6)."""
    if _VERIFIER.fullmatch(verifier) is None:
        return False
    return compare_digest(urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode(), challenge)
