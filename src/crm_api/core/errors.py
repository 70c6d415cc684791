"""What is raised when a request can't be served: one exception class per problem code (RFC 9457), in the order of the statuses."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from crm_api.core.problem import FieldError, InvalidValue, Problem, join_pointer
from crm_api.core.problem_types import PROBLEMS, ProblemType

__all__ = ["PROBLEMS", "FieldError", "InvalidValue", "Problem", "ProblemType", "join_pointer"]

# --- 400 -------------------------------------------------------------------------------------------------------------


class BadRequest(Problem):
    code = "bad_request"


class UnknownParameter(Problem):
    code = "unknown_parameter"

    def __init__(self, name: str, allowed: Sequence[str]) -> None:
        super().__init__(errors=[FieldError("unknown_parameter", parameter=name, allowed=allowed)])

    @classmethod
    def of(cls, errors: Sequence[FieldError]) -> "UnknownParameter":
        """The problem for several mistakes at once."""
        problem = cls("", ())
        problem.errors = list(errors)
        return problem


class InvalidCursor(Problem):
    """`reason` is one of `malformed`, `tampered`, `kind`, `mismatch`: for logs and the message, clients start over."""

    code = "invalid_cursor"

    def __init__(self, reason: str, parameter: str = "cursor") -> None:
        super().__init__(errors=[FieldError("invalid_cursor", parameter=parameter, params={"reason": reason})])
        self.reason = reason


# --- 401 and 403 -----------------------------------------------------------------------------------------------------


class Unauthenticated(Problem):
    """Base of the 401s. http/ adds `resource_metadata` to the challenge, since only it knows the server's URL."""

    oauth_error: ClassVar[str | None] = "invalid_token"

    def challenge(self, resource_metadata: str) -> str:
        """The `WWW-Authenticate` value (RFC 6750 §3, RFC 9728 §5.1)."""
        error = f'error="{self.oauth_error}", error_description="{self.title}", ' if self.oauth_error else ""
        return f'Bearer {error}resource_metadata="{resource_metadata}"'


class TokenMissing(Unauthenticated):
    code = "token_missing"
    oauth_error = None  # RFC 6750 §3.1: a request without credentials gets no error code


class TokenInvalid(Unauthenticated):
    code = "token_invalid"


class TokenExpired(Unauthenticated):
    code = "token_expired"


class TokenRevoked(Unauthenticated):
    code = "token_revoked"


class UserSuspended(Unauthenticated):
    code = "user_suspended"


class InsufficientScope(Problem):
    code = "insufficient_scope"

    def __init__(self, required_scopes: Sequence[str]) -> None:
        super().__init__(
            f"The token needs one of these scopes: {', '.join(required_scopes)}.",
            extra={"required_scopes": list(required_scopes)},
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(required_scopes)}"'},
        )


class Forbidden(Problem):
    code = "forbidden"


class FieldReadOnly(Forbidden):
    """Fields that the caller's profile allows to read but not to write."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("Your profile does not allow to write these fields.", errors=errors)


class IpNotAllowed(Problem):
    code = "ip_not_allowed"


class LimitExceeded(Problem):
    code = "limit_exceeded"

    def __init__(self, limit: str, maximum: int, actual: int) -> None:
        super().__init__(extra={"limit": limit, "max": maximum, "actual": actual})


# --- 404 to 406 ------------------------------------------------------------------------------------------------------


class NotFound(Problem):
    code = "not_found"


class MethodNotAllowed(Problem):
    code = "method_not_allowed"

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(headers={"Allow": ", ".join(allowed)})


class NotAcceptable(Problem):
    code = "not_acceptable"


# --- 409 and 410 -----------------------------------------------------------------------------------------------------


class Duplicate(Problem):
    """`existing` items: `{"object", "id", "field"}`; pass id None where the caller may not see the record."""

    code = "duplicate"

    def __init__(self, existing: Sequence[Mapping[str, Any]], *, errors: Iterable[FieldError] = ()) -> None:
        shown = [{**item, "visible": False} if item.get("id") is None else dict(item) for item in existing]
        places = list(errors) or [
            FieldError("duplicate", pointer="/" + str(item["field"]).replace(".", "/")) for item in existing if "field" in item
        ]
        super().__init__(errors=places, extra={"existing": shown})


class PossibleDuplicate(Problem):
    code = "possible_duplicate"

    def __init__(self, duplicates: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(extra={"duplicates": [dict(item) for item in duplicates]})


class Conflict(Problem):
    code = "conflict"


class LastSuperAdmin(Problem):
    code = "last_super_admin"


class InFlight(Problem):
    code = "in_flight"

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)})


class Moved(Problem):
    code = "moved"

    def __init__(self, record: Mapping[str, Any] | None = None, **extra: Any) -> None:
        super().__init__(extra={**extra, **({"record": record} if record is not None else {})})


class Merged(Problem):
    code = "merged"

    def __init__(self, merged_into: str, location: str | None = None) -> None:
        super().__init__(extra={"merged_into": merged_into}, headers={"Location": location} if location else None)


class SelectionChanged(Problem):
    code = "selection_changed"

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(extra={"expected": expected, "actual": actual})


class Deleted(Problem):
    code = "deleted"

    def __init__(self, *, restorable: bool, merged_into: str | None = None, **extra: Any) -> None:
        super().__init__(extra={"restorable": restorable, "merged_into": merged_into, **extra})


class CursorExpired(Problem):
    code = "cursor_expired"

    def __init__(self, oldest_cursor: str) -> None:
        super().__init__(extra={"oldest_cursor": oldest_cursor})


# --- 412 to 415 ------------------------------------------------------------------------------------------------------


class VersionConflict(Problem):
    """`record` may be any value that the JSON writer accepts, so that a finished representation can be passed on."""

    code = "version_conflict"

    def __init__(self, version: int, conflicts: Sequence[Mapping[str, Any]] = (), record: Any = None) -> None:
        super().__init__(extra={"version": version, "conflicts": [dict(item) for item in conflicts], "record": record})


class PayloadTooLarge(Problem):
    code = "payload_too_large"

    def __init__(self, limit: str, maximum: int) -> None:
        super().__init__(extra={"limit": limit, "max": maximum})


class UriTooLong(Problem):
    code = "uri_too_long"

    def __init__(self, maximum: int) -> None:
        super().__init__(extra={"limit": "url", "max": maximum})


class UnsupportedMediaType(Problem):
    code = "unsupported_media_type"

    def __init__(self, allowed: Sequence[str] = ("application/json",), *, patch: bool = False) -> None:
        names = ", ".join(allowed)
        # RFC 9110 §15.5.16 for any method, RFC 5789 §3.1 for PATCH
        super().__init__(f"Allowed: {names}.", headers={"Accept-Patch" if patch else "Accept": names})


# --- 422 -------------------------------------------------------------------------------------------------------------


class ValidationFailed(Problem):
    code = "validation_failed"

    def __init__(self, errors: Iterable[FieldError] = (), detail: str | None = None) -> None:
        super().__init__(detail, errors=errors)


class IdempotencyKeyReused(Problem):
    code = "idempotency_key_reused"


class ReservedName(Problem):
    code = "reserved_name"


class UnresolvedReference(Problem):
    code = "unresolved_reference"


class RepeatedItem(Problem):
    code = "repeated_item"


class SortNotIndexed(Problem):
    code = "sort_not_indexed"


class FilterTooComplex(Problem):
    code = "filter_too_complex"

    def __init__(self, limit: str, maximum: int, actual: int | None = None) -> None:
        super().__init__(extra={"limit": limit, "max": maximum, **({} if actual is None else {"actual": actual})})


class TooExpensive(Problem):
    code = "too_expensive"

    def __init__(self, limit: str, maximum: int, actual: int | None = None) -> None:
        super().__init__(extra={"limit": limit, "max": maximum, **({} if actual is None else {"actual": actual})})


class RequiredOnEnter(Problem):
    code = "required_on_enter"


class IllegalTransition(Problem):
    code = "illegal_transition"


class Suppressed(Problem):
    code = "suppressed"


#: Mistakes that give the whole answer their code when nothing else is wrong.
_SPEAKING: Final = frozenset(
    {"reserved_name", "unresolved_reference", "repeated_item", "sort_not_indexed", "required_on_enter", "illegal_transition"}
)


def invalid_input(errors: Sequence[FieldError]) -> Problem:
    """The 422 for mistakes in a body: `validation_failed`, or the code that all the mistakes share if it has a meaning."""
    codes = {error.code for error in errors}
    if len(codes) == 1 and (code := codes.pop()) in _SPEAKING:
        return Problem.registry[code](errors=errors)
    return ValidationFailed(errors)


# --- 423 and more ----------------------------------------------------------------------------------------------------


class Locked(Problem):
    code = "locked"


class FailedDependency(Problem):
    code = "failed_dependency"


class PreconditionRequired(Problem):
    code = "precondition_required"


class RateLimited(Problem):
    code = "rate_limited"

    def __init__(self, retry_after: int) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)})


class InternalError(Problem):
    code = "internal_error"


class Unavailable(Problem):
    code = "unavailable"

    def __init__(self, detail: str | None = None, retry_after: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class RequestTimeout(Problem):
    code = "timeout"

    def __init__(self, retry_after: int = 5) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)})
