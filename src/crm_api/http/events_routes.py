"""The routes of the journal."""

from __future__ import annotations

from fastapi import APIRouter

from crm_api.http.events import get_event, list_events
from crm_api.http.stream import stream_events
from crm_api.http.stream_tickets import router as tickets


def build_events_router() -> APIRouter:
    """`/v1/events`, `/v1/events/stream` and `/v1/events/{id}`. Not the kernel's routes: they open their own short transactions."""
    router = APIRouter(tags=["events"])
    for path, endpoint, name in (
        ("/v1/events", list_events, "list_events"),
        ("/v1/events/stream", stream_events, "stream_events"),
        ("/v1/events/{id}", get_event, "get_event"),
    ):
        router.add_api_route(path, endpoint, methods=["GET"], response_model=None, name=name)
    router.include_router(tickets)
    return router
