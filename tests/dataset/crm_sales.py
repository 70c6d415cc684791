"""Imports the public data set "CRM Sales Opportunities" through the API, as a customer's script would: in batches."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from crm_api.flows.organizations import create_user
from tests.api import Api

FOLDER = Path(os.environ.get("CRM_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
OPEN_STAGES = {"Prospecting": ("0.1", 0), "Engaging": ("0.4", 1)}


def needs_data(name: str) -> pytest.MarkDecorator:
    """Skips a test where the data is missing: it belongs to others and is not part of the project."""
    return pytest.mark.skipif(not (FOLDER / name).is_dir(), reason=f"the data set {name} is not here; CRM_TEST_DATA names its folder")


def rows(folder: str, name: str) -> list[dict[str, str]]:
    """One file of the data set."""
    with (FOLDER / folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def day(text: str) -> date | None:
    """A date as either spelling writes it: 2017-03-01 or 3/1/2017."""
    if not text:
        return None
    return date.fromisoformat(text) if "-" in text else datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007


@dataclass
class Imported:
    """What an import leaves to ask about."""

    api: Api
    pipeline_id: str
    agents: dict[str, str]


async def batches(api: Api, name: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Creates any number of records, 200 a call; each must succeed."""
    made: list[dict[str, Any]] = []
    for start in range(0, len(items), 200):
        answer = await api.ok("POST", f"/v1/{name}/batch/create", json={"mode": "atomic", "items": items[start : start + 200]}, status=207)
        made += [result["record"] for result in answer["results"]]
    return made


async def load(api: Api, folder: str) -> Imported:
    """Accounts with their parents, the sales agents as users, a pipeline, and 8,800 deals."""
    accounts = rows(folder, "accounts")
    made = await batches(api, "accounts", [account(row) for row in accounts])
    assert len(made) == 85
    links = [
        {"external_ids": {"crm_sales": row["account"]}, "parent_id": {"by": "external_ids.crm_sales", "value": row["subsidiary_of"]}}
        for row in accounts
        if row["subsidiary_of"]
    ]
    body = {"match_on": "external_ids.crm_sales", "items": links}
    parents = await api.ok("POST", "/v1/accounts/batch/update", json=body, status=207)
    assert {result["outcome"] for result in parents["results"]} == {"updated"}, parents
    ids = {record["name"]: record["id"] for record in made}
    agents, regions = {}, {}
    for number, row in enumerate(rows(folder, "sales_teams")):
        user = await create_user(
            api.app.state.services.database, org_id=api.org_id, email=f"agent{number}-{api.org_id}@corp.example", name=row["sales_agent"]
        )
        agents[row["sales_agent"]], regions[row["sales_agent"]] = str(user), row["regional_office"]
    pipeline = await api.make("pipelines", name="Sales opportunities")
    stages = [
        {"name": name, "pipeline_id": pipeline["id"], "category": "open", "probability": float(probability), "position": position}
        for name, (probability, position) in OPEN_STAGES.items()
    ]
    stages += [
        {"name": name.title(), "pipeline_id": pipeline["id"], "category": name, "position": 2 + i} for i, name in enumerate(("won", "lost"))
    ]
    for stage in stages:
        if not [s for s in await api.all(f"/v1/pipelines/{pipeline['id']}/stages") if s["name"] == stage["name"]]:
            await api.make("stages", **stage)
    stage_ids = {s["name"]: s["id"] for s in await api.all(f"/v1/pipelines/{pipeline['id']}/stages")}
    deals = []
    for row in rows(folder, "sales_pipeline"):
        began, closed = day(row["engage_date"]), day(row["close_date"])
        step = row["deal_stage"]
        deals.append(
            {
                "name": f"{row['account'] or 'unknown'}: {row['product'].replace('GTXPro', 'GTX Pro')}",
                "external_ids": {"crm_sales": row["opportunity_id"]},
                "account_id": ids[row["account"]] if row["account"] else None,
                "owner_id": agents[row["sales_agent"]],
                "pipeline_id": pipeline["id"],
                "stage_id": stage_ids[step],
                "amount": row["close_value"] or None,
                **({"opened_at": f"{began}T00:00:00Z"} if began else {}),
                "close_date": None if closed is None else str(closed),
                "tags": [regions[row["sales_agent"]]],
                **({"closed_at": f"{closed}T00:00:00Z"} if closed else {}),
                **({"lost_reason": "not given"} if step == "Lost" else {}),
            }
        )
    assert len(await batches(api, "deals", deals)) == 8_800
    return Imported(api, pipeline["id"], agents)


def account(row: dict[str, str]) -> dict[str, Any]:
    """One account; revenue comes in millions of dollars."""
    return {
        "name": row["account"],
        "industry": row["sector"],
        "annual_revenue": f"{float(row['revenue']) * 1_000_000:.2f}",
        "employees": int(row["employees"]),
        "billing_address": {"country": row["office_location"]},
        "external_ids": {"crm_sales": row["account"]},
    }
