"""Every writable field of every object, given what it can't be: refused with its place and a code, and nothing written."""

from __future__ import annotations

from typing import Any

import pytest

from crm_api.http.api import REGISTRY
from crm_api.kernel.fields import Field
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType
from tests.api import Api

pytestmark = pytest.mark.anyio

LONG = "x" * 200_001
WRONG: dict[FieldType, list[Any]] = {
    FieldType.TEXT: [1, True, [], {}, LONG, "a\u0000b", ""],
    FieldType.LONG_TEXT: [1, [], LONG],
    FieldType.EMAIL: [1, "nonsense", "a@", "@b.example", "a b@c.example", LONG],
    FieldType.PHONE: [1, "nonsense", "1", LONG],
    FieldType.URL: [1, "nonsense", "javascript:alert(1)", "ftp://x.example"],
    FieldType.INTEGER: ["1", 1.5, True, 2**60, -1],
    FieldType.NUMBER: ["0.5", True, -0.1, 1.1],
    FieldType.CURRENCY: [1, 1.5, "1,5", "1e3", "NaN", "0.001", "9" * 30, ""],
    FieldType.BOOLEAN: ["true", 1, None],
    FieldType.DATE: ["2026-02-30", "30.02.2026", 20260101, "2026-01-01T00:00:00Z"],
    FieldType.DATETIME: ["2026-02-30T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00", 1767225600, "9999-12-31T23:59:59-14:00"],
    FieldType.PICKLIST: ["no such key", 1, ""],
    FieldType.REFERENCE: ["7", 7, "01976f6e-8a00-7000-8000-00000000ffff", {"by": "bogus", "value": "x"}, {"by": "id"}, {"value": "x"}],
    FieldType.TAGS: ["vip", [1], [""], ["x" * 61], [f"t{n}" for n in range(101)], None],
    FieldType.EXTERNAL_IDS: ["x", {"erp": 1}, {"": "1"}, ["1"], {"erp": "x" * 300}],
    FieldType.RICH_TEXT: ["text", {"format": "pdf", "content": "x"}, {"format": "text"}, {"format": "text", "content": LONG}],
    FieldType.ADDRESS: ["Berlin", {"planet": "Mars"}, {"city": 1}, {"city": "x" * 600}],
    FieldType.CUSTOM_FIELDS: ["x", {"nope": 1}],
}
CASES = [
    pytest.param(resource, field, id=f"{resource.name}.{field.name}")
    for resource in REGISTRY
    if "create" in resource.verbs
    for field in resource.fields.values()
    if field.spec.writable == "always" and field.type in WRONG
]
PERSON = {"last_name": "X"}
WORD = {"key": "zeta", "label": "X"}
LEAST: dict[str, dict[str, Any]] = {
    "contacts": PERSON,
    "leads": PERSON,
    "cases": {"subject": "X"},
    "users": {"name": "X", "email": "x@corp.example"},
    "retention_policies": {
        "name": "X",
        "applies_to": "leads",
        "filter": {"field": "status", "value": "lost"},
        "date_field": "updated_at",
        "after": "P2Y",
        "action": "delete",
    },
    "tasks": {"subject": "X"},
    "notes": {"body": {"format": "text", "content": "X"}},
    "lead_statuses": WORD,
    "lifecycle_stages": WORD,
    "contact_roles": WORD,
    "exchange_rates": {"currency": "EUR", "rate": "1.1", "valid_from": "2026-01-01"},
}
BY_EXAMPLE = ("views", "layouts", "custom_links", "segments", "connections", "webhook_endpoints")


async def least(api: Api, resource: AnyResource) -> dict[str, Any]:
    """A body that is right but for the field under test."""
    if resource.name == "stages":
        [pipeline] = await api.all("/v1/pipelines", is_default="true")
        return {"name": "X", "pipeline_id": pipeline["id"]}
    if resource.name == "case_comments":
        case = await api.make("cases", subject="X")
        return {"case_id": case["id"], "body": {"format": "text", "content": "X"}}
    if resource.name == "consents":
        contact = await api.make("contacts", last_name="X")
        return {**resource.example, "contact_id": contact["id"]}
    somebody = {"type": "user", "id": str(api.user_id)}
    criteria = {"field": "last_name", "value": "X"}
    if resource.name == "sharing_rules":
        return {"name": "X", "applies_to": "contacts", "criteria": criteria, "share_with": somebody}
    if resource.name == "restriction_rules":
        return {"name": "X", "applies_to": "contacts", "criteria": criteria, "restricts": [somebody]}
    if resource.name in BY_EXAMPLE:
        return dict(resource.example)
    return LEAST.get(resource.name, {"name": "X"})


@pytest.mark.parametrize(("resource", "field"), CASES)
async def test_each_wrong_value_is_refused_at_its_place(api: Api, resource: AnyResource, field: Field) -> None:
    right = await least(api, resource)
    before = await api.ok("GET", "/v1/events", params={"cursor": "now"})
    for value in WRONG[field.type]:
        answer = await api.http.post(f"/v1/{resource.name}", json={**right, field.name: value})
        assert answer.status_code == 422, (value if len(str(value)) < 80 else "long", answer.status_code, answer.text[:300])
        problem = answer.json()
        assert any(e["pointer"] == f"/{field.name}" or e["pointer"].startswith(f"/{field.name}/") for e in problem["errors"]), problem
        assert all(e["code"] and e["message"] for e in problem["errors"])
    after = await api.ok("GET", "/v1/events", params={"cursor": before["page"]["next_cursor"]})
    assert after["data"] == []


async def test_a_wrong_currency_and_its_digits(api: Api) -> None:
    for body, pointer in (
        ({"name": "X", "currency": "XXQ"}, "/currency"),
        ({"name": "X", "currency": "JPY", "amount": "1.5"}, "/amount"),
        ({"name": "X", "currency": "eur"}, "/currency"),
    ):
        problem = await api.fails("POST", "/v1/deals", 422, "validation_failed", json=body)
        assert problem["errors"][0]["pointer"] == pointer
    assert (await api.make("deals", name="X", currency="JPY", amount="1500"))["amount"] == "1500"
    assert (await api.make("deals", name="X", currency="EUR", amount="1000.5"))["amount"] == "1000.50"
    assert (await api.make("deals", name="X", currency="KWD", amount="1"))["amount"] == "1.000"


async def test_a_foreign_reference_is_as_unknown_as_one_that_never_was(api: Api, other_api: Api) -> None:
    foreign = await other_api.make("accounts", name="Theirs", domain="theirs.example")
    problem = await api.fails("POST", "/v1/contacts", 422, "validation_failed", json={"last_name": "X", "account_id": foreign["id"]})
    assert problem["errors"][0]["code"] == "not_found_reference"
    by_domain = {"by": "domain", "value": "theirs.example"}
    problem = await api.fails("POST", "/v1/contacts", 422, "unresolved_reference", json={"last_name": "X", "account_id": by_domain})
    assert problem["errors"][0]["pointer"] == "/account_id"
