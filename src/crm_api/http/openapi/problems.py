"""`components.responses`: one answer for each status of an error, with the codes that it can carry."""

from __future__ import annotations

from typing import Any, Final

from crm_api.core.errors import PROBLEMS
from crm_api.core.messages import field_message
from crm_api.http.openapi.parameters import HEADER_REF, headers
from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.shared import ref
from crm_api.http.problems import MEDIA_TYPE

RESPONSE_REF: Final = "#/components/responses/"
NAMES: Final = {
    400: "BadRequest",
    401: "Unauthenticated",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Gone",
    412: "VersionConflict",
    413: "PayloadTooLarge",
    414: "UriTooLong",
    415: "UnsupportedMediaType",
    422: "InvalidInput",
    423: "Locked",
    428: "PreconditionRequired",
    429: "RateLimited",
    500: "InternalError",
    503: "Unavailable",
}
ALWAYS: Final = (400, 401, 403, 406, 414, 429, 500, 503)
"""What any authenticated route can answer."""
PUBLIC: Final = (400, 414, 500)
WITH_BODY: Final = (413, 415, 422)

_INSTANCE: Final = "01976f6e-8a00-7000-8000-00000000000f"
_RECORD: Final = "01976f6e-8a00-7000-8000-000000000001"
_MORE: Final[dict[str, dict[str, Any]]] = {
    "bad_request": {"errors": [{"parameter": "limit", "code": "max", "params": {"max": 200}}]},
    "unknown_parameter": {"errors": [{"parameter": "emial", "code": "unknown_parameter", "allowed": ["email", "first_name"]}]},
    "invalid_cursor": {"errors": [{"parameter": "cursor", "code": "invalid_cursor", "params": {"reason": "mismatch"}}]},
    "insufficient_scope": {"required_scopes": ["contacts:write"]},
    "limit_exceeded": {"limit": "records", "max": 100000, "actual": 100001},
    "duplicate": {
        "errors": [{"pointer": "/email", "code": "duplicate"}],
        "existing": [{"object": "contacts", "id": _RECORD, "field": "email"}],
    },
    "possible_duplicate": {"duplicates": [{"object": "contacts", "id": _RECORD, "score": 0.92, "matched_on": ["last_name", "phone"]}]},
    "merged": {"merged_into": _RECORD},
    "selection_changed": {"expected": 12431, "actual": 12434},
    "deleted": {"restorable": True, "merged_into": None},
    "cursor_expired": {"oldest_cursor": "AZk1Zm9vYmFy"},
    "version_conflict": {
        "version": 9,
        "conflicts": [{"field": "title", "base": "CTO", "yours": "CEO", "theirs": "CFO", "actor": None, "occurred_at": None}],
        "record": None,
    },
    "payload_too_large": {"limit": "body", "max": 5000000},
    "uri_too_long": {"limit": "url", "max": 8192},
    "validation_failed": {"errors": [{"pointer": "/amount", "code": "min", "params": {"min": 0}}]},
    "unresolved_reference": {"errors": [{"pointer": "/account_id", "code": "unresolved_reference"}]},
    "filter_too_complex": {"limit": "filter_conditions", "max": 100, "actual": 120},
    "too_expensive": {"limit": "as_of_days", "max": 30, "actual": 41},
}
_RETRY: Final = frozenset({409, 429, 503})


def problem_example(code: str) -> dict[str, Any]:
    """A problem of this code as it is answered."""
    kind = PROBLEMS[code]
    more = dict(_MORE.get(code, {}))
    body: dict[str, Any] = {
        "type": f"https://crm.example/problems/{code}",
        "title": kind.title,
        "status": kind.status,
        "code": code,
        "detail": kind.description,
        "instance": _INSTANCE,
    }
    if "errors" in more:
        more["errors"] = [{**item, "message": field_message(item["code"], item.get("params"))} for item in more["errors"]]
        place = more["errors"][0]
        body["detail"] = f"{place.get('pointer', place.get('parameter'))}: {place['message']}"
    return body | more


def problem_responses() -> dict[str, Schema]:
    """All answers that are errors."""
    found = {}
    for status, name in NAMES.items():
        codes = [problem for problem in PROBLEMS.values() if problem.status == status]
        own = headers()
        if status in _RETRY:
            own["Retry-After"] = {"$ref": f"{HEADER_REF}RetryAfter"}
        if status in (401, 403):
            own["WWW-Authenticate"] = {"$ref": f"{HEADER_REF}WwwAuthenticate"}
        if status == 405:
            own["Allow"] = {"$ref": f"{HEADER_REF}Allow"}
        if len(codes) == 1:
            text = f"`{codes[0].code}`: {codes[0].title}. {codes[0].description}"
        else:
            text = "One of\n" + "\n".join(f"- `{code.code}`: {code.title}. {code.description}" for code in codes)
        examples = {code.code: {"summary": code.title, "value": problem_example(code.code)} for code in codes}
        found[name] = {"description": text, "headers": own, "content": {MEDIA_TYPE: {"schema": ref("Problem"), "examples": examples}}}
    return found


def error_answers(*statuses: int) -> dict[str, Schema]:
    """References to the answers of these statuses."""
    return {str(status): {"$ref": RESPONSE_REF + NAMES[status]} for status in sorted(set(statuses))}
