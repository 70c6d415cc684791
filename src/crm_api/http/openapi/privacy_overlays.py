"""What the routes of data protection need, beside what their signatures say."""

from __future__ import annotations

from typing import Final

from crm_api.http.openapi.overlay import Overlay
from crm_api.http.openapi.parameters import STRING, header, headers

_ADMIN: Final = Overlay(scopes=("admin",))
_FILE: Final = Overlay(
    scopes=("admin",),
    parameters=(header("Range", STRING, "Which bytes to send (RFC 9110 14.2).", "bytes=1048576-"),),
    answers={
        "206": {
            "description": "The part that `Range` asks for.",
            "headers": headers(),
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}, "example": "…"}},
        },
        "416": {
            "description": "The file is shorter than `Range` thinks.",
            "headers": headers(),
            "content": {"text/plain": {"schema": STRING, "example": "Range Not Satisfiable"}},
        },
    },
)

PRIVACY: Final[dict[tuple[str, str], Overlay]] = {
    ("POST", "/v1/privacy/export"): _ADMIN,
    ("POST", "/v1/privacy/erase"): _ADMIN,
    ("POST", "/v1/privacy/suppressions/check"): Overlay(scopes=("admin",), errors=(422,)),
    ("POST", "/v1/privacy/suppressions/release"): _ADMIN,
    ("GET", "/v1/files/privacy/{job_id}/export.zip"): _FILE,
    ("GET", "/v1/contacts/{id}/consents"): Overlay(scopes=("contacts:read", "consents:read"), errors=(410,)),
    ("GET", "/v1/leads/{id}/consents"): Overlay(scopes=("leads:read", "consents:read"), errors=(410,)),
    ("POST", "/v1/retention_policies/{id}/preview"): Overlay(scopes=("retention_policies:read",), errors=(410, 422)),
}
