"""The demonstration organisation: sixty days of a small sales team's work, written through the kernel at the time it happened."""

from __future__ import annotations

import secrets
from datetime import datetime, time, timedelta
from typing import Final, TypedDict
from uuid import UUID

import sqlalchemy as sa

from crm_api.core.clock import Clock, FixedClock
from crm_api.db.engine import Database
from crm_api.db.statement import Statement, compile_statement
from crm_api.db.uow import Actor
from crm_api.flows.demo_plan import DAYS, Day, Plan
from crm_api.flows.organizations import SYSTEM_CLOCK, create_organization, create_user, system_context
from crm_api.kernel.context import Context
from crm_api.kernel.links import LinkPut, Links
from crm_api.kernel.locks import ORG
from crm_api.kernel.writer import Patch, Writer
from crm_api.models.sales import Stage

ADMIN: Final = ("demo@crm.example", "Dana Demo")
TEAM: Final = (("ines@crm.example", "Ines Keller"), ("omar@crm.example", "Omar Haddad"), ("petra@crm.example", "Petra Novak"))
_WRITER: Final = Writer()
_LINKS: Final = Links(_WRITER)
_HAS_PASSWORD: Final = Statement("SELECT 1 FROM users u JOIN credentials c ON c.user_id = u.id WHERE u.email_key = $1", ("key",))
_STAGES: Final = compile_statement(sa.select(Stage.id, Stage.name).where(Stage.org_id == ORG))


class Demonstration(TypedDict):
    """What was made: ids as texts, a token with scope `admin`, and how many records there are of each object.

    `password` is the one with which `email` signs in, shown this once; null where that person had one before.
    """

    org_id: str
    user_id: str
    email: str
    password: str | None
    token: str
    url: str
    records: dict[str, int]


async def load_demo(database: Database, *, base_url: str = "", clock: Clock = SYSTEM_CLOCK) -> Demonstration:
    """Makes another demonstration organisation. Its records have the same ids and values in each, but for dates, which end today."""
    now = clock.now()
    start = datetime.combine(now.date() - timedelta(days=DAYS), time(8), now.tzinfo)
    past = FixedClock(start)
    # A new one each time: a demonstration may stand on a server that others reach.
    async with database.connection() as connection:
        known = await connection.fetch_row(_HAS_PASSWORD, {"key": ADMIN[0]})
    password = None if known is not None else secrets.token_urlsafe(12)
    made = await create_organization(
        database,
        name="Demonstration",
        admin_email=ADMIN[0],
        admin_password=password,
        admin_name=ADMIN[1],
        currency="EUR",
        region="DE",
        time_zone="Europe/Berlin",
        clock=past,
    )
    org_id, admin = UUID(made["org_id"]), UUID(made["user_id"])
    team = [await create_user(database, org_id=org_id, email=email, name=name, clock=past) for email, name in TEAM]
    async with system_context(database, org_id, past, user_id=admin) as context:
        stages = await _stages(context)
    records: dict[str, int] = {}
    for number, day in enumerate(Plan(now.date(), team, stages).days):
        past.advance(start + timedelta(days=number, hours=1) - past.now())
        if past.now() > now:
            past.advance(now - past.now())
        await _live(database, org_id, admin, past, day, records)
    return {
        "org_id": made["org_id"],
        "user_id": made["user_id"],
        "email": ADMIN[0],
        "password": password,
        "token": made["token"],
        "url": base_url,
        "records": records,
    }


async def _live(database: Database, org_id: UUID, admin: UUID, clock: FixedClock, day: Day, records: dict[str, int]) -> None:
    """Writes one day: what is new in the morning, changes at noon, comments after that."""
    actor = Actor("user", admin)
    async with system_context(database, org_id, clock, user_id=admin, actor=actor) as context:
        for name in ("accounts", "contacts", "leads", "deals", "cases", "tasks", "notes"):
            bodies = day.creates[name]
            if bodies:
                await _WRITER.create(context, context.whole[name], bodies)
                records[name] = records.get(name, 0) + len(bodies)
        for source, relation, from_id, to_id, attributes in day.links:
            await _LINKS.put(context, context.whole.edges[source][relation], from_id, [LinkPut(to_id, attributes)])
    clock.advance(timedelta(hours=4))
    async with system_context(database, org_id, clock, user_id=admin, actor=actor) as context:
        for name, id, body in day.updates:
            await _WRITER.update(context, context.whole[name], [Patch(id, body)])
    if day.comments:
        clock.advance(timedelta(hours=2))
        async with system_context(database, org_id, clock, user_id=admin, actor=actor) as context:
            await _WRITER.create(context, context.whole["case_comments"], day.comments)
        records["case_comments"] = records.get("case_comments", 0) + len(day.comments)


async def _stages(context: Context) -> dict[str, UUID]:
    """The stages of the only pipeline, by name."""
    rows = await context.uow.fetch(_STAGES, {"org_id": context.uow.org_id})
    return {row["name"]: row["id"] for row in rows}
