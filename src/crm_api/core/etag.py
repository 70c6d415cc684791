"""Entity tags: `"<version>.<digest>"` on reads, `"<version>"` on writes (RFC 9110 §8.8.3 and §13.1).

`If-Match` compares the version alone, so a tag from a write or from another selection of fields guards an update just as
well. `If-None-Match` compares the whole tag.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from crm_api.core.errors import InvalidValue

_TAG: Final = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*')
_MAX_TAGS: Final = 50


@dataclass(frozen=True, slots=True)
class ETag:
    """One tag without its quotes. `version` is None for a tag that is none of ours."""

    opaque: str
    weak: bool = False

    @property
    def version(self) -> int | None:
        head = self.opaque.partition(".")[0]
        return int(head) if head.isascii() and head.isdigit() and len(head) < 19 else None


@dataclass(frozen=True, slots=True)
class ETagCondition:
    """The value of `If-Match` or `If-None-Match`: `*` (any) or a list of tags."""

    any: bool
    tags: tuple[ETag, ...] = ()

    def matches_version(self, version: int | None) -> bool:
        """For `If-Match`: whether the present version (None: there is no record) is among those named.

        A weak tag counts. RFC 9110 §13.1.1 asks for strong comparison because a weak tag may hide a change; ours begin
        with the version, which hides none, and proxies that compress make tags weak on the way.
        """
        if version is None:
            return False
        return self.any or any(tag.version == version for tag in self.tags)

    def matches_tag(self, etag: str | None) -> bool:
        """For `If-None-Match`: weak comparison (RFC 9110 §8.8.3.2) with the present header value, quotes included."""
        if etag is None:
            return False
        return self.any or any(f'"{tag.opaque}"' == etag for tag in self.tags)

    @property
    def version(self) -> int | None:
        """The one version named, for three-way conflict reports; None for `*`, several, or a foreign tag."""
        versions = {tag.version for tag in self.tags}
        return versions.pop() if len(versions) == 1 else None


def digest(body: bytes) -> str:
    """The first 16 hex digits of BLAKE2b over a representation's bytes."""
    return blake2b(body).hexdigest()[:16]


def read_etag(version: int, body: bytes) -> str:
    """The header value for a representation of one record: `"7.9f86d081884c7d65"`."""
    return f'"{version}.{digest(body)}"'


def write_etag(version: int) -> str:
    """The header value after a write: `"7"`."""
    return f'"{version}"'


def body_etag(body: bytes) -> str:
    """The header value for a representation without a version (lists, metadata): `"9f86d081884c7d65"`."""
    return f'"{digest(body)}"'


def parse_etags(value: str) -> ETagCondition:
    """Reads `*` or a comma-separated list of tags, weak or strong. Raises InvalidValue `invalid_etag`."""
    if value.strip() == "*":
        return ETagCondition(any=True)
    tags: list[ETag] = []
    position = 0
    while True:
        match = _TAG.match(value, position)
        if match is None or len(tags) == _MAX_TAGS:
            raise InvalidValue("invalid_etag")
        tags.append(ETag(match[2], match[1] is not None))
        position = match.end()
        if position == len(value):
            return ETagCondition(any=False, tags=tuple(tags))
        if value[position] != ",":
            raise InvalidValue("invalid_etag")
        position += 1
