"""Users' steps and one's own account: scopes, errors and headers that signatures don't tell."""

from __future__ import annotations

from typing import Final

from crm_api.http.openapi.operations import content
from crm_api.http.openapi.overlay import Overlay
from crm_api.http.openapi.parameters import headers, parameter
from crm_api.http.openapi.shared import ref

_ANSWER: Final = {"headers": headers(ETag="ETag", X_Outcome="XOutcome", Idempotency_Replayed="IdempotencyReplayed")}
_STEPS: Final = ("activate", "suspend", "reactivate", "resend_invitation")


def _step(scope: str = "users:write") -> Overlay:
    return Overlay(
        scopes=(scope,),
        errors=(404, 410, 412, 423),
        parameters=(parameter("IfMatch"), parameter("Prefer")),
        answers={
            "200": {"description": "The user.", **_ANSWER, "content": content(ref("UserRead"))},
            "204": {"description": "Done; `Prefer: return=minimal` asked for no record.", **_ANSWER},
        },
    )


def _own(*errors: int, action: str = "write") -> Overlay:
    return Overlay(scopes=(f"account:{action}",), errors=errors)


PEOPLE: Final[dict[tuple[str, str], Overlay]] = {
    **{("POST", f"/v1/users/{{id}}/{name}"): _step() for name in _STEPS},
    ("POST", "/v1/users/{id}/reset_totp"): _step("admin"),
    ("POST", "/v1/me/password"): _own(),
    ("GET", "/v1/me/totp"): _own(action="read"),
    ("POST", "/v1/me/totp"): _own(409),
    ("POST", "/v1/me/totp/confirm"): _own(),
    ("POST", "/v1/me/totp/recovery_codes"): _own(404),
    ("POST", "/v1/me/totp/disable"): _own(),
    ("GET", "/v1/me/sessions"): _own(action="read"),
    ("DELETE", "/v1/me/sessions"): _own(),
    ("DELETE", "/v1/me/sessions/{id}"): _own(404),
}
