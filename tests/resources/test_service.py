"""Cases with their comments, and tasks."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from crm_api.core.errors import IllegalTransition, Problem
from crm_api.core.ids import uuid7
from tests.resources.conftest import Crm, codes

pytestmark = pytest.mark.anyio

BODY = {"format": "text", "content": "Hello"}


async def test_numbers_have_no_gaps(crm: Crm) -> None:
    assert (await crm.make("cases", subject="one"))["number"] == 1
    taken = str(uuid7(crm.clock))
    bodies: list[dict[str, Any]] = [{"subject": f"{n}"} for n in range(6)]
    bodies[0]["id"] = taken
    await crm.make_many("cases", bodies[:2])
    bodies[3]["priority"] = "huge"
    bodies[4]["external_ids"] = bodies[5]["external_ids"] = {"old": "7"}
    outcomes = await crm.make_many("cases", bodies, atomic=False)
    assert [outcome.status for outcome in outcomes] == [409, 201, 201, 422, 201, 409]
    with pytest.raises(Problem):
        await crm.make("cases", subject="again", id=taken)
    with pytest.raises(Problem):
        await crm.make("cases", subject="lost", parent_id=str(uuid4()))
    await asyncio.gather(*(crm.make("cases", subject=f"race {n}") for n in range(20)))
    assert sorted(row["number"] for row in await crm.all("cases")) == list(range(1, 27))


async def test_times_follow_the_status(crm: Crm) -> None:
    case = await crm.make("cases", subject="Robot stops")
    assert (case["status"], case["opened_at"]) == ("new", case["created_at"])
    crm.clock.advance(timedelta(hours=1))
    resolved = await crm.change(case, status="resolved")
    assert resolved["resolved_at"] == resolved["updated_at"]
    crm.clock.advance(timedelta(hours=1))
    closed = await crm.change(case, status="closed")
    assert (closed["resolved_at"], closed["closed_at"]) == (resolved["resolved_at"], closed["updated_at"])
    with pytest.raises(IllegalTransition) as refused:
        await crm.change(case, status="pending")
    assert refused.value.errors[0].allowed == ("open",)
    again = await crm.change(case, status="open")
    assert (again["resolved_at"], again["closed_at"]) == (None, None)
    old = await crm.make("cases", subject="old", status="closed", opened_at="2020-01-01T00:00:00Z", closed_at="2020-02-01T00:00:00Z")
    assert old["resolved_at"] == old["closed_at"] == "2020-02-01T00:00:00.000000Z"


async def test_comments_move_the_case(crm: Crm) -> None:
    case = await crm.make("cases", subject="Robot stops")
    await crm.make("case_comments", case_id=case["id"], body=BODY)
    assert (await crm.get(case))["first_response_at"] is None
    crm.clock.advance(timedelta(minutes=5))
    first = await crm.make("case_comments", case_id=case["id"], body=BODY, visibility="public")
    crm.clock.advance(timedelta(minutes=5))
    await crm.make("case_comments", case_id=case["id"], body=BODY, visibility="public")
    now = await crm.get(case)
    assert now["first_response_at"].isoformat() == first["created_at"].replace("Z", "+00:00").replace(".000000", "")
    await crm.change(case, status="resolved")
    customer = await crm.make("case_comments", case_id=case["id"], body=BODY, author_kind="customer")
    assert customer["visibility"] == "public"
    assert (await crm.get(case))["status"] == "open"
    with pytest.raises(Problem) as refused:
        await crm.make("case_comments", case_id=case["id"], body=BODY, author_kind="customer", visibility="internal")
    assert codes(refused.value) == [("/visibility", "invalid_combination")]


async def test_a_closed_case_stays_closed(crm: Crm) -> None:
    case = await crm.make("cases", subject="Robot stops", status="closed")
    await crm.make("case_comments", case_id=case["id"], body=BODY, author_kind="customer")
    assert (await crm.get(case))["status"] == "closed"


async def test_done_tasks(crm: Crm) -> None:
    task = await crm.make("tasks", subject="Call", due_at="2026-11-30T16:00:00+01:00")
    assert (task["due_at"], task["completed_at"]) == ("2026-11-30T15:00:00.000000Z", None)
    done = await crm.change(task, status="done")
    assert done["completed_at"] == done["updated_at"]
    assert (await crm.change(task, status="open"))["completed_at"] is None


async def test_notes_are_sanitised(crm: Crm) -> None:
    note = await crm.make("notes", body={"format": "html", "content": "<p onclick='x()'>Hi<script>alert(1)</script></p>"})
    assert note["body"]["content"] == "<p>Hi</p>"
    assert note["display_name"]
