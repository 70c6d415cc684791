"""Scopes and errors of the routes around webhook endpoints."""

from __future__ import annotations

from typing import Final

from crm_api.http.openapi.overlay import Overlay

_READ: Final = Overlay(scopes=("webhooks:read",), errors=(404,))
_ONE: Final = Overlay(scopes=("webhooks:read",), errors=(404, 410))
_WRITE: Final = Overlay(scopes=("webhooks:write",), errors=(404, 409, 410))

_ENDPOINT: Final = "/v1/webhook_endpoints/{id}"
WEBHOOKS: Final[dict[tuple[str, str], Overlay]] = {
    ("GET", f"{_ENDPOINT}/secret"): Overlay(scopes=("webhooks:write",), errors=(404, 410)),
    ("POST", f"{_ENDPOINT}/secret/rotate"): _WRITE,
    ("POST", f"{_ENDPOINT}/test"): _WRITE,
    ("POST", f"{_ENDPOINT}/replay"): _WRITE,
    ("POST", f"{_ENDPOINT}/cancel-pending"): Overlay(scopes=("webhooks:write",), errors=(404, 410)),
    ("POST", f"{_ENDPOINT}/skip"): _WRITE,
    ("GET", f"{_ENDPOINT}/attempts"): _ONE,
    ("GET", f"{_ENDPOINT}/health"): _ONE,
    ("GET", f"{_ENDPOINT}/stats"): _ONE,
    ("POST", "/v1/events/{id}/deliveries/{endpoint_id}/resend"): _WRITE,
    ("GET", "/v1/webhook_deliveries"): Overlay(scopes=("webhooks:read",)),
    ("GET", "/v1/webhook_deliveries/{id}"): _READ,
    ("GET", "/v1/webhook_deliveries/{id}/attempts"): _READ,
}
