"""Ids of a copy: for each id of the original another one, always the same, from which the original can't be told.

A UUIDv7 keeps its millisecond, so order and age stay; its random part becomes a keyed hash of the whole. The same function
finds every reference, wherever it stands: in columns, in JSON, in texts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

_UUID7: Final = re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}\b")
_RANDOM: Final = (1 << 74) - 1
_FIXED: Final = (7 << 76) | (2 << 62)
_LOW: Final = (1 << 62) - 1


class Remap:
    """The mapping under one key. `same` are ids that stay, and fixed targets."""

    def __init__(self, key: bytes, same: Mapping[UUID, UUID]) -> None:
        self._key = key
        self._same = same

    def id(self, original: UUID) -> UUID:
        """The id in the copy."""
        fixed = self._same.get(original)
        if fixed is not None:
            return fixed
        digest = hashlib.blake2b(original.bytes, key=self._key, digest_size=16).digest()
        random = int.from_bytes(digest, "big") & _RANDOM
        return UUID(int=(original.int >> 80 << 80) | ((random >> 62) << 64) | (random & _LOW) | _FIXED)

    def text(self, text: str) -> str:
        """A text, or JSON as text, with every id in it replaced."""
        return _UUID7.sub(self._replaced, text)

    def _replaced(self, match: re.Match[str]) -> str:
        return str(self.id(UUID(match[0])))


def ids_in(text: str) -> set[UUID]:
    """All ids in a text."""
    return {UUID(found) for found in _UUID7.findall(text)}


def replace_ids(text: str, known: Mapping[UUID, UUID]) -> str:
    """A text with these ids replaced; others stay."""
    return _UUID7.sub(lambda match: str(known.get(UUID(match[0]), match[0])), text)
