"""POST /v1/composite: many operations, one round trip, one transaction.

Every operation goes through the same router as a request of its own, with the caller's unit of work in its scope, so any
route works here as it does alone, except those that answer later or in pieces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import FailedDependency, FieldError, InvalidValue, NotFound, Problem, ValidationFailed
from crm_api.http.idempotency import SECRET_HEADER
from crm_api.http.problems import to_problem
from crm_api.http.records.answers import document
from crm_api.http.records.call import Call, raw
from crm_api.http.routing import JOINED, charge
from crm_api.http.state import REQUEST_ID

MAX_OPERATIONS: Final = 100
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
KEYS: Final = ("ref", "method", "path", "body", "if_match")
NOT_HERE: Final = ("/v1/composite", "/v1/events", "/v1/tokens/revoke")
_REFERENCE: Final = re.compile(r"^\$([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z0-9_]+)*)$")
_REF_NAME: Final = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")


class _Failed(Exception):
    """An operation's problem on its way out of the operation's savepoint."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


@raw
async def composite(request: Request) -> Response:
    """Runs up to 100 operations in order; see the OpenAPI description of the route."""
    call = Call.of(request)
    call.refuse_parameters(("dry_run",))
    body = await call.json()
    operations = _checked(body)
    await charge(request, len(operations) - 1)
    if body.get("dry_run", False):
        call.context.uow.dry_run = True
    atomic = body.get("atomic", True)
    answers: dict[str, Any] = {}
    results: list[dict[str, Any]] = []
    once: list[str] = []
    for index, operation in enumerate(operations):
        try:
            if atomic:
                result = await _perform(call, operation, answers)
            else:
                async with call.context.uow.savepoint():
                    result = await _perform(call, operation, answers)
        except _Failed as failure:
            if atomic:
                raise _atomic_failure(call, failure.problem, index, operations) from None
            result = {"status": failure.problem.status, "etag": None, "location": None, "body": _rendered(call, failure.problem)}
        ref = operation.get("ref")
        if ref is not None:
            answers[ref] = result["body"]
        once += [f"results/{index}/body/{member}" for member in result.pop("once", ())]
        results.append({"ref": ref, **result})
    return document({"results": results}, headers={SECRET_HEADER: ",".join(once)} if once else None)


def _checked(body: Any) -> list[dict[str, Any]]:
    errors: list[FieldError] = []

    def wrong(pointer: str, code: str, allowed: Any = None, **params: Any) -> None:
        errors.append(InvalidValue(code, allowed=allowed, **params).at(pointer=pointer))

    if not isinstance(body, dict):
        raise ValidationFailed(errors=[InvalidValue("invalid_body", expected="object").at(pointer="")])
    for key in body:
        if key not in ("atomic", "dry_run", "operations"):
            wrong(f"/{key}", "unknown_field", ["atomic", "dry_run", "operations"])
    for key in ("atomic", "dry_run"):
        if not isinstance(body.get(key, False), bool):
            wrong(f"/{key}", "invalid_boolean")
    operations = body.get("operations")
    if not isinstance(operations, list) or not operations:
        wrong("/operations", "required" if "operations" not in body else "type", expected="non-empty array")
        raise ValidationFailed(errors=errors)
    if len(operations) > MAX_OPERATIONS:
        wrong("/operations", "too_many_items", max_items=MAX_OPERATIONS)
        raise ValidationFailed(errors=errors)
    seen: set[str] = set()
    for index, operation in enumerate(operations):
        at = f"/operations/{index}"
        if not isinstance(operation, dict):
            wrong(at, "type", expected="object")
            continue
        for key in operation:
            if key not in KEYS:
                wrong(f"{at}/{key}", "unknown_field", list(KEYS))
        if operation.get("method") not in METHODS:
            wrong(f"{at}/method", "enum", list(METHODS))
        path = operation.get("path")
        if not isinstance(path, str) or not path.startswith("/v1/") or path.startswith(NOT_HERE):
            wrong(f"{at}/path", "invalid_path")
        ref = operation.get("ref")
        if ref is not None and (not isinstance(ref, str) or not _REF_NAME.match(ref)):
            wrong(f"{at}/ref", "pattern", pattern=_REF_NAME.pattern)
        elif ref in seen:
            wrong(f"{at}/ref", "repeated_item")
        elif ref is not None:
            seen.add(ref)
        if not isinstance(operation.get("if_match", ""), str):
            wrong(f"{at}/if_match", "type", expected="string")
    if errors:
        raise ValidationFailed(errors=errors)
    return operations


def resolve(value: Any, answers: Mapping[str, Any]) -> Any:
    """Replaces each string that is wholly `$ref.path` of a known ref; `$$` at a string's start stands for `$`."""
    if isinstance(value, str):
        if value.startswith("$$"):
            return value[1:]
        match = _REFERENCE.match(value)
        if match is None or match.group(1) not in answers:
            return value
        found: Any = answers[match.group(1)]
        for step in match.group(2).split(".")[1:]:
            if isinstance(found, list) and step.isdigit() and int(step) < len(found):
                found = found[int(step)]
            elif isinstance(found, dict) and step in found:
                found = found[step]
            else:
                raise InvalidValue("unresolved_reference")
        return found
    if isinstance(value, list):
        return [resolve(item, answers) for item in value]
    if isinstance(value, dict):
        return {key: resolve(item, answers) for key, item in value.items()}
    return value


async def _perform(call: Call, operation: dict[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    call.context.uow.cause.action = None  # each operation is named by what it does itself
    try:
        path, _, query = operation["path"].partition("?")
        path = "/".join(str(resolve(segment, answers)) if segment.startswith("$") else segment for segment in path.split("/"))
        body = None if "body" not in operation else resolve(operation["body"], answers)
    except InvalidValue as error:
        raise _Failed(ValidationFailed(errors=[error.at(pointer="")])) from None
    headers = [(b"content-type", b"application/json")]
    headers += [
        (name, value) for name, value in call.request.scope["headers"] if name in (b"accept-language", b"time-zone", b"crm-version")
    ]
    if "if_match" in operation:
        headers.append((b"if-match", operation["if_match"].encode("latin-1", "replace")))
    payload = b"" if body is None else orjson.dumps(body)
    status, answered, content = await _dispatch(call, operation["method"], path, query, headers, payload)
    found = {name.decode().lower(): value.decode("latin-1") for name, value in answered}
    parsed = orjson.loads(content) if content else None
    once = found[SECRET_HEADER].split(",") if SECRET_HEADER in found else []
    return {"status": status, "etag": found.get("etag"), "location": found.get("location"), "body": parsed, "once": once}


async def _dispatch(
    call: Call, method: str, path: str, query: str, headers: list[tuple[bytes, bytes]], body: bytes
) -> tuple[int, Any, bytes]:
    """One request through the router, in the caller's context."""
    messages: list[Any] = []
    state = dict(call.request.scope.get("state", {}))
    raw_path = path.encode()
    scope = {
        **call.request.scope,
        "method": method,
        "path": path,
        "raw_path": raw_path,
        "query_string": query.encode(),
        "headers": headers,
        "path_params": {},
        "state": state,
        JOINED: call.context,
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        messages.append(message)

    try:
        await call.request.app.router.app(scope, receive, send)
    except Exception as error:
        problem = to_problem(error)
        if problem is None:
            raise
        raise _Failed(problem) from None
    finally:
        call.request.state.context = call.context
    if not messages:
        raise _Failed(NotFound())
    content = b"".join(message.get("body", b"") for message in messages[1:])
    return messages[0]["status"], messages[0]["headers"], content


def _rendered(call: Call, problem: Problem) -> dict[str, Any]:
    return problem.to_dict(
        type_base=call.request.app.state.services.settings.base_url,
        instance=getattr(call.request.state, REQUEST_ID, None),
        language=call.language(),
    )


def _atomic_failure(call: Call, problem: Problem, index: int, operations: list[dict[str, Any]]) -> Problem:
    """The failing operation's problem, its pointers moved below it; the others are reported as 424, for nothing of them remains."""
    own, other = _rendered(call, problem), _rendered(call, FailedDependency())
    if not problem.errors:
        problem.errors = [FieldError(problem.code, problem.title, pointer="")]
    moved = [
        FieldError(
            error.code,
            error.message,
            f"/operations/{index}/body{error.pointer}" if error.pointer else f"/operations/{index}",
            params=error.params,
            allowed=error.allowed,
        )
        for error in problem.errors
    ]
    problem.errors = moved
    problem.extra["results"] = [
        {"ref": operation.get("ref"), "status": problem.status if i == index else 424, "body": own if i == index else other}
        for i, operation in enumerate(operations)
    ]
    return problem
