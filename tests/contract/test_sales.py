"""Pipelines, stages and deals keep the record contract."""

from typing import Any

from tests.api import Api
from tests.contract.contract import ResourceContract


class TestPipelines(ResourceContract):
    name = "pipelines"
    required = ("name",)
    sort = "name"


class TestStages(ResourceContract):
    name = "stages"
    required = ("name", "pipeline_id")

    async def body(self, api: Api, number: int = 0) -> dict[str, Any]:
        [pipeline] = await api.all("/v1/pipelines", is_default="true")
        return {"name": f"Zeta {number}", "pipeline_id": pipeline["id"]}


class TestDeals(ResourceContract):
    name = "deals"
    required = ("name",)
    nullable = "next_step"
    sort = "name"
