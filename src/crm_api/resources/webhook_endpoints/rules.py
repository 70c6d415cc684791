"""What is special about writing endpoints: what they may ask for, whose eyes they see with, and what workers have to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from crm_api.core.errors import FieldError, Forbidden, InvalidValue, LimitExceeded, join_pointer
from crm_api.core.webhook_signing import SigningKey
from crm_api.kernel import events
from crm_api.kernel.context import Context
from crm_api.kernel.event_filter import EventFilterParser
from crm_api.kernel.event_query import type_patterns
from crm_api.kernel.journal import number
from crm_api.kernel.locks import serialize
from crm_api.kernel.once import show_once
from crm_api.kernel.presentation import locale_of, refuse_unless
from crm_api.kernel.resource import Draft, Row, Rules
from crm_api.resources.webhook_endpoints import secrets, standing

MASK: Final = "********"
"""How the text begins that stands in place of a header's value."""

MAX_ENDPOINTS: Final = 100
MAX_FILTERS_BYTES: Final = 32_000

_OURS: Final = frozenset(
    {
        "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "upgrade", "te", "trailer",
        "expect", "keep-alive", "user-agent", "accept", "accept-encoding", "proxy-authorization", "webhook-id", "webhook-timestamp",
        "webhook-signature",
    }
)  # fmt: skip
"""Headers that make the request what it is."""

_REACHING: Final = ("url", "event_types", "filters", "payload", "headers", "exclude_own")
"""Fields that decide who is told what."""

_VALUES: Final = "webhook_endpoints.header_values"


def visible(row: sa.FromClause, caller: sa.ColumnElement[UUID], app: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
    """An app sees the endpoints that it made itself; people see all."""
    return sa.or_(app.is_(None), sa.func.coalesce(row.c.app_id == app, sa.false()))


def seen(row: Row, caller: UUID, app: UUID | None) -> bool:
    """The same for an endpoint that has been read."""
    return app is None or row["app_id"] == app


class WebhookEndpointRules(Rules):
    """An endpoint asks for what there is, belongs to whoever made it, and is told no more than they may read."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks address, types, filters and headers; says with whose rights a new endpoint sees the journal."""
        room = await _room(context, drafts)
        for draft in drafts:
            row = draft.new
            if draft.old is None or draft.operation == "restore":
                room -= 1
                if room < 0:
                    draft.problem = LimitExceeded("webhook_endpoints", MAX_ENDPOINTS, MAX_ENDPOINTS - room)
                    continue
            if draft.old is None:
                _belong(context, draft)
            elif not may_aim(context, row) and (draft.operation == "restore" or any(map(draft.changed, (*_REACHING, "status")))):
                draft.problem = Forbidden("Only who made this endpoint, or an administrator, may change what it is told and where.")
                continue
            if draft.changed("url"):
                await _check_url(context, draft)
            if draft.changed("event_types"):
                _check_types(context, draft)
            if draft.changed("filters"):
                _check_filters(context, draft)
            if row["headers"] is not None and draft.changed("headers"):
                _keep_headers(context, draft)
            fifo = row["ordering"] == "fifo"
            refuse_unless(draft, "batch", fifo, "ordering=none")
            if fifo and row["debounce_s"] and (draft.changed("debounce_s") or draft.changed("ordering")):
                draft.fail("debounce_s", "invalid_combination", other="ordering=fifo")
            if draft.changed("status"):
                off = row["status"] == "disabled"
                row["disabled_reason"] = (row["disabled_reason"] or "manual") if off else None
                row["disabled_at"] = context.uow.clock.now() if off else None

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Gives new endpoints a key, and tells the workers."""
        uow = context.uow
        head: int | None = None
        for draft in drafts:
            was_off = draft.old is not None and draft.old["status"] == "disabled"
            on = draft.operation == "restore" or (was_off and draft.new["status"] != "disabled")
            if draft.old is None or on:
                head = (await number(uow)).head if head is None else head
            if draft.old is None:
                assert head is not None
                key = SigningKey.new()
                await secrets.add_key(context, draft.id, key)
                show_once(uow, draft.id, "secret", key.text)
                await standing.begin(uow, draft.id, head)
            elif on:
                assert head is not None
                await standing.begin_afresh(uow, draft.id, head)
            off = draft.new["status"] == "disabled"
            if draft.old is not None and draft.operation == "update" and off != was_off:
                events.mark(context, draft.id, "disabled" if off else "enabled", ())
            await _store_headers(context, draft)
        await standing.wake(uow, [draft.id for draft in drafts if draft.old is not None])


async def _room(context: Context, drafts: Sequence[Draft]) -> int:
    """How many more endpoints the organisation may have; two who make the last one at a time wait for each other."""
    if not any(draft.old is None or draft.operation == "restore" for draft in drafts):
        return 0
    await serialize(context, "webhook_endpoints")
    return MAX_ENDPOINTS - await standing.count(context.uow)


def _belong(context: Context, draft: Draft) -> None:
    """An endpoint that an app makes is its grant's; one that an administrator makes is the organisation's; others are the user's."""
    principal, row = context.principal, draft.new
    row["scopes"] = sorted(principal.scopes)
    row["token_id"] = principal.token_id
    row["api_version"] = row["api_version"] or principal.api_version
    if principal.token_fields is not None:
        row["token_fields"] = {name: sorted(fields) for name, fields in principal.token_fields.items()}
    if principal.app_id is not None:
        row.update(acts_as="grant", app_id=principal.app_id, grant_id=principal.token_id, acting_user_id=principal.user_id)
    elif principal.administers and principal.rights.everything and principal.token_fields is None:
        row.update(acts_as="organization")
    else:
        row.update(acts_as="user", acting_user_id=principal.user_id)


def may_aim(context: Context, row: Row) -> bool:
    """Whether the caller may decide what an endpoint is told: who could read all of it anyway."""
    principal = context.principal
    if principal.administers and principal.rights.everything and principal.token_fields is None:
        return True
    if row["acts_as"] == "grant":
        return bool(row["grant_id"] == principal.token_id)
    return row["acts_as"] == "user" and row["acting_user_id"] == principal.user_id and set(row["scopes"]) <= principal.scopes


async def _check_url(context: Context, draft: Draft) -> None:
    try:
        await context.egress.check_url(draft.new["url"])
    except InvalidValue as error:
        draft.errors.append(error.at(pointer="/url"))


def _check_types(context: Context, draft: Draft) -> None:
    for index, name in enumerate(draft.new["event_types"]):
        try:
            type_patterns(context.registry, [name])
        except InvalidValue as error:
            draft.errors.append(error.at(pointer=join_pointer("event_types", index)))


def _check_filters(context: Context, draft: Draft) -> None:
    if len(orjson.dumps(draft.new["filters"])) > MAX_FILTERS_BYTES:
        draft.fail("filters", "max_length", max_length=MAX_FILTERS_BYTES)
        return
    for index, entry in enumerate(draft.new["filters"]):
        resource = context.registry.get(entry["object"])
        if resource is None:
            allowed = [found.name for found in context.registry]
            draft.errors.append(FieldError("enum", pointer=join_pointer("filters", index, "object"), allowed=allowed))
            continue
        parser = EventFilterParser(context.registry, locale_of(context), "body")
        parser.tree(entry["filter"], resource, {"pointer": join_pointer("filters", index, "filter")})
        draft.errors += [*parser.unknown, *parser.errors]


def _keep_headers(context: Context, draft: Draft) -> None:
    """Takes the values out of the record, into what `after_write` seals."""
    known = (draft.old or {}).get("headers") or {}
    values: dict[str, str] = {}
    lowered: set[str] = set()
    for name, value in draft.new["headers"].items():
        if name.lower() in _OURS:
            draft.errors.append(FieldError("reserved_name", pointer=join_pointer("headers", name)))
        elif name.lower() in lowered:
            draft.errors.append(FieldError("repeated_item", pointer=join_pointer("headers", name)))
        elif not value.startswith(MASK):
            values[name] = value
        elif name not in known:
            draft.errors.append(FieldError("required", pointer=join_pointer("headers", name)))
        lowered.add(name.lower())
    # A new value shows as one, by characters that say nothing about it: else there would be no change to be stored.
    draft.new["headers"] = {name: MASK + token_hex(2) if name in values else known.get(name, MASK) for name in draft.new["headers"]}
    context.uow.state.setdefault(_VALUES, {})[draft.id] = values


async def _store_headers(context: Context, draft: Draft) -> None:
    values: dict[str, str] = context.uow.state.get(_VALUES, {}).pop(draft.id, {})
    before: dict[str, Any] = (draft.old or {}).get("headers") or {}
    gone = [name for name in before if name not in (draft.new["headers"] or {})]
    await secrets.put_headers(context, draft.id, values, gone)
