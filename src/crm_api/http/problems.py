"""Problem details (RFC 9457): every exception that ends a request becomes the contract's one shape of error.

`render_problem` is pure, so that batch and composite, which answer several problems at once, render theirs with it.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from crm_api.core import errors
from crm_api.core.errors import FieldError, Problem, Unauthenticated
from crm_api.core.json import dumps
from crm_api.core.messages import DEFAULT_LANGUAGE, negotiate
from crm_api.db.engine import Busy
from crm_api.http.validation import request_problem

MEDIA_TYPE: Final = "application/problem+json"
RESOURCE_METADATA_PATH: Final = "/.well-known/oauth-protected-resource"

RawHeaders = list[tuple[bytes, bytes]]


def problem_body(
    problem: Problem, *, request_id: str | None = None, base_url: str = "", accept_language: str | None = None
) -> dict[str, Any]:
    """The JSON object of a problem, in the language that `Accept-Language` asks for."""
    return problem.to_dict(type_base=base_url, instance=request_id, language=negotiate(accept_language))


def render_problem(
    problem: Problem,
    request_id: str | None = None,
    base_url: str = "",
    accept_language: str | None = None,
    user_language: str = DEFAULT_LANGUAGE,
    origin: str | None = None,
) -> tuple[int, RawHeaders, bytes]:
    """Status, raw headers and body of the answer to a problem. `origin` is where the metadata of OAuth is, if not at `base_url`."""
    language = negotiate(accept_language, user_language)
    body = dumps(problem.to_dict(type_base=base_url, instance=request_id, language=language))
    headers: RawHeaders = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body))]
    if language != DEFAULT_LANGUAGE:
        headers.append((b"content-language", language.encode("ascii")))
    for name, value in _headers(problem, origin or base_url).items():
        headers.append((name.lower().encode("latin-1"), value.encode("latin-1", "replace")))
    return problem.status, headers, body


def _headers(problem: Problem, base_url: str) -> Mapping[str, str]:
    metadata = base_url + RESOURCE_METADATA_PATH
    if isinstance(problem, Unauthenticated):
        return {**problem.headers, "WWW-Authenticate": problem.challenge(metadata)}
    challenge = problem.headers.get("WWW-Authenticate")
    if challenge is not None and "resource_metadata=" not in challenge:
        return {**problem.headers, "WWW-Authenticate": f'{challenge}, resource_metadata="{metadata}"'}
    return problem.headers


def to_problem(exc: BaseException) -> Problem | None:
    """The problem that an exception stands for; None if it is a fault of ours, which is a 500 and gets logged."""
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, RequestValidationError):
        return request_problem(exc.errors())
    if isinstance(exc, HTTPException):
        return _from_http(exc)
    if isinstance(exc, Busy):
        return errors.Unavailable("Too many requests are waiting for the database.")
    if isinstance(exc, BaseExceptionGroup) and len(exc.exceptions) == 1:
        return to_problem(exc.exceptions[0])  # a task group around one failure says nothing about it
    return None


def _from_http(exc: HTTPException) -> Problem | None:
    """What the framework itself raises: no route, wrong method, a body that it cannot parse."""
    headers = dict(exc.headers or {})
    match exc.status_code:
        case 400:
            if isinstance(exc.__cause__, UnicodeDecodeError):
                return errors.BadRequest(errors=[FieldError("invalid_utf8", pointer="")])
            return errors.BadRequest(exc.detail)
        case 401:
            return errors.TokenMissing(headers=headers)
        case 403:
            return errors.Forbidden(headers=headers)
        case 404:
            return errors.NotFound(headers=headers)
        case 405:
            return errors.MethodNotAllowed([method.strip() for method in headers.get("Allow", "").split(",") if method.strip()])
        case 406:
            return errors.NotAcceptable(headers=headers)
        case 415:
            return errors.UnsupportedMediaType()
        case 422:
            return errors.ValidationFailed(detail=exc.detail)
        case 503:
            return errors.Unavailable(exc.detail)
        case status if 400 <= status < 500:
            return errors.BadRequest(exc.detail, headers=headers)
        case _:
            return None
