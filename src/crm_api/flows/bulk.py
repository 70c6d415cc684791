"""One change for many records: what is asked, which records that means, and doing it to some of them.

Every record goes through the writer like any other write: the same rules, versions and events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast
from uuid import UUID

import structlog

from crm_api.core.errors import FieldError, FieldReadOnly, InternalError, InvalidValue, Problem, invalid_input
from crm_api.db.errors import classify
from crm_api.kernel.context import Context
from crm_api.kernel.custom import writing as custom
from crm_api.kernel.engine import Engine
from crm_api.kernel.query.compiler import ReadCompiler
from crm_api.kernel.query.request import ReadRequest
from crm_api.kernel.resource import AnyResource, Draft
from crm_api.kernel.writes.locked import lock
from crm_api.kernel.writes.prepare import read_body
from crm_api.kernel.writes.shape import shape_of
from crm_api.kernel.writes.types import OnChildren, Outcome, Patch, Target, WriteOptions
from crm_api.models.columns import FieldType

Action = Literal["update", "delete", "restore", "transfer", "tag", "untag"]
ACTIONS: Final[tuple[Action, ...]] = ("update", "delete", "restore", "transfer", "tag", "untag")
MAX_RECORDS: Final = 100_000
"""Records of one job."""

PERMISSIONS: Final[Mapping[Action, str]] = {
    "update": "update", "transfer": "transfer", "tag": "update", "untag": "update", "delete": "delete", "restore": "delete",
}  # fmt: skip
_ONLY: Final[Mapping[Action, str]] = {"transfer": "owner_id", "tag": "tags", "untag": "tags"}

log = structlog.get_logger("crm_api.bulk")


@dataclass(frozen=True, slots=True)
class Bulk:
    """What to do. `values` is the merge patch for `update`, `{"owner_id"}` for `transfer`, `{"tags"}` for `tag` and `untag`."""

    object: str
    action: Action
    values: Mapping[str, Any]
    on_children: OnChildren = "block"

    def json(self) -> dict[str, Any]:
        """The part of a job's `request` that says what is done."""
        found: dict[str, Any] = {"object": self.object, "action": self.action, "set": dict(self.values)}
        return {**found, "on_children": self.on_children} if self.action == "delete" else found

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Bulk:
        """The same, out of a stored job."""
        return cls(request["object"], request["action"], request["set"], request.get("on_children", "block"))


def check_values(context: Context, resource: AnyResource, action: Action, values: Any) -> list[FieldError]:
    """Everything that is wrong with `set` whatever the record, so that a job does not fail a thousand times for one mistake."""
    if action in ("delete", "restore"):
        return [] if values in (None, {}) else [InvalidValue("invalid_combination", other=f"action={action}").at(pointer="/set")]
    if not isinstance(values, dict) or not values:
        return [InvalidValue("required" if values in (None, {}) else "type", expected="object").at(pointer="/set")]
    only = _ONLY.get(action)
    if only is not None:
        unknown = [InvalidValue("unknown_field", allowed=[only]).at(pointer=f"/set/{name}") for name in values if name != only]
        if unknown or only not in values:
            return unknown or [InvalidValue("required").at(pointer=f"/set/{only}")]
    errors: list[FieldError] = []
    try:
        given = read_body(context, resource, resource.update, values, errors, creating=False)
    except FieldReadOnly as problem:
        raise FieldReadOnly([error.under("/set") for error in problem.errors]) from None
    if not errors and given.get(custom.COLUMN):
        errors += _custom_errors(context, resource, given[custom.COLUMN])
    if only == "tags" and not errors and not values["tags"]:
        errors.append(InvalidValue("min_items", min_items=1).at(pointer="/tags"))
    return [error.under("/set") for error in errors]


def _custom_errors(context: Context, resource: AnyResource, members: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with values of custom fields. Amounts are left out: how many decimals they may have is up to each record."""
    amounts = {f.member for f in resource.custom.values() if f.type is FieldType.CURRENCY and f.spec.base_of is None}
    draft = Draft(UUID(int=0), "update", None, {custom.COLUMN: {}})
    organization = context.principal.organization
    chosen = {name: value for name, value in members.items() if name not in amounts}
    custom.merge(resource, draft, chosen, currency=organization.currency, region=organization.region)
    return draft.errors


async def matching(context: Context, request: ReadRequest) -> list[UUID]:
    """The ids of the records that a filter matches and the caller may see, in their order; one more than `MAX_RECORDS` at most."""
    plan = replace(request.plan, sort=())
    statement = context.statements.get(
        ("matching", context.registry.key, context.policy.shape, plan),
        lambda: _compiler(context).matching_ids(plan, MAX_RECORDS + 1),
    )
    return [row["id"] for row in await context.uow.fetch(statement, _arguments(context, request.values))]


async def counted(context: Context, request: ReadRequest) -> int:
    """How many records a filter matches."""
    plan = replace(request.plan, sort=())
    statement = context.statements.get(
        ("counted", context.registry.key, context.policy.shape, plan), lambda: _compiler(context).counted(plan)
    )
    found: int = await context.uow.fetch_value(statement, _arguments(context, request.values))
    return found


def _compiler(context: Context) -> ReadCompiler:
    return ReadCompiler(context.registry, context.policy)


def _arguments(context: Context, values: Sequence[Any]) -> dict[str, Any]:
    who = {"org_id": context.uow.org_id, **context.policy.values}
    return {**who, **{f"v{index}": value for index, value in enumerate(values)}}


@dataclass(frozen=True, slots=True)
class Done:
    """What became of some records: how many of each outcome, and the problems by their place among them."""

    outcomes: Counter[str]
    problems: dict[int, Problem]


async def perform(context: Context, engine: Engine, bulk: Bulk, ids: Sequence[UUID]) -> Done:
    """Does it to these records, each on its own: one that can't be changed keeps no other from it.

    Raises only what another attempt may cure (a broken connection, a deadlock).
    """
    try:
        async with context.uow.savepoint():
            return _done(await _write(context, engine, bulk, ids))
    except Exception as error:
        if classify(error).kind in ("retry", "unavailable"):
            raise
        if len(ids) == 1:
            if not isinstance(error, Problem):
                log.error("bulk_record_failed", object=bulk.object, record=str(ids[0]), error=repr(error))
            return Done(Counter(), {0: error if isinstance(error, Problem) else InternalError()})
    # Something about one of them is beyond what items report: find out which.
    outcomes: Counter[str] = Counter()
    problems: dict[int, Problem] = {}
    for index, record_id in enumerate(ids):
        one = await perform(context, engine, bulk, [record_id])
        outcomes += one.outcomes
        if one.problems:
            problems[index] = one.problems[0]
    return Done(outcomes, problems)


def _done(outcomes: Sequence[Outcome]) -> Done:
    counts = Counter(outcome.outcome for outcome in outcomes if outcome.problem is None)
    return Done(Counter(counts), {outcome.index: outcome.problem for outcome in outcomes if outcome.problem is not None})


async def _write(context: Context, engine: Engine, bulk: Bulk, ids: Sequence[UUID]) -> list[Outcome]:
    writer, resource = engine.writer, context.registry[bulk.object]
    options = WriteOptions(atomic=False, on_children=bulk.on_children)
    if bulk.action == "delete":
        return await writer.delete(context, resource, [Target(id_) for id_ in ids], options=options)
    if bulk.action == "restore":
        return await writer.restore(context, resource, [Target(id_) for id_ in ids], options=options)
    if bulk.action in ("tag", "untag"):
        return await writer.update(context, resource, await _tag_patches(context, resource, bulk, ids), options=options)
    return await writer.update(context, resource, [Patch(id_, bulk.values) for id_ in ids], options=options)


async def _tag_patches(context: Context, resource: AnyResource, bulk: Bulk, ids: Sequence[UUID]) -> list[Patch]:
    """Each record's tags with some more or fewer, read under the lock that the update holds."""
    rows = await lock(context, shape_of(context, resource), ids)
    named = [tag.strip() for tag in cast(list[str], bulk.values["tags"])]
    patches = []
    for id_ in ids:
        present: list[str] = rows[id_]["tags"] if id_ in rows else []
        kept = present if bulk.action == "tag" else [tag for tag in present if tag not in named]
        added = [tag for tag in named if tag not in present] if bulk.action == "tag" else []
        patches.append(Patch(id_, {"tags": [*kept, *added]}))
    return patches


def refuse(errors: Sequence[FieldError]) -> None:
    """Raises the problem of a body's mistakes, if there are any."""
    if errors:
        raise invalid_input(errors)
