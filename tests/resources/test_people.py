"""Contacts, leads, and the lists they move along."""

from __future__ import annotations

import pytest

from crm_api.core.errors import Conflict, IllegalTransition, Locked, Problem
from crm_api.kernel.writer import Writer
from tests.resources.conftest import Crm, codes

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", ["contacts", "leads"])
async def test_something_to_call_them_by(crm: Crm, name: str) -> None:
    for body in ({}, {"title": "Head of Nothing"}):
        with pytest.raises(Problem) as refused:
            await crm.make(name, **body)
        assert codes(refused.value) == [("", "one_of_required")]
    for body in ({"first_name": "Ada"}, {"last_name": "King"}, {"email": f"ada@{name}.example"}, {"phone": "030 1234567"}):
        made = await crm.make(name, **body)
        assert made["display_name"]
        with pytest.raises(Problem):
            await crm.change(made, **dict.fromkeys(body))


async def test_lifecycle(crm: Crm) -> None:
    ada = await crm.make("contacts", first_name="Ada", lifecycle_stage="lead")
    with pytest.raises(Problem) as refused:
        await crm.change(ada, lifecycle_stage="nowhere")
    assert codes(refused.value) == [("/lifecycle_stage", "enum")]
    [lead] = await crm.all("lifecycle_stages", key="lead")
    await crm.change(lead, transitions=["mql"])
    with pytest.raises(IllegalTransition) as barred:
        await crm.change(ada, lifecycle_stage="customer")
    assert barred.value.errors[0].allowed == ["mql"]
    assert (await crm.change(ada, lifecycle_stage="mql"))["lifecycle_stage"] == "mql"


async def test_lead_statuses(crm: Crm) -> None:
    lead = await crm.make("leads", last_name="Murray")
    assert lead["status"] == "new"
    with pytest.raises(IllegalTransition) as barred:
        await crm.change(lead, status="converted")
    assert barred.value.errors[0].allowed == ["contacted", "qualified", "nurturing", "junk", "lost"]
    with pytest.raises(Problem) as refused:
        await crm.change(lead, status="junk")
    assert codes(refused.value) == [("/status_reason", "required")]
    assert (await crm.change(lead, status="junk", status_reason="a test"))["status_reason"] == "a test"
    assert (await crm.change(lead, status="new"))["status_reason"] is None
    with pytest.raises(Problem) as refused:
        await crm.make("leads", last_name="King", status="lost")
    assert codes(refused.value) == [("/status_reason", "required")]


async def test_a_converted_lead_is_read_only(crm: Crm) -> None:
    lead = await crm.make("leads", last_name="Murray")
    async with crm.context() as context:
        from uuid import UUID

        await Writer().update_rows(context, context.registry["leads"], {UUID(lead["id"]): {"converted_at": context.uow.now}})
    with pytest.raises(Locked):
        await crm.change(lead, title="CEO")


async def test_one_default_status(crm: Crm) -> None:
    made = await crm.make("lead_statuses", key="fresh", label="Fresh", is_default=True)
    assert made["position"] == 7
    assert [row["key"] for row in await crm.all("lead_statuses") if row["is_default"]] == ["fresh"]
    [old] = await crm.all("lead_statuses", key="new")
    assert (await crm.events(old))[-1] == {"type": "lead_status.updated", "changes": {"is_default": {"old": True, "new": False}}}
    with pytest.raises(Conflict):
        await crm.change(made, is_default=False)
    with pytest.raises(Conflict):
        await crm.delete(made)
    await crm.delete(old)


async def test_transitions_name_keys_that_exist(crm: Crm) -> None:
    with pytest.raises(Problem) as refused:
        await crm.make("lead_statuses", key="fresh", label="Fresh", transitions=["new", "nowhere"])
    assert codes(refused.value) == [("/transitions/1", "enum")]


async def test_what_is_in_use_stays(crm: Crm) -> None:
    await crm.make("leads", last_name="Murray", status="contacted", lifecycle_stage="mql")
    for name, key in (("lead_statuses", "contacted"), ("lifecycle_stages", "mql")):
        [row] = await crm.all(name, key=key)
        with pytest.raises(Conflict) as refused:
            await crm.delete(row)
        assert refused.value.errors[0].code == "in_use"
    [row] = await crm.all("contact_roles", key="user")
    await crm.delete(row)
