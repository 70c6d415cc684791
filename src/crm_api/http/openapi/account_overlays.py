"""`/v1/me` and `/v1/limits`: what their answers hold."""

from __future__ import annotations

from typing import Any, Final

from crm_api.http.openapi.overlay import Overlay, answer
from crm_api.http.openapi.parameters import headers, parameter
from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.shared import STRING, UUID, nullable, ref

_A: Final = "01976f6e-8a00-7000-8000-000000000001"
_NUMBER: Final[Schema] = {"type": "integer"}
_ME: Final[dict[str, Any]] = {
    "user": {"object": "users", "id": _A, "name": "Ada King"},
    "org": {
        "id": "01976f6e-8a00-7000-8000-0000000000c0",
        "name": "Acme Corp",
        "environment": "production",
        "outbound": "on",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "locale": "de",
        "region": "DE",
        "fiscal_year": {"start_month": 2, "pattern": "4-4-5", "week_start": "monday", "anchor": "nearest"},
    },
    "token": {
        "id": "01976f6e-8a00-7000-8000-0000000000c1",
        "name": "Billing sync",
        "scopes": ["contacts:write"],
        "app_id": None,
        "expires_at": None,
    },
    "permissions": {"contacts": {"read": True, "write": True, "delete": False, "export": False, "import": False}},
    "settings": {
        "locale": "de-AT",
        "time_zone": "Europe/Vienna",
        "region": "AT",
        "currency": "EUR",
        "date_format": "dd.MM.y",
        "number_format": "1.234,56",
        "first_day_of_week": "monday",
    },
    "schema_version": 1,
    "access_version": 1,
    "events_cursor": "AZk1Zm9vYmFy",
}
_LIMITS: Final[dict[str, Any]] = {
    "rate_limit": {"requests": 600, "window_seconds": 60, "per": "token"},
    "costs": {"read": 1, "write": 1, "batch": "one per 20 items, rounded up", "search_with_q": 2},
    "limits": {"body_bytes": 5000000, "page": 200, "batch_items": 200, "expand_depth": 3},
}


def _object(properties: Schema, description: str, **more: Any) -> Schema:
    return {"type": "object", "description": description, "properties": properties, "required": list(properties), **more}


_SCHEMAS: Final[dict[str, Schema]] = {
    "Me": _object(
        {
            "user": nullable(ref("UserRead")) | {"description": "The member the token acts for; null if the token may not read users."},
            "org": _object(
                {
                    "id": UUID,
                    "name": STRING,
                    "environment": STRING | {"description": "`production` or `sandbox`."},
                    "outbound": STRING | {"description": "Whether webhooks and mail leave it: `on`, or `off` in sandboxes."},
                    "currency": STRING | {"description": "ISO 4217 code of amounts unless a record says otherwise."},
                    "time_zone": STRING | {"description": "IANA name."},
                    "locale": STRING | {"description": "Language and formats."},
                    "region": STRING | {"description": "ISO 3166-1 code for telephone numbers without country code."},
                    "fiscal_year": ref("FiscalYear"),
                },
                "The organisation that everything the token sees belongs to.",
            ),
            "token": _object(
                {
                    "id": UUID,
                    "name": STRING,
                    "scopes": {"type": "array", "items": STRING},
                    "app_id": nullable(UUID),
                    "expires_at": {"type": ["string", "null"], "format": "date-time"},
                },
                "The token of this request.",
            ),
            "permissions": {
                "type": "object",
                "additionalProperties": {"type": "object", "additionalProperties": {"type": "boolean"}},
                "description": "For each object, which actions the token allows.",
            },
            "settings": ref("Effective"),
            "schema_version": _NUMBER | {"description": "Rises when objects or fields change."},
            "access_version": _NUMBER | {"description": "Rises when the caller may see other records than before."},
            "events_cursor": STRING
            | {"description": "Following `GET /v1/events` from here misses nothing that happens after this answer."},
        },
        "The caller.",
    ),
    "Limits": _object(
        {
            "rate_limit": nullable(_object({"requests": _NUMBER, "window_seconds": _NUMBER, "per": STRING}, "What one token may spend."))
            | {"description": "Null if there is none."},
            "costs": {"type": "object", "description": "What calls cost against the rate limit."},
            "limits": {"type": "object", "additionalProperties": {"type": "number"}, "description": "Each limit by name."},
        },
        "Limits and costs.",
    ),
}

ACCOUNT: Final[dict[tuple[str, str], Overlay]] = {
    ("GET", "/v1/me"): Overlay(schemas=_SCHEMAS, answers=answer("200", "The caller.", ref("Me"), _ME)),
    ("GET", "/v1/me/settings"): Overlay(
        errors=(404,),
        parameters=(parameter("IfNoneMatch"),),
        answers={"304": {"description": "The settings are still what `If-None-Match` names.", "headers": headers(ETag="ETag")}},
    ),
    ("PATCH", "/v1/me/settings"): Overlay(scopes=("users:write",), errors=(404, 412), parameters=(parameter("IfMatch"),)),
    ("POST", "/v1/tokens"): Overlay(scopes=("tokens:write",)),
    ("DELETE", "/v1/tokens/{id}"): Overlay(scopes=("tokens:write",)),
    ("POST", "/v1/tokens/{id}/secret/rotate"): Overlay(scopes=("tokens:write",)),
    ("PUT", "/v1/connections/{id}/secret"): Overlay(scopes=("connections:write",)),
    ("DELETE", "/v1/connections/{id}/secret"): Overlay(scopes=("connections:write",)),
    ("POST", "/v1/connections/{id}/test"): Overlay(scopes=("connections:write",), errors=(409, 422)),
    ("GET", "/v1/encryption"): Overlay(scopes=("admin",)),
    ("POST", "/v1/encryption/rotate"): Overlay(scopes=("admin",)),
    ("GET", "/v1/limits"): Overlay(answers=answer("200", "Limits and costs.", ref("Limits"), _LIMITS)),
}
