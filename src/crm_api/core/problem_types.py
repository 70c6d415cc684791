"""Every problem the API can answer with: its code, HTTP status, title, and whether a retry can help.

The OpenAPI document, `GET /problems/{code}` and the error renderer all read this one table. A code never changes
its meaning or status; new ones may be added (that is an additive change of the contract).
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One row of the table. `retryable` means: the same request, sent again later, may succeed."""

    code: str
    status: int
    title: str
    retryable: bool
    description: str


def _table(*rows: tuple[int, str, str, bool, str]) -> dict[str, ProblemType]:
    return {code: ProblemType(code, status, title, retryable, text) for status, code, title, retryable, text in rows}


# fmt: off
PROBLEMS: Final[dict[str, ProblemType]] = _table(
    (400, "bad_request", "The request could not be understood", False,
     "A header, a query parameter's value or the JSON syntax of the body is wrong; `errors` says which and where."),
    (400, "unknown_parameter", "Unknown query parameter", False,
     "The route has no such query parameter; `errors[].allowed` lists those it has."),
    (400, "invalid_cursor", "The cursor is not valid", False,
     "The cursor is damaged, or it belongs to another filter, sort, view or route. Start again without one."),
    (401, "token_missing", "A bearer token is required", False,
     "Send `Authorization: Bearer <token>`. Tokens in the query string are not read."),
    (401, "token_invalid", "The token is not valid", False, "No such token exists, or it is damaged."),
    (401, "token_expired", "The token has expired", False, "Get a new one with the refresh token, or create another."),
    (401, "token_revoked", "The token was revoked", False, "The token, its grant or its app was revoked."),
    (401, "user_suspended", "The user is suspended", False, "The member this token acts for is suspended in the organisation."),
    (403, "insufficient_scope", "The token lacks a scope", False,
     "`required_scopes` names the scopes of which the token needs one."),
    (403, "forbidden", "Not allowed", False, "The caller may see this, but may not do what was asked."),
    (403, "ip_not_allowed", "The token is not taken from this address", False,
     "The token may be used from some networks only, and the request came from elsewhere."),
    (403, "limit_exceeded", "A limit of the organisation is reached", False,
     "`limit` names it, `max` is its value, `actual` what the request would lead to."),
    (404, "not_found", "Not found", False, "There is no such route or record, or the caller may not see it."),
    (405, "method_not_allowed", "Method not allowed", False, "The header `Allow` lists the methods of this path."),
    (406, "not_acceptable", "No acceptable representation", False, "The API answers `application/json`; the `Accept` header excludes it."),
    (409, "duplicate", "The value is already taken", False,
     "A unique value, or the id, is in use. `existing` names the record; its id is null if the caller may not see it."),
    (409, "possible_duplicate", "This looks like a record that exists", False,
     "A matching rule found similar records, listed in `duplicates`. `?allow_duplicates=true` overrides."),
    (409, "conflict", "The state of the record does not allow this", False,
     "Other records or the record's own state stand in the way; `detail` and `errors` say which."),
    (409, "last_super_admin", "The last super administrator has to stay", False,
     "Nobody would be left who may do everything. Make somebody else a super administrator before."),
    (409, "in_flight", "A request with this Idempotency-Key is still running", True, "Repeat the request a little later."),
    (409, "moved", "The record is no longer where you saw it", False,
     "`from` does not name the present column; `record` carries the present state."),
    (409, "merged", "The record was merged into another", False, "`merged_into` is the id of the winner. Nothing was written."),
    (409, "selection_changed", "The selection has changed", False,
     "The number of records that match differs from `expect_count`; `actual` is the present one."),
    (410, "deleted", "The record was deleted", False,
     "`restorable` tells whether it can be restored; `merged_into` is the winner's id if it was merged."),
    (410, "cursor_expired", "The cursor is older than what is kept", False,
     "Take a new snapshot. `oldest_cursor` is the first position that still exists."),
    (412, "version_conflict", "The record has changed since you read it", False,
     "`version` is the present version, `conflicts` lists the fields that differ, `record` is the present state."),
    (413, "payload_too_large", "The request is too large", False, "`limit` names the limit, `max` is its value in bytes."),
    (414, "uri_too_long", "The URL is too long", False, "`max` is the limit in bytes. `POST …/search` takes long filters in its body."),
    (415, "unsupported_media_type", "The media type is not supported", False, "Send `Content-Type: application/json`."),
    (422, "validation_failed", "The input is not valid", False, "`errors` lists each mistake with its place. Nothing was written."),
    (422, "idempotency_key_reused", "The Idempotency-Key was used for another request", False,
     "Method, path or body differ from the first request with this key. Use a new key."),
    (422, "reserved_name", "The name is reserved", False, "Choose another name."),
    (422, "unresolved_reference", "A reference does not lead to a record", False,
     "No visible record has the value given as `{\"by\":…,\"value\":…}` or as id."),
    (422, "repeated_item", "The same record appears twice", False, "One batch may name a record once."),
    (422, "sort_not_indexed", "This sort needs a narrower filter", False,
     "No index serves this order. `errors[].allowed` lists the orders that have one; a selective filter allows any."),
    (422, "filter_too_complex", "The filter is too complex", False,
     "More conditions, levels or relation hops than allowed; `limit`, `max` and `actual` say which."),
    (422, "too_expensive", "The request would cost too much", False,
     "Expansions, time travel or a snapshot over more rows than allowed; `limit`, `max` and `actual` say which."),
    (422, "required_on_enter", "The stage asks for more fields", False,
     "`errors` names the fields that the target stage requires; send them together with the move."),
    (422, "illegal_transition", "This change of state is not allowed", False, "`errors[].allowed` lists the states that can follow."),
    (422, "suppressed", "The person was erased", False,
     "An address belongs to somebody whose data was erased; `errors` says which. An administrator may release it, with a reason."),
    (423, "locked", "The record is locked", True, "An approval or a running job holds the record."),
    (424, "failed_dependency", "Not done because another item failed", True,
     "The batch or composite is atomic and another item failed; this one was not written."),
    (428, "precondition_required", "An If-Match header is required", False,
     "The organisation requires `If-Match` for this object; send the ETag of the version you read."),
    (429, "rate_limited", "Too many requests", True, "Wait for `Retry-After` seconds."),
    (500, "internal_error", "Something went wrong on our side", True, "The failure was logged under the request id in `instance`."),
    (503, "unavailable", "The service is not available at the moment", True, "Wait for `Retry-After` seconds."),
    (503, "timeout", "The request took too long", True,
     "It was cancelled after 30 seconds and nothing was written. Narrow the filter, or use a job."),
)
# fmt: on
