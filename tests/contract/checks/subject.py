"""The object that is checked, and what its checks have in common."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from crm_api.core.clock import SystemClock
from crm_api.core.ids import uuid7
from crm_api.kernel.access.rights import GOVERNED_BY
from crm_api.kernel.resource import AnyResource
from crm_api.resources import RESOURCES
from tests.api import Api, Record

CLOCK = SystemClock()
OBJECTS: dict[str, AnyResource] = {resource.name: resource for resource in RESOURCES}
numbers: Iterator[int] = count(1)


def new_id() -> str:
    """An id of the client's own."""
    return str(uuid7(CLOCK))


def some_tag() -> str:
    """A tag that no other check uses, by which a check finds its records."""
    return f"t-{uuid4().hex[:12]}"


class Subject:
    """An object and its records. A subclass gives at least `name`, `body` and `change`."""

    name: ClassVar[str]
    change: ClassVar[tuple[str, Any]]
    """A field and a value that it does not have in `body`."""
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = []
    """Bodies that are wrong in one place, with the pointer to it."""
    required: ClassVar[tuple[str, ...]] = ()

    crm: Api
    other: Api

    @pytest.fixture(autouse=True)
    def _organisations(self, contract_api: Api, contract_other: Api) -> None:
        self.crm, self.other = contract_api, contract_other

    @property
    def resource(self) -> AnyResource:
        return OBJECTS[self.name]

    @property
    def shown(self) -> set[str]:
        """The members of a record."""
        return set(self.resource.read.model_fields)

    @property
    def changeable(self) -> set[str]:
        """What a PATCH may name."""
        return set(self.resource.update.model_fields)

    @property
    def scope(self) -> str:
        """What scopes call it."""
        return GOVERNED_BY.get(self.name, self.name)

    @property
    def base(self) -> str:
        return f"/v1/{self.name}"

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        """A valid body, another one for each number."""
        raise NotImplementedError  # each object's test says how its records look

    async def new_body(self, api: Api | None = None, /, **more: Any) -> dict[str, Any]:
        return {**await self.body(api or self.crm, next(numbers)), **more}

    async def new(self, api: Api | None = None, /, **more: Any) -> Record:
        api = api or self.crm
        return self.read(await api.make(self.name, **await self.new_body(api, **more)))

    def read(self, made: Record) -> Record:
        """What was just made, as it is read: without secrets that are shown once."""
        return {name: value for name, value in made.items() if name not in self.resource.shown_once}

    def path(self, record: Record) -> str:
        return f"{self.base}/{record['id']}"

    async def events(self, record: Record) -> list[Record]:
        found: list[Record] = (await self.crm.ok("GET", "/v1/events", params={"record_id": record["id"]}))["data"]
        return found
