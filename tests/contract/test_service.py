"""Cases, their comments, tasks and notes keep the record contract."""

from typing import Any

from tests.api import Api
from tests.contract.contract import ResourceContract


class TestCases(ResourceContract):
    name = "cases"
    required = ("subject",)
    text = "subject"
    nullable = "type"
    sort = "-number"

    async def body(self, api: Api, number: int = 0) -> dict[str, Any]:
        return {"subject": f"Zeta {number}"}


class TestTasks(ResourceContract):
    name = "tasks"
    required = ("subject",)
    text = "subject"
    nullable = "description"
    sort = "subject"

    async def body(self, api: Api, number: int = 0) -> dict[str, Any]:
        return {"subject": f"Zeta {number}"}


class TestNotes(ResourceContract):
    name = "notes"
    required = ("body",)
    text = "title"
    nullable = "title"
    sort = "title"

    async def body(self, api: Api, number: int = 0) -> dict[str, Any]:
        return {"title": f"Zeta {number}", "body": {"format": "text", "content": "Remember"}}
