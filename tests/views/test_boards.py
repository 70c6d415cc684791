"""Boards of any object: columns, counts, sums and cards in one statement; moves that keep their order whoever else moves."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from crm_api.core.clock import SystemClock
from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.flows.organizations import system_context
from crm_api.kernel import board_move
from tests.api import Api, Record
from tests.statements import Recorder

pytestmark = pytest.mark.anyio


async def _cases(api: Api, count: int, **more: Any) -> list[Record]:
    return [await api.make("cases", subject=f"{n}", **more) for n in range(count)]


async def _column(api: Api, key: str | None, path: str = "/v1/cases/board", **params: Any) -> Record:
    board = await api.ok("GET", path, params={"group_by": "status", **params})
    [column] = [column for column in board["columns"] if column["key"] == key]
    return dict(column)


async def _order(api: Api, key: str | None, **params: Any) -> list[str]:
    return [row["subject"] for row in (await _column(api, key, **params))["data"]]


async def _move(api: Api, record: Record, to: str | None, **more: Any) -> Record:
    found: Record = await api.ok("POST", f"/v1/cases/{record['id']}/move", json={"to": to, **more}, params={"group_by": "status"})
    return found


async def test_a_picklist_makes_columns(api: Api) -> None:
    await _cases(api, 3)
    await api.make("cases", subject="x", status="pending")
    board = await api.ok("GET", "/v1/cases/board", params={"group_by": "status", "fields": "subject,owner.name"})
    first = next(column for column in board["columns"] if column["count"] == 3)
    assert [row["subject"] for row in first["data"]] == ["0", "1", "2"]
    assert set(first["data"][0]) == {"object", "id", "subject", "owner"}
    assert sum(column["count"] for column in board["columns"]) == 4
    assert board["page"]["events_cursor"] == first["page"]["events_cursor"]


async def test_records_in_an_order_make_columns(api: Api) -> None:
    await api.make("leads", last_name="King")
    board = await api.ok("GET", "/v1/leads/board")
    statuses = await api.all("/v1/lead_statuses", sort="position")
    assert [column["key"] for column in board["columns"]] == [status["key"] for status in statuses]
    assert [column["label"] for column in board["columns"]] == [status["label"] for status in statuses]
    rated = await api.ok("GET", "/v1/leads/board", params={"group_by": "rating"})
    assert [(column["key"], column["count"]) for column in rated["columns"]] == [("hot", 0), ("warm", 0), ("cold", 0), (None, 1)]


async def test_one_statement(api: Api) -> None:
    await _cases(api, 3)
    recorder = Recorder()
    api.app.state.services.database.observers.append(recorder)
    try:
        await api.ok("GET", "/v1/cases/board", params={"group_by": "status"})
    finally:
        api.app.state.services.database.observers.remove(recorder)
    asked = [sql for sql in recorder.seen if "FROM cases" in sql]
    assert len(asked) == 1


async def test_filters_views_and_sums(api: Api) -> None:
    for name, amount in (("Big", "1000.00"), ("Small", "10.00"), ("Other", "500.00")):
        await api.make("deals", name=name, amount=amount)
    first = (await api.ok("GET", "/v1/deals/board", params={"amount[gte]": "100"}))["columns"][0]
    assert (first["count"], first["sums"]["amount_base"], [deal["name"] for deal in first["data"]]) == (2, "1500.00", ["Big", "Other"])
    big = {"field": "name", "value": "Big"}
    view = await api.make("views", name="Big", applies_to="deals", kind="board", group_by="stage_id", criteria=[big], sums=["amount"])
    first = (await api.ok("GET", "/v1/deals/board", params={"view_id": view["id"]}))["columns"][0]
    assert (first["count"], first["sums"]) == (1, {"amount": "1000.00"})
    asked = await api.ok("GET", "/v1/deals/board", params={"sums": "amount,probability"})
    assert asked["columns"][0]["sums"]["amount"] == "1510.00"
    filtered = await api.ok("GET", "/v1/deals/board", params={"filter": '{"field":"name","op":"ne","value":"Big"}'})
    assert filtered["columns"][0]["count"] == 2


async def test_what_makes_no_board(api: Api) -> None:
    problem = await api.fails("GET", "/v1/cases/board", 400, "bad_request", params={"group_by": "subject"})
    assert "status" in problem["errors"][0]["allowed"]
    for params in ({"sort": "subject"}, {"nonsense": "1"}, {"since": "x"}):
        await api.fails("GET", "/v1/cases/board", 400, "unknown_parameter", params=params)
    for params in ({"cursor": "x"}, {"group_by": "status", "column": "nowhere"}, {"sums": "subject"}):
        await api.fails("GET", "/v1/cases/board", 400, "bad_request", params=params)
    await api.fails("GET", "/v1/cases/board", 400, "invalid_cursor", params={"group_by": "status", "column": "new", "cursor": "x"})
    narrow = await api.with_scopes("leads:read")
    problem = await narrow.fails("GET", "/v1/leads/board", 403, "insufficient_scope")
    assert problem["required_scopes"] == ["lead_statuses:read"]


async def test_moves(api: Api) -> None:
    cases = await _cases(api, 4, status="pending")
    assert await _order(api, "pending") == ["0", "1", "2", "3"]
    await _move(api, cases[3], "pending", before_id=cases[1]["id"])
    assert await _order(api, "pending") == ["0", "3", "1", "2"]
    await _move(api, cases[0], "pending", after_id=cases[2]["id"])
    assert await _order(api, "pending") == ["3", "1", "2", "0"]
    await _move(api, cases[3], "pending")
    assert await _order(api, "pending") == ["1", "2", "0", "3"]
    await _move(api, cases[2], "pending", before_id=cases[1]["id"])
    assert await _order(api, "pending") == ["2", "1", "0", "3"]
    new = await api.make("cases", subject="new", status="pending")
    assert await _order(api, "pending") == ["2", "1", "0", "3", "new"]
    await _move(api, new, "pending", before_id=cases[0]["id"])
    assert await _order(api, "pending") == ["2", "1", "new", "0", "3"]


async def test_a_move_within_a_column_is_no_change_of_the_record(api: Api) -> None:
    one, two = await _cases(api, 2)
    path = f"/v1/cases/{two['id']}/move"
    answer = await api.http.post(path, json={"to": two["status"], "before_id": one["id"]}, params={"group_by": "status"})
    assert (answer.status_code, answer.headers["x-outcome"]) == (200, "unchanged")
    assert (await api.get(two))["version"] == two["version"]
    events = await api.ok("GET", "/v1/events", params={"record_id": two["id"], "limit": 100})
    assert [event["type"] for event in events["data"]] == ["case.created"]
    assert await _order(api, two["status"]) == ["1", "0"]
    deals = [await api.make("deals", name=name) for name in ("a", "b")]
    moved = await api.ok("POST", f"/v1/deals/{deals[1]['id']}/move", json={"to": deals[1]["stage_id"], "before_id": deals[0]["id"]})
    assert moved["version"] == 2  # its place is one of its fields


async def test_the_place_goes_with_a_purged_record(api: Api) -> None:
    one, two = await _cases(api, 2)
    await _move(api, two, two["status"], before_id=one["id"])
    services = api.app.state.services
    kept = Statement("SELECT record_id FROM board_positions WHERE org_id = $1", ("org_id",))

    async def places() -> set[str]:
        async with unit_of_work(services.database, api.org_id, services.clock) as uow:
            return {str(row["record_id"]) for row in await uow.fetch(kept, {"org_id": api.org_id})}

    before = await places()
    assert two["id"] in before
    await api.ok("DELETE", f"/v1/cases/{two['id']}")
    assert await places() == before
    await api.ok("DELETE", f"/v1/cases/{two['id']}", params={"purge": "true"})
    assert await places() == before - {two["id"]}


async def test_moves_between_columns(api: Api) -> None:
    cases = await _cases(api, 3, status="pending")
    first = await api.make("cases", subject="first", status="open")
    moved = await _move(api, cases[1], "open", before_id=first["id"], **{"from": "pending"}, priority="high")
    assert (moved["status"], moved["priority"], moved["version"]) == ("open", "high", 2)
    assert (await _order(api, "pending"), await _order(api, "open")) == (["0", "2"], ["1", "first"])
    problem = await api.fails(
        "POST", f"/v1/cases/{cases[1]['id']}/move", 409, "moved", json={"to": "open", "from": "pending"}, params={"group_by": "status"}
    )
    assert problem["record"]["status"] == "open"
    events = (await api.ok("GET", "/v1/events", params={"record_id": cases[1]["id"]}))["data"]
    assert events[-1]["cause"]["action"] == "cases.move"
    # a record that is changed otherwise leaves its place
    await api.change(moved, status="pending")
    assert await _order(api, "pending") == ["0", "1", "2"]


async def test_records_without_a_value_have_a_column(api: Api) -> None:
    leads = [await api.make("leads", last_name=f"{n}") for n in range(3)]
    path = f"/v1/leads/{leads[2]['id']}/move"
    await api.ok("POST", path, json={"to": None, "before_id": leads[0]["id"]}, params={"group_by": "rating"})
    column = await _column(api, None, "/v1/leads/board", group_by="rating")
    assert [row["last_name"] for row in column["data"]] == ["2", "0", "1"]
    await api.ok("POST", path, json={"to": "hot", "from": None}, params={"group_by": "rating"})
    assert (await _column(api, "hot", "/v1/leads/board", group_by="rating"))["count"] == 1
    assert (await _column(api, None, "/v1/leads/board", group_by="rating", column="null", limit=1))["page"]["has_more"]


async def test_bad_moves(api: Api) -> None:
    [case, other] = await _cases(api, 2, status="pending")
    path, params = f"/v1/cases/{case['id']}/move", {"group_by": "status"}
    for body, pointer in (
        ({}, "/to"),
        ({"to": 7}, "/to"),
        ({"to": "nowhere"}, "/status"),
        ({"to": "open", "status": "open"}, "/status"),
        ({"to": "pending", "before_id": "x"}, "/before_id"),
        ({"to": "open", "before_id": other["id"]}, "/before_id"),
        ({"to": "pending", "after_id": case["id"]}, "/after_id"),
        ({"to": "pending", "after_id": other["id"], "before_id": other["id"]}, "/after_id"),
        ({"to": "open", "nonsense": 1}, "/nonsense"),
    ):
        problem = await api.fails("POST", path, 422, "validation_failed", json=body, params=params)
        assert problem["errors"][0]["pointer"] == pointer, problem
    await api.fails("POST", f"/v1/cases/{other['id'][:-4]}ffff/move", 404, "not_found", json={"to": "open"}, params=params)
    assert await _order(api, "pending") == ["0", "1"]
    await api.ok("POST", path, json={"to": "pending", "after_id": other["id"]}, params={**params, "dry_run": "true"})
    assert await _order(api, "pending") == ["0", "1"]


async def test_pages_of_a_column(api: Api) -> None:
    cases = await _cases(api, 7, status="pending")
    await _move(api, cases[5], "pending", before_id=cases[0]["id"])
    await _move(api, cases[6], "pending", before_id=cases[0]["id"])
    expected = ["5", "6", "0", "1", "2", "3", "4"]
    assert await _order(api, "pending") == expected
    for limit in (1, 2, 3):
        seen: list[str] = []
        column = await _column(api, "pending", limit=limit)
        while True:
            seen += [row["subject"] for row in column["data"]]
            cursor = column["page"]["next_cursor"]
            if cursor is None:
                break
            column = await _column(api, "pending", limit=limit, column="pending", cursor=cursor)
        assert seen == expected


async def test_twenty_moves_at_once(api: Api) -> None:
    cases = await _cases(api, 20, status="pending")
    chance = random.Random(5)

    async def shuffle(case: Record) -> None:
        others = [other for other in cases if other is not case]
        where = chance.choice(("before_id", "after_id", None))
        await _move(api, case, "pending", **({} if where is None else {where: chance.choice(others)["id"]}))

    await asyncio.gather(*(shuffle(case) for case in cases))
    order = await _order(api, "pending")
    assert sorted(order, key=int) == [f"{n}" for n in range(20)]
    assert order == await _order(api, "pending")
    ranks = await _ranks(api)
    assert len(ranks) == len(set(ranks)) == 20


async def _ranks(api: Api) -> list[str]:
    async with system_context(api.app.state.services.database, api.org_id, SystemClock(), user_id=api.user_id) as context:
        rows = await context.uow.fetch(Statement("SELECT rank FROM board_positions WHERE org_id = $1", ("org_id",)), {"org_id": api.org_id})
    return [row["rank"] for row in rows]


async def test_ranks_stay_short(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_move, "MAX_RANK", 20)
    cases = await _cases(api, 3, status="pending")
    order = list(cases)
    for n in range(60):  # each time into the same gap, which gets narrower
        moved = cases[1 + n % 2]
        await _move(api, moved, "pending", after_id=cases[0]["id"])
        order = [cases[0], moved, cases[2 - n % 2]]
    assert await _order(api, "pending") == [case["subject"] for case in order]
    assert max(map(len, await _ranks(api))) <= 21


async def test_columns_too_long_to_be_put_in_an_order(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_move, "MAX_RANKED", 2)
    cases = await _cases(api, 5, status="pending")
    await _move(api, cases[3], "pending", before_id=cases[1]["id"])
    assert await _order(api, "pending") == ["0", "3", "1", "2", "4"]
    late = await _cases(api, 3, status="pending")
    path, body = f"/v1/cases/{cases[0]['id']}/move", {"to": "pending", "after_id": late[2]["id"]}
    await api.fails("POST", path, 409, "conflict", json=body, params={"group_by": "status"})
    await _move(api, cases[3], "pending")  # goes where it was made
    assert await _order(api, "pending") == ["0", "1", "2", "3", "4", "0", "1", "2"]


async def test_after_the_last_card_is_the_end_also_for_deals(api: Api) -> None:
    deals = [await api.make("deals", name=f"{n}") for n in range(3)]
    stage = deals[0]["stage_id"]
    await api.ok("POST", f"/v1/deals/{deals[0]['id']}/move", json={"to": stage, "after_id": deals[2]["id"]})
    await api.make("deals", name="new")
    board = await api.ok("GET", "/v1/deals/board", params={"column": stage})
    assert [deal["name"] for deal in board["columns"][0]["data"]] == ["1", "2", "0", "new"]


async def test_deals_by_another_field(api: Api) -> None:
    await api.ok(
        "POST",
        "/v1/meta/deals/fields",
        json={
            "api_name": "region", "label": "Region", "type": "picklist",
            "options": [{"key": "north", "label": "North"}, {"key": "south", "label": "South"}],
        },
        status=201,
    )  # fmt: skip
    deals = [await api.make("deals", name=f"{n}", custom_fields={"region": "north"}) for n in range(2)]
    params = {"group_by": "custom_fields.region"}
    moved = await api.ok("POST", f"/v1/deals/{deals[1]['id']}/move", json={"to": "north", "before_id": deals[0]["id"]}, params=params)
    assert moved["stage_id"] == deals[1]["stage_id"]
    board = await api.ok("GET", "/v1/deals/board", params=params)
    assert [(column["label"], column["count"]) for column in board["columns"]] == [("North", 2), ("South", 0), (None, 0)]
    assert [deal["name"] for deal in board["columns"][0]["data"]] == ["1", "0"]
    await api.ok("POST", f"/v1/deals/{deals[1]['id']}/move", json={"to": "south", "from": "north"}, params=params)
    assert (await api.get(deals[1]))["custom_fields"]["region"] == "south"


async def test_boards_of_an_organisations_own_objects(api: Api) -> None:
    body = {"api_name": "visits", "singular": "visit", "label": "Visit", "plural_label": "Visits"}
    await api.ok("POST", "/v1/meta/objects", json=body, status=201)
    options = [{"key": "planned", "label": "Planned"}, {"key": "done", "label": "Done"}]
    await api.ok(
        "POST", "/v1/meta/visits/fields", json={"api_name": "state", "label": "State", "type": "picklist", "options": options}, status=201
    )
    visits = [await api.make("visits", name=f"{n}", state="planned") for n in range(3)]
    await api.ok("POST", f"/v1/visits/{visits[2]['id']}/move", json={"to": "planned", "before_id": visits[0]["id"]})
    board = await api.ok("GET", "/v1/visits/board")
    assert [(column["key"], [visit["name"] for visit in column["data"]]) for column in board["columns"]] == [
        ("planned", ["2", "0", "1"]), ("done", []), (None, []),
    ]  # fmt: skip


async def test_another_organisation_sees_nothing(api: Api, other_api: Api) -> None:
    [case] = await _cases(api, 1, status="pending")
    await other_api.fails("POST", f"/v1/cases/{case['id']}/move", 404, "not_found", json={"to": "new"}, params={"group_by": "status"})
    assert (await _column(other_api, "pending"))["count"] == 0
