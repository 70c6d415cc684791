"""Each object keeps the contract."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import pytest

from crm_api.resources import RESOURCES
from tests.api import Api
from tests.contract.contract import ResourceContract

pytestmark = pytest.mark.anyio


class TestAccounts(ResourceContract):
    name = "accounts"
    change = ("industry", "robotics")
    required = ("name",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"name": " "}, "/name"),
        ({"name": "x" * 256}, "/name"),
        ({"employees": "12"}, "/employees"),
        ({"employees": True}, "/employees"),
        ({"employees": -1}, "/employees"),
        ({"annual_revenue": 12.5}, "/annual_revenue"),
        ({"annual_revenue": "12.505"}, "/annual_revenue"),
        ({"annual_revenue": "1e5"}, "/annual_revenue"),
        ({"currency": "XXQ"}, "/currency"),
        ({"currency": "JPY", "annual_revenue": "10.5"}, "/annual_revenue"),
        ({"domain": "no domain"}, "/domain"),
        ({"website": "ftp://acme.example"}, "/website"),
        ({"phone": "call me"}, "/phone"),
        ({"billing_address": {"planet": "Mars"}}, "/billing_address/planet"),
        ({"billing_address": "Berlin"}, "/billing_address"),
        ({"parent_id": {"by": "domain", "value": "nobody.example"}}, "/parent_id"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"name": f"Acme {n}", "domain": f"acme{n}.example", "annual_revenue": "1000.50", "billing_address": {"city": "Berlin"}}

    async def test_domains_are_normalised(self) -> None:
        record = await self.new(domain="https://WWW.Fold-Me.example/about")
        assert record["domain"] == "fold-me.example"


class TestContacts(ResourceContract):
    name = "contacts"
    change = ("title", "Head of Purchasing")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"email": "nobody"}, "/email"),
        ({"emails": [{"address": "a@corp.example"}]}, "/emails"),
        ({"emails": [{"address": "a", "is_primary": True}]}, "/emails/0/address"),
        ({"kind": "robot"}, "/kind"),
        ({"birthdate": "2026-02-30"}, "/birthdate"),
        ({"birthdate": "22.11.2026"}, "/birthdate"),
        ({"do_not_call": "no"}, "/do_not_call"),
        ({"lifecycle_stage": "nowhere"}, "/lifecycle_stage"),
        ({"account_id": "acme"}, "/account_id"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"first_name": "Ada", "last_name": f"King {n}", "email": f"ada{n}@corp.example", "phone": "+49 30 1234567"}

    async def test_email_is_the_primary_of_emails(self) -> None:
        record = await self.new()
        assert record["emails"] == [{"address": record["email"], "type": None, "is_primary": True}]
        second = {"address": f"second-{record['email']}", "type": "home", "is_primary": True}
        changed = await self.crm.change(record, emails=[{"address": record["email"]}, second])
        assert changed["email"] == second["address"]


class TestLeads(ResourceContract):
    name = "leads"
    change = ("company", "Northwind")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"status": "nowhere"}, "/status"),
        ({"rating": "lukewarm"}, "/rating"),
        ({"score": 5}, "/score"),
        ({"converted_at": "2026-01-01T00:00:00Z"}, "/converted_at"),
        ({"qualification": "bant"}, "/qualification"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"last_name": f"Murray {n}", "email": f"murray{n}@corp.example", "source": "web form"}


class TestDeals(ResourceContract):
    name = "deals"
    change = ("next_step", "call back")
    required = ("name",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"amount": 1000}, "/amount"),
        ({"probability": 1.5}, "/probability"),
        ({"probability": "0.5"}, "/probability"),
        ({"close_date": "tomorrow"}, "/close_date"),
        ({"status": "won"}, "/status"),
        ({"stage_id": "won"}, "/stage_id"),
        ({"weighted_amount": "1.00"}, "/weighted_amount"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"name": f"Robots {n}", "amount": "48000.00", "close_date": "2026-12-31"}


class TestPipelines(ResourceContract):
    name = "pipelines"
    change = ("name", "Renamed")
    required = ("name",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"applies_to": "weather"}, "/applies_to"),
        ({"is_default": "yes"}, "/is_default"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"name": f"Pipeline {n}"}


class TestStages(ResourceContract):
    name = "stages"
    change = ("forecast_category", "commit")
    required = ("name",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"category": "maybe"}, "/category"),
        ({"position": -1}, "/position"),
        ({"probability": 2}, "/probability"),
        ({"required_fields": ["nonsense"]}, "/required_fields/0"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        pipeline = await api.make("pipelines", name=f"Pipeline {n}")
        return {"name": f"Stage {n}", "pipeline_id": pipeline["id"], "category": "open", "probability": 0.5}


class TestCases(ResourceContract):
    name = "cases"
    change = ("priority", "urgent")
    required = ("subject",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"status": "asleep"}, "/status"),
        ({"number": 7}, "/number"),
        ({"channel": "pigeon"}, "/channel"),
        ({"opened_at": "2026-01-01"}, "/opened_at"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"subject": f"Robot stops {n}", "channel": "email"}


class TestCaseComments(ResourceContract):
    name = "case_comments"
    change = ("body", {"format": "text", "content": "Switch it on again."})
    required = ("body", "case_id")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"body": "text"}, "/body"),
        ({"body": {"format": "rtf", "content": "x"}}, "/body/format"),
        ({"visibility": "secret"}, "/visibility"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        case = await api.make("cases", subject=f"Case {n}")
        return {"case_id": case["id"], "body": {"format": "markdown", "content": f"Hello {n}"}}


class TestTasks(ResourceContract):
    name = "tasks"
    change = ("priority", "high")
    required = ("subject",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"due_at": "2026-11-30"}, "/due_at"),
        ({"due_at": "2026-11-30T16:00:00"}, "/due_at"),
        ({"status": "almost"}, "/status"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"subject": f"Call {n}"}


class TestNotes(ResourceContract):
    name = "notes"
    change = ("title", "Renamed")
    required = ("body",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [({"body": {"format": "text"}}, "/body/content"), ({"title": 7}, "/title")]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"title": f"Note {n}", "body": {"format": "text", "content": "Budget approved."}}


class TestLeadStatuses(ResourceContract):
    name = "lead_statuses"
    change = ("label", "Renamed")
    required = ("key", "label")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"key": "With Spaces"}, "/key"),
        ({"role": "unknown"}, "/role"),
        ({"transitions": ["nowhere"]}, "/transitions/0"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"key": f"status_{n}", "label": f"Status {n}", "role": "working"}


class TestLifecycleStages(ResourceContract):
    name = "lifecycle_stages"
    change = ("label", "Renamed")
    required = ("key", "label")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [({"role": "unknown"}, "/role"), ({"position": "first"}, "/position")]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"key": f"stage_{n}", "label": f"Stage {n}", "role": "other"}


class TestContactRoles(ResourceContract):
    name = "contact_roles"
    change = ("label", "Renamed")
    required = ("key", "label")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [({"key": "1st"}, "/key"), ({"label": ""}, "/label")]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"key": f"role_{n}", "label": f"Role {n}"}


def test_every_object_is_checked() -> None:
    for file in Path(__file__).parent.glob("test_*.py"):
        import_module(f"tests.contract.{file.stem}")  # an object may have a file of its own
    checked = {subclass.name for subclass in ResourceContract.__subclasses__()} - {"vessels"}  # an organisation's own
    # consents are only ever added; tests/privacy/test_consents.py has them
    assert checked == {resource.name for resource in RESOURCES if "create" in resource.verbs and resource.name != "consents"}
    assert sum(name.startswith("test_") for name in dir(ResourceContract)) >= 40
