"""gzip, and zstd where Python has it, for answers over 2 KB (RFC 9110 8.4).

ETags stay as they are: they are the version and digest of the data, and a client may send one back whatever coding it
came in. No byte ranges are served on compressed answers, which is what a strong tag per coding would be for.
"""

import asyncio
import sys
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from crm_api.core.accept import weighted

MINIMUM_BYTES = 2_048
_THREAD_BYTES = 128 * 1024
_GZIP_LEVEL = 4  # JSON: within a few percent of level 6 at half its time
_GZIP_WINDOW = 31  # 15 bits of window, +16 for the gzip header

_TYPES = frozenset(
    {
        b"application/json",
        b"application/problem+json",
        b"application/x-ndjson",
        b"application/jsonl",
        b"application/javascript",
        b"image/svg+xml",
    }
)


class Encoder(Protocol):
    """What zlib's and zstd's compressors have in common."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


def _gzip() -> Encoder:
    return zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)


CODINGS: dict[str, Callable[[], Encoder]] = {"gzip": _gzip}

if sys.version_info >= (3, 14):
    from compression import zstd

    def _zstd() -> Encoder:
        return zstd.ZstdCompressor(level=3)

    CODINGS = {"zstd": _zstd, "gzip": _gzip}


@lru_cache(maxsize=256)
def choose(accept_encoding: bytes) -> str | None:
    """The coding to use for an `Accept-Encoding` header: the one the client likes best, ours first among equals."""
    weights = dict(weighted(accept_encoding.decode("latin-1")))
    best, best_weight = None, 0.0
    for coding in CODINGS:
        weight = weights.get(coding, weights.get("*", 0.0))
        if weight > best_weight:
            best, best_weight = coding, weight
    return best if best_weight >= weights.get("identity", 0.0) else None


def worthwhile(status: int, noted: dict[bytes, bytes]) -> bool:
    """Whether an answer with these headers gains from compression: text, over 2 KB or of unknown length, not coded yet."""
    if status in (204, 206, 304) or b"content-encoding" in noted:
        return False
    length = noted.get(b"content-length")
    if length is not None and int(length) < MINIMUM_BYTES:
        return False
    media = noted.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media == b"text/event-stream":
        return False  # each event must leave at once
    if b"no-transform" in noted.get(b"cache-control", b""):
        return False
    return media in _TYPES or media.startswith(b"text/")


async def compress(coding: str, body: bytes) -> bytes:
    """The whole body in the coding; large ones in a thread, since zlib and zstd let others run meanwhile."""
    if len(body) >= _THREAD_BYTES:
        return await asyncio.to_thread(_all, coding, body)
    return _all(coding, body)


def _all(coding: str, body: bytes) -> bytes:
    encoder = CODINGS[coding]()
    return encoder.compress(body) + encoder.flush()
