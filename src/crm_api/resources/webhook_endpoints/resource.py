"""Webhook endpoints: where the organisation's events are sent."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Private, Resource
from crm_api.models.webhooks import WebhookEndpoint
from crm_api.resources.webhook_endpoints.rules import WebhookEndpointRules, seen, visible
from crm_api.resources.webhook_endpoints.schemas import WebhookEndpointCreate, WebhookEndpointRead, WebhookEndpointUpdate

webhook_endpoints = Resource[WebhookEndpoint, WebhookEndpointCreate, WebhookEndpointUpdate, WebhookEndpointRead](
    name="webhook_endpoints",
    singular="webhook_endpoint",
    model=WebhookEndpoint,
    create=WebhookEndpointCreate,
    update=WebhookEndpointUpdate,
    read=WebhookEndpointRead,
    display=lambda row: row["url"],
    description="Addresses that events are sent to as they happen, signed, until they have arrived. An app sees only its own.",
    example={"url": "https://example.com/hooks/crm", "event_types": ["contact.*", "deal.updated"]},
    search=("url", "description"),
    rules=WebhookEndpointRules(),
    verbs=ALL_VERBS - {"merge"},
    sharing="none",
    private=Private(visible, seen),
    paths_in={"filters": "filters"},
    shown_once={
        "secret": "Only in the answer that made the endpoint: the key its requests are signed with, as libraries of Standard Webhooks take "
        "it. Null in a repeated answer and in one with `dry_run`; `GET …/{id}/secret` shows it again.",
    },
)
