"""Retention policies at work: which records are past their time, and what becomes of them, some in each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import NotFound, Problem
from crm_api.core.relative import parse_duration, parse_zone
from crm_api.core.text import fold
from crm_api.db.statement import compile_statement
from crm_api.flows.privacy.people import People
from crm_api.flows.privacy.requests import ERASE, ask
from crm_api.flows.privacy.rewriting import ERASED, KNOWN_BY, blanks, lock_rows, rewrite, sensitivity_of
from crm_api.flows.privacy.work import unlimited
from crm_api.kernel import audit
from crm_api.kernel.context import Context
from crm_api.kernel.fields import Field
from crm_api.kernel.presentation import locale_of
from crm_api.kernel.query.compiler import ReadCompiler
from crm_api.kernel.query.request import search_request
from crm_api.kernel.resource import AnyResource, Row
from crm_api.kernel.timers import set_timers
from crm_api.kernel.writer import Writer
from crm_api.kernel.writes.types import Target, WriteOptions
from crm_api.models.columns import FieldType
from crm_api.resources.retention_policies.rules import RUN

EVERY: Final = timedelta(days=1)
PER_RUN: Final = 200
"""Records of one transaction. Where more are due, the next run follows at once."""

ERASED_PER_RUN: Final = 20
"""People for each of whom a job is made."""

SAMPLE: Final = 20
_POLICIES: Final = "retention_policies"


@dataclass(frozen=True, slots=True)
class Due:
    """Records past their time: how many there are, and the first of them."""

    cutoff: str
    count: int
    ids: Sequence[UUID]


async def due(context: Context, policy: Mapping[str, Any], limit: int) -> Due:
    """The records that a policy is about at present. Raises NotFound if its object is gone, ValidationFailed for a filter or a date
    that means nothing any more."""
    resource = context.registry.get(policy["applies_to"])
    if resource is None:
        raise NotFound("The object of this policy is no longer there.")
    now, zone = context.uow.now, parse_zone(context.principal.organization.time_zone)
    duration = parse_duration(policy["after"])
    field = resource.all_fields.get(policy["date_field"])
    before: Any = duration.before(now, zone)
    cutoff = format_timestamp(before)
    if field is not None and field.type is FieldType.DATE:
        cutoff = duration.date_before(now.astimezone(zone).date()).isoformat()
    tree: dict[str, Any] = {"field": policy["date_field"], "op": "lt", "value": cutoff}
    if policy["filter"] is not None:
        tree = {"and": [tree, policy["filter"]]}
    binned = policy["date_field"] == "deleted_at"
    asked = search_request(context.registry, resource, {"filter": tree, "deleted": "only" if binned else "exclude"}, locale_of(context))
    source, where = ReadCompiler(context.registry, context.policy).scope(replace(asked.plan, sort=()))
    if policy["action"] == "anonymize":
        where = [*where, _telling(resource, source.row)]
    found = sa.select(source.row.c.id).select_from(source.whole).where(*where)
    values = {"org_id": context.uow.org_id, **context.policy.values, **{f"v{index}": value for index, value in enumerate(asked.values)}}
    ids = [
        row["id"]
        for row in await context.uow.fetch(compile_statement(found.order_by(source.row.c.id).limit(sa.literal_column(str(limit)))), values)
    ]
    count = len(ids)
    if count == limit:
        counted = sa.select(sa.func.count()).select_from(found.subquery("m"))
        count = await context.uow.fetch_value(compile_statement(counted), values)
    return Due(cutoff, count, ids)


def _telling(resource: AnyResource, row: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a record still says something personal: what was anonymised is not found again."""
    conditions = [_says(field, row) for field in resource.fields.values() if field.member is None and _counts(resource, field)]
    conditions += [
        row.c.custom_fields.op("?", return_type=sa.Boolean())(sa.literal_column(f"'{field.member}'"))
        for field in resource.custom.values()
        if field.spec.sensitivity != "none"
    ]
    return sa.or_(sa.false(), *conditions)


def _counts(resource: AnyResource, field: Field) -> bool:
    return field.spec.writable != "never" and sensitivity_of(resource, field) != "none"


def _says(field: Field, row: sa.FromClause) -> sa.ColumnElement[bool]:
    column = row.c[field.column]
    if field.type is FieldType.ITEMS:
        return column != sa.literal_column("'[]'::jsonb")
    if field.nullable and field.name != KNOWN_BY:
        return column.is_not(None)
    return sa.and_(column.is_not(None), row.c[field.key] != sa.literal_column(f"'{fold(ERASED)}'"))


async def preview(context: Context, policy: Mapping[str, Any]) -> dict[str, Any]:
    """What the policy would do now."""
    found = await due(context, policy, SAMPLE)
    return {"count": found.count, "cutoff": found.cutoff, "action": policy["action"], "sample": [str(id_) for id_ in found.ids]}


async def run(context: Context, writer: Writer, policy_id: UUID) -> int:
    """Deals with some of what a policy is about, notes it, and sets the time of the next run. How many records that were.

    A policy that is at rest or gone does nothing. Raises what `due` does.
    """
    context = unlimited(context)
    policies = context.whole[_POLICIES]
    policy = (await lock_rows(context, policies, [policy_id])).get(policy_id)
    if policy is None or policy["deleted_at"] is not None or not policy["is_active"]:
        return 0
    limit = ERASED_PER_RUN if policy["action"] == "erase" else PER_RUN
    found = await due(context, policy, limit)
    failed = await _carry_out(context, writer, context.whole[policy["applies_to"]], policy["action"], found.ids)
    again = len(found.ids) == limit and failed < limit and policy["action"] != "erase"
    await set_timers(context.uow, RUN, {policy_id: context.uow.now if again else context.uow.now + EVERY})
    count = len(found.ids) - failed
    await writer.update_rows(context, policies, {policy_id: {"last_run_at": context.uow.now, "last_run_count": count}})
    if found.ids:
        details = {"action": policy["action"], "applies_to": policy["applies_to"], "cutoff": found.cutoff, "count": count, "failed": failed}
        audit.record(context, "retention.run", object=_POLICIES, record_id=policy_id, details=details)
    return count


async def _carry_out(context: Context, writer: Writer, resource: AnyResource, action: str, ids: Sequence[UUID]) -> int:
    """Does it to these records; how many could not be dealt with."""
    if action == "erase":
        for id_ in ids:
            people = People(contacts={id_}) if resource.name == "contacts" else People(leads={id_})
            await ask(context, ERASE, people, ["email"], suppress=False, dry_run=False)
        return 0
    if action == "anonymize":
        rows: dict[UUID, Row] = await lock_rows(context, resource, ids)
        await rewrite(context, writer, resource, rows, {id_: blanks(resource, row) for id_, row in rows.items()})
        return 0
    options = WriteOptions(atomic=False, on_children="detach", purge=action == "purge")
    failed = 0
    try:
        async with context.uow.savepoint():
            outcomes = await writer.delete(context, resource, [Target(id_) for id_ in ids], options=options)
        return len([outcome for outcome in outcomes if outcome.problem is not None])
    except Problem:  # of one of them: the others are not to wait for it
        for id_ in ids:
            try:
                async with context.uow.savepoint():
                    await writer.delete(context, resource, [Target(id_)], options=replace(options, atomic=True))
            except Problem:
                failed += 1
        return failed
