"""The lists that organisations shape themselves keep the record contract."""

from typing import Any

from tests.api import Api
from tests.contract.contract import ResourceContract


class Vocabulary(ResourceContract):
    required = ("key", "label")
    text = "label"
    unique = "key"
    sort = "position"

    def unique_value(self, number: int) -> str:
        return f"special_{number}"

    async def body(self, api: Api, number: int = 0) -> dict[str, Any]:
        return {"key": f"zeta_{number}", "label": f"Zeta {number}"}


class TestLeadStatuses(Vocabulary):
    name = "lead_statuses"


class TestLifecycleStages(Vocabulary):
    name = "lifecycle_stages"


class TestContactRoles(Vocabulary):
    name = "contact_roles"
