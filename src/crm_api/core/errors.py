"""What is raised when a request can't be served: one exception class per problem code (RFC 9457).

`Problem` subclasses end a request; `InvalidValue` is what parsers of single values raise, before anyone knows where in
the request the value stood. `InvalidValue.at(pointer=…)` joins the two.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from crm_api.core.messages import DEFAULT_LANGUAGE, field_message, title
from crm_api.core.problem_types import PROBLEMS, ProblemType

__all__ = ["PROBLEMS", "FieldError", "InvalidValue", "Problem", "ProblemType", "join_pointer"]


def join_pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901) of raw keys and indexes: `join_pointer("items", 1, "a/b") == "/items/1/a~1b"`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One mistake and its place: a JSON `pointer` into the body, or a query `parameter`, or a `header`.

    `message` overrides the text that `code` and `params` give; leave it out wherever a template exists, because only
    templates are translated. `allowed` lists what would have been right.
    """

    code: str
    message: str | None = None
    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None
    params: Mapping[str, Any] | None = None
    allowed: Sequence[Any] | None = None

    def under(self, prefix: str) -> "FieldError":
        """The same mistake in a body that is itself part of a larger one: `error.under("/items/1")`."""
        if self.pointer is None:
            return self
        return FieldError(self.code, self.message, prefix + self.pointer, None, None, self.params, self.allowed)

    def to_dict(self, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """The JSON object of `errors[]`; absent members are left out."""
        out: dict[str, Any] = {}
        for name in ("pointer", "parameter", "header"):
            place = getattr(self, name)
            if place is not None:
                out[name] = place
        out["code"] = self.code
        out["message"] = self.message or field_message(self.code, self.params, language)
        if self.params:
            out["params"] = dict(self.params)
        if self.allowed is not None:
            out["allowed"] = list(self.allowed)
        return out


class InvalidValue(ValueError):
    """A single value is wrong; raised by parsers that don't know the value's place."""

    def __init__(self, code: str, *, allowed: Sequence[Any] | None = None, **params: Any) -> None:
        super().__init__(field_message(code, params))
        self.code = code
        self.params = params
        self.allowed = allowed

    def at(self, *, pointer: str | None = None, parameter: str | None = None, header: str | None = None) -> FieldError:
        return FieldError(self.code, None, pointer, parameter, header, self.params or None, self.allowed)


class Problem(Exception):
    """Ends the request with an `application/problem+json` answer.

    Raise a subclass. `detail` is one English sentence for a developer; `errors` are single mistakes; `extra` holds the
    extension members (RFC 9457 §3.2); `headers` go onto the answer.
    """

    code: ClassVar[str]
    registry: Final[dict[str, type["Problem"]]] = {}

    def __init_subclass__(cls) -> None:
        code = cls.__dict__.get("code")
        if code is not None:
            if code not in PROBLEMS or code in Problem.registry:
                raise TypeError(f"{cls.__name__}: {code!r} is unknown or taken")
            Problem.registry[code] = cls

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Iterable[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or PROBLEMS[self.code].title)
        self.detail = detail
        self.errors = list(errors)
        self.extra: dict[str, Any] = dict(extra or {})
        self.headers: dict[str, str] = dict(headers or {})

    @property
    def type(self) -> ProblemType:
        return PROBLEMS[self.code]

    @property
    def status(self) -> int:
        return PROBLEMS[self.code].status

    @property
    def title(self) -> str:
        return PROBLEMS[self.code].title

    def under(self, prefix: str) -> "Problem":
        """Moves the pointers of all mistakes below `prefix`; for items of a batch. Returns itself."""
        self.errors = [error.under(prefix) for error in self.errors]
        return self

    def to_dict(self, *, type_base: str = "", instance: str | None = None, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """The body of the answer. `type_base` is the URL in front of `/problems/…`, `instance` the request's id."""
        body: dict[str, Any] = {
            "type": f"{type_base}/problems/{self.code}",
            "title": title(self.code, language),
            "status": self.status,
            "code": self.code,
            "detail": self.detail or self._summary(language),
        }
        if instance is not None:
            body["instance"] = instance
        if self.errors:
            body["errors"] = [error.to_dict(language) for error in self.errors]
        for name, value in self.extra.items():
            body.setdefault(name, value)
        return body

    def _summary(self, language: str) -> str:
        if not self.errors:
            return title(self.code, language)
        first = self.errors[0]
        place = first.pointer or first.parameter or first.header or ""
        return f"{place}: {first.message or field_message(first.code, first.params, language)}".removeprefix(": ")


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
