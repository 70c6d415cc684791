"""Descriptions of organisations, made when somebody asks and kept as long as there is room.

What all organisations have in common is made once for each process, in a thread. A description is kept under the registry that
it is about, which no other version of a schema shares, and the shape of what its callers may see: it never has to be thrown
away because it is wrong, only for lack of room.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import BadRequest, InvalidValue
from crm_api.core.etag import body_etag, parse_etags
from crm_api.http.middleware.compression import choose, compress
from crm_api.http.openapi.tenant.base import Base, take_apart
from crm_api.http.openapi.tenant.template import Template

ROOM: Final = 64 * 1024 * 1024
"""Bytes of descriptions that a process keeps."""

JSON: Final = "application/json"


@dataclass(slots=True)
class Entry:
    """A description with its tag, and its compressed form once somebody has asked for that."""

    body: bytes
    etag: str
    media_type: str
    packed: bytes = b""

    @property
    def size(self) -> int:
        """The memory that it takes."""
        return len(self.body) + len(self.packed)


class Descriptions:
    """The descriptions of one process, those not asked for longest let go first."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._kept: OrderedDict[Hashable, Entry] = OrderedDict()
        self._lock = asyncio.Lock()
        self._preparing: asyncio.Future[tuple[Base, Template]] | None = None
        self.made = 0
        """How many were made, for tests."""

    async def base(self, request: Request) -> tuple[Base, Template]:
        """What all organisations have in common."""
        if self._preparing is None or (self._preparing.done() and self._preparing.exception() is not None):
            self._preparing = asyncio.ensure_future(asyncio.to_thread(_prepare, request))
        # a caller who gives up doesn't end it for the others
        return await asyncio.shield(self._preparing)

    async def entry(self, key: Hashable, make: Callable[[], bytes], media_type: str = JSON) -> Entry:
        """The description under this key, made in a thread on first use; one at a time, since they take a processor."""
        found = self._kept.get(key)
        if found is None:
            async with self._lock:
                found = self._kept.get(key)
                if found is None:
                    body = await asyncio.to_thread(make)
                    self.made += 1
                    found = Entry(body, body_etag(body), media_type)
                    self._kept[key] = found
                    self._let_go()
        if key in self._kept:
            self._kept.move_to_end(key)
        return found

    async def answer(self, request: Request, entry: Entry) -> Response:
        """The description, compressed if the caller likes, or that it is still the one the caller has."""
        headers = {"ETag": entry.etag}
        if unchanged(request, entry.etag):
            return Response(status_code=304, headers=headers)
        coding = choose(request.headers.get("accept-encoding", "").encode("latin-1"))
        if coding != "gzip":
            return Response(entry.body, headers=headers, media_type=entry.media_type)
        if not entry.packed:
            entry.packed = await compress(coding, entry.body)
            self._let_go()
        return Response(
            entry.packed, headers={**headers, "Content-Encoding": coding, "Vary": "Accept-Encoding"}, media_type=entry.media_type
        )

    @property
    def size(self) -> int:
        """The memory that all take."""
        return sum(entry.size for entry in self._kept.values())

    def _let_go(self) -> None:
        while self._kept and self.size > self._room:
            self._kept.popitem(last=False)


def unchanged(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` names what would be answered. Raises BadRequest for a header that is no list of tags."""
    header = request.headers.get("if-none-match")
    if header is None:
        return False
    try:
        return parse_etags(header).matches_tag(etag)
    except InvalidValue as error:
        raise BadRequest(errors=[error.at(header="If-None-Match")]) from None


def descriptions_of(request: Request) -> Descriptions:
    """The descriptions of the application that a request came to."""
    state = request.app.state
    if not hasattr(state, "descriptions"):
        state.descriptions = Descriptions()
    found: Descriptions = state.descriptions
    return found


def _prepare(request: Request) -> tuple[Base, Template]:
    base = take_apart(request.app)
    return base, Template(base)
