"""Fields and objects under `/v1/meta`: conditions, entity tags and scopes of their routes."""

from __future__ import annotations

from typing import Final

from crm_api.http.openapi.overlay import Overlay
from crm_api.http.openapi.parameters import headers, parameter

_READ: Final = Overlay(
    scopes=("meta:read",),
    parameters=(parameter("IfNoneMatch"),),
    answers={"304": {"description": "It is still what `If-None-Match` names.", "headers": headers(ETag="ETag")}},
)
_MAKE: Final = Overlay(scopes=("meta:write",), errors=(403, 404, 409, 422))
_CHANGE: Final = Overlay(scopes=("meta:write",), errors=(403, 404, 409, 412, 422), parameters=(parameter("IfMatch"),))

_FIELDS: Final = "/v1/meta/{object}/fields"
_FIELD: Final = f"{_FIELDS}/{{api_name}}"
_OBJECTS: Final = "/v1/meta/objects"
_OBJECT: Final = f"{_OBJECTS}/{{api_name}}"

SCHEMA_OVERLAYS: Final[dict[tuple[str, str], Overlay]] = {
    ("GET", _FIELDS): _READ,
    ("POST", _FIELDS): _MAKE,
    ("GET", _FIELD): _READ,
    ("PATCH", _FIELD): _CHANGE,
    ("DELETE", _FIELD): _CHANGE,
    ("POST", f"{_FIELD}/restore"): _MAKE,
    ("GET", f"{_FIELD}/impact"): _READ,
    ("POST", f"{_FIELD}/options/replace"): _MAKE,
    ("GET", _OBJECTS): _READ,
    ("POST", _OBJECTS): _MAKE,
    ("GET", _OBJECT): _READ,
    ("PATCH", _OBJECT): _CHANGE,
    ("DELETE", _OBJECT): _CHANGE,
    ("POST", f"{_OBJECT}/restore"): _MAKE,
}
