"""Who am I, what are my limits."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request

from crm_api.flows.clock import LONGEST
from crm_api.flows.configuration.document import MAX_ITEMS as CONFIGURATION_ITEMS
from crm_api.flows.configuration.history import KEPT as CONFIGURATION_SNAPSHOTS
from crm_api.flows.event_tickets import MAX_TICKETS
from crm_api.flows.home import MAX_WIDGETS, RECENT
from crm_api.flows.metadata.limits import METADATA_LIMITS
from crm_api.flows.oauth.registry import MOST_APPS
from crm_api.flows.sandboxes.selection import MAX_SAMPLE
from crm_api.flows.sandboxes.service import MAX_SANDBOXES
from crm_api.flows.segments import MAX_MEMBERS
from crm_api.http.connection_test import COST as CONNECTION_TEST
from crm_api.http.preferences import me_org
from crm_api.http.records.batch import MAX_ITEMS
from crm_api.http.routing import KernelRoute
from crm_api.http.services import services_of
from crm_api.http.stream_live import MAX_LIVE
from crm_api.kernel.access.shares import MAX_SHARES
from crm_api.kernel.board import MAX_COLUMNS
from crm_api.kernel.board_move import MAX_RANKED
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.event_consumers import MAX_CONSUMERS
from crm_api.kernel.journal import encode_events_cursor, number
from crm_api.kernel.preferences import preferences_of
from crm_api.kernel.query import plan
from crm_api.kernel.writes.locked import records

router = APIRouter(route_class=KernelRoute)
ACTIONS = ("read", "write", "delete", "export", "import")


@router.get("/v1/me", summary="Who am I", tags=["account"])
async def get_me(context: ContextDep) -> dict[str, Any]:
    """The caller: user, organisation, token, scopes, and where the journal stands.

    A user interface calls this first. `events_cursor` is where to begin following `GET /v1/events` so that nothing after this
    answer is missed.
    """
    principal, organization = context.principal, context.principal.organization
    await context.uow.writable()  # giving journal numbers writes
    head = (await number(context.uow)).head
    user = (await records(context, context.whole["users"], [principal.user_id])).get(principal.user_id)
    return {
        "user": None if user is None else orjson.loads(user),
        "org": me_org(context),
        "token": {
            "id": str(principal.token_id),
            "name": principal.token_name,
            "scopes": sorted(principal.scopes),
            "app_id": None if principal.app_id is None else str(principal.app_id),
            "expires_at": principal.expires_at,
        },
        "permissions": {r.name: {action: principal.may(r.name, action) for action in ACTIONS} for r in context.registry},
        "settings": preferences_of(principal).json(),
        "schema_version": organization.schema_version,
        "access_version": organization.access_version,
        "events_cursor": encode_events_cursor(principal.org_id, head),
    }


@router.get("/v1/limits", summary="Limits and costs", tags=["account"])
async def get_limits(context: ContextDep, request: Request) -> dict[str, Any]:
    """Every limit of the API with its maximum, and what calls cost against the rate limit."""
    settings = services_of(request).settings
    return {
        "rate_limit": None if settings.rate is None else {"requests": settings.rate[0], "window_seconds": settings.rate[1], "per": "token"},
        "costs": {
            "read": 1,
            "write": 1,
            "batch": "one per 20 items, rounded up",
            "search_with_q": 2,
            "composite": "one per operation",
            "connection_test": CONNECTION_TEST,
        },
        "limits": {
            "body_bytes": settings.max_body_bytes,
            "url_bytes": settings.max_url_bytes,
            "json_depth": settings.max_json_depth,
            "answer_bytes": settings.max_answer_bytes,
            "page": plan.MAX_PAGE,
            "journal_page": 1000,
            "batch_items": MAX_ITEMS,
            "composite_operations": 100,
            "filter_conditions": plan.MAX_CONDITIONS,
            "filter_depth": plan.MAX_DEPTH,
            "filter_hops": plan.MAX_HOPS,
            "expand_depth": plan.MAX_EXPAND_DEPTH,
            "expanded_records": plan.MAX_EXPANDED,
            "expanded_rows": 10_000,
            "streams_per_token": settings.streams_per_token,
            "live_queries": MAX_LIVE,
            "event_tickets_per_token": MAX_TICKETS,
            **METADATA_LIMITS,
            "request_seconds": settings.request_timeout_s,
            "idempotency_key_characters": 255,
            "idempotency_hours": 24,
            "view_conditions": plan.MAX_CONDITIONS,
            "board_columns": MAX_COLUMNS,
            "board_unranked_cards": MAX_RANKED,
            "segment_members": MAX_MEMBERS,
            "shares_per_record": MAX_SHARES,
            "recent_records": RECENT,
            "home_widgets": MAX_WIDGETS,
            "sandboxes": MAX_SANDBOXES,
            "oauth_apps": MOST_APPS,
            "sandbox_sample": MAX_SAMPLE,
            "clock_ahead_days": LONGEST.days,
            "event_consumers": MAX_CONSUMERS,
            "configuration_items": CONFIGURATION_ITEMS,
            "configuration_snapshots": CONFIGURATION_SNAPSHOTS,
        },
    }
