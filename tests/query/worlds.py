"""Small random organisations: records of several objects with every kind of field, links, nulls, odd letters."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.api import Api
from tests.query.model import World

ZONE = ZoneInfo("Europe/Berlin")
WORDS = (
    "Acme",
    "ACME",
    "acmé",
    "Straße",
    "STRASSE",
    "Jean-Luc",
    "O'Neill",
    "50%",
    "a_b",
    "a\\b",
    "ﬁn",
    "Ångström",
    "x",
    "日本",
    "Ada",
    "ada king",
    "Σίσυφος",
    "ΣΊΣΥΦΟΣ",
    "  gap ",
    "zz",
)
"""Letters that fold together, and characters that mean something to LIKE."""

TAGS = ("vip", "VIP", "new lead", "a,b", "Ä")
NUMBERS = ("+49 30 1234567", "+49 (40) 765-4321", "+1 212 555 0100", "+12125550199")
ROLES = ("decision_maker", "user", "influencer")


def some(rnd: Random, values: Any, nothing: float = 0.3) -> Any:
    return None if rnd.random() < nothing else rnd.choice(values)


def text(rnd: Random) -> str:
    return " ".join(rnd.choice(WORDS) for _ in range(rnd.randint(1, 2))).strip()


def day(rnd: Random) -> str:
    today = datetime.now(UTC).date()
    return (today + timedelta(days=rnd.choice((-800, -400, -95, -40, -31, -29, -8, -3, -1, 0, 1, 3, 8, 40, 400)))).isoformat()


async def batch(api: Api, name: str, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    answer = await api.ok("POST", f"/v1/{name}/batch/create?allow_duplicates=true", json={"mode": "atomic", "items": bodies})
    return [result["record"] for result in answer["results"]]


async def make_world(api: Api, seed: int) -> World:
    """Fills the caller's organisation."""
    rnd = Random(seed)
    accounts = await batch(api, "accounts", [_account(rnd, i, seed) for i in range(14)])
    for account in rnd.sample(accounts, 6):
        await api.change(account, parent_id=rnd.choice(accounts[:3])["id"] if account not in accounts[:3] else None)
    stages = await api.all("/v1/stages")
    lifecycle = [stage["key"] for stage in await api.all("/v1/lifecycle_stages", sort="position")]
    contacts = await batch(api, "contacts", [_contact(rnd, i, accounts, lifecycle) for i in range(32)])
    deals = await batch(api, "deals", [_deal(rnd, accounts, stages) for i in range(24)])
    for deal in deals:
        chosen = rnd.sample(contacts, rnd.randint(0, 3))
        if chosen:
            items = [{"id": c["id"], "roles": rnd.sample(ROLES, rnd.randint(0, 2))} for c in chosen]
            await api.ok("POST", f"/v1/deals/{deal['id']}/links/contacts/batch/put", json={"items": items})
    await batch(api, "notes", [{"title": some(rnd, WORDS), "body": _body(rnd)} for _ in range(12)])
    for gone in [*rnd.sample(accounts, 2), *rnd.sample(contacts, 3), *rnd.sample(deals, 2)]:
        await api.ok("DELETE", f"/v1/{gone['object']}/{gone['id']}?on_children=detach")
    return await look(api)


async def look(api: Api) -> World:
    """The organisation as it is now."""
    names = ("accounts", "contacts", "deals", "stages", "notes")
    records = {name: {record["id"]: record for record in await api.all(f"/v1/{name}")} for name in names}
    links = []
    for relation in ("deals.contacts", "contacts.accounts"):
        links += [item.get("link", item) for item in await api.all("/v1/links", relation=relation)]
    lifecycle = [stage["key"] for stage in await api.all("/v1/lifecycle_stages", sort="position")]
    positions = {
        "contacts.lifecycle_stage": lifecycle,
        "contacts.rating": ["hot", "warm", "cold"],
        "contacts.kind": ["person", "organization"],
        "deals.status": ["open", "won", "lost"],
    }
    return World(records, links, ZONE, datetime.now(UTC), positions)


def _account(rnd: Random, index: int, seed: int) -> dict[str, Any]:
    return {
        "name": text(rnd),
        "domain": some(rnd, (f"a{index}.example", f"Www.B{index}.example")),
        "website": some(rnd, ("https://acme.example/A", "https://b.example/?q=50%25")),
        "industry": some(rnd, ("SaaS", "saas", "Retail", "Bänke", "%")),
        "employees": some(rnd, (0, 1, 50, 50, 1000)),
        "annual_revenue": some(rnd, ("0.00", "10.50", "10.50", "-3.00", "99999999999.99")),
        "type": some(rnd, WORDS),
        "billing_address": some(rnd, ({"city": "Köln", "country": "DE"}, {"city": "koln"}, {"country": "FR"})),
        "description": some(rnd, (" ".join(WORDS), "Nothing of note: 100 % Ökostrom", "short")),
        "tags": rnd.sample(TAGS, rnd.randint(0, 2)),
        "external_ids": {"erp": f"E{index}"} if rnd.random() < 0.6 else {},
    }


def _contact(rnd: Random, index: int, accounts: list[Any], lifecycle: list[str]) -> dict[str, Any]:
    return {
        "kind": rnd.choice(("person", "person", "organization")),
        "first_name": some(rnd, WORDS),
        "last_name": text(rnd),
        "email": some(rnd, (f"Ada{index}@Acme.example", f"x.y_{index}@b-{index}.example")),
        "phone": some(rnd, NUMBERS),
        "title": some(rnd, WORDS, 0.5),
        "account_id": some(rnd, [account["id"] for account in accounts]),
        "lifecycle_stage": some(rnd, lifecycle),
        "rating": some(rnd, ("hot", "warm", "cold")),
        "birthdate": some(rnd, [date(1980, 2, 29).isoformat(), day(rnd), day(rnd)]),
        "email_opt_out": rnd.random() < 0.3,
        "description": some(rnd, ("Prefers mornings. Straße 5", "ÉCOLE normale", "x")),
        "tags": rnd.sample(TAGS, rnd.randint(0, 3)),
    }


def _deal(rnd: Random, accounts: list[Any], stages: list[Any]) -> dict[str, Any]:
    stage = rnd.choice([stage for stage in stages if stage["category"] != "lost"])
    return {
        "name": text(rnd),
        "account_id": some(rnd, [account["id"] for account in accounts]),
        "stage_id": stage["id"],
        "amount": some(rnd, ("0.00", "100.10", "100.10", "2500.00")),
        "close_date": some(rnd, (day(rnd), day(rnd), day(rnd))),
        "next_step": some(rnd, WORDS),
        "description": some(rnd, (" ".join(WORDS[:5]), "call again")),
        "tags": rnd.sample(TAGS, rnd.randint(0, 2)),
    }


def _body(rnd: Random) -> dict[str, str]:
    if rnd.random() < 0.5:
        return {"format": "html", "content": f"<p>{rnd.choice(('Grüße', 'Ring back', 'Ökostrom'))}</p><p>twice</p>"}
    return {"format": "text", "content": rnd.choice(("Grusse an alle", "RING BACK now", "50% off_now"))}
