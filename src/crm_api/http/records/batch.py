"""POST /v1/{object}/batch/{verb}: up to 200 records in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import FieldError, InvalidValue, NotFound, Problem, RepeatedItem, ValidationFailed
from crm_api.core.ids import parse_uuid
from crm_api.http.idempotency import SECRET_HEADER
from crm_api.http.records.answers import json_response, with_once
from crm_api.http.records.call import AnswerOptions, Call, Endpoint, raw
from crm_api.http.routing import charge, reads
from crm_api.http.state import REQUEST_ID
from crm_api.kernel.lookup import find_each
from crm_api.kernel.once import shown_once
from crm_api.kernel.reader import gone
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.tombstones import absent
from crm_api.kernel.writes.types import Outcome, Patch, Target, WriteOptions

MAX_ITEMS: Final = 200
VERBS: Final = ("create", "update", "upsert", "read", "delete", "restore")
ACTIONS: Final = {
    "create": ("create",),
    "update": ("update",),
    "upsert": ("create", "update"),
    "read": ("read",),
    "delete": ("delete",),
    "restore": ("delete",),
}
ITEM_KEYS: Final = {"read": ("id",), "delete": ("id", "if_match"), "restore": ("id", "if_match")}


def batch_endpoint(resource: AnyResource, verb: str) -> Endpoint:
    """The endpoint of one batch verb."""

    @raw
    async def batch(request: Request) -> Response:
        call = Call.of(request)
        for action in ACTIONS[verb]:
            call.policy.require(resource.name, action)
        options = call.answer_options(resource, () if verb == "read" else ("dry_run", "allow_duplicates"))
        body = _body(await call.json(), verb, resource)
        items: list[dict[str, Any]] = body["items"]
        await charge(request, (len(items) + 19) // 20 - 1)
        if verb == "read":
            return await _read(call, resource, items, options)
        how = WriteOptions(atomic=body.get("mode", "partial") == "atomic", items=len(items))
        outcomes = await _write(call, resource, verb, items, body.get("match_on"), how)
        return await _answer(call, resource, outcomes, options)

    return reads(batch) if verb == "read" else batch


def _body(body: Any, verb: str, resource: AnyResource) -> dict[str, Any]:
    errors: list[FieldError] = []
    if not isinstance(body, dict):
        raise ValidationFailed(errors=[InvalidValue("invalid_body", expected="object").at(pointer="")])
    allowed = ["items"] if verb == "read" else ["mode", "items", *(["match_on"] if verb in ("update", "upsert") else [])]
    errors += [InvalidValue("unknown_field", allowed=allowed).at(pointer=f"/{key}") for key in body if key not in allowed]
    if body.get("mode", "partial") not in ("partial", "atomic"):
        errors.append(InvalidValue("enum", allowed=["partial", "atomic"]).at(pointer="/mode"))
    items = body.get("items")
    if not isinstance(items, list):
        errors.append(InvalidValue("required" if "items" not in body else "type", expected="array").at(pointer="/items"))
    elif not items:
        errors.append(InvalidValue("min_items", min_items=1).at(pointer="/items"))
    elif len(items) > MAX_ITEMS:
        errors.append(InvalidValue("too_many_items", max_items=MAX_ITEMS).at(pointer="/items"))
    match_on = body.get("match_on")
    names = [*resource.unique_fields, "external_ids.<system>"]
    if verb == "upsert" and match_on is None:
        errors.append(InvalidValue("required", allowed=names).at(pointer="/match_on"))
    elif match_on is not None and not (
        isinstance(match_on, str) and (match_on in resource.unique_fields or match_on.startswith("external_ids."))
    ):
        errors.append(InvalidValue("enum", allowed=names).at(pointer="/match_on"))
    if errors:
        raise ValidationFailed(errors=errors)
    return body


def _item_problem(item: Any, verb: str) -> Problem | None:
    """What is wrong with an item's frame: its id, its `if_match`, its keys where they are fixed."""
    if not isinstance(item, dict):
        return ValidationFailed(errors=[InvalidValue("type", expected="object").at(pointer="")])
    errors = []
    for key in item if verb in ITEM_KEYS else ():
        if key not in ITEM_KEYS[verb]:
            errors.append(InvalidValue("unknown_field", allowed=list(ITEM_KEYS[verb])).at(pointer=f"/{key}"))
    if "id" not in item and (verb in ITEM_KEYS or verb == "update"):
        errors.append(InvalidValue("required").at(pointer="/id"))
    elif "id" in item and verb not in ("create", "upsert") and (not isinstance(item["id"], str) or parse_uuid(item["id"]) is None):
        errors.append(InvalidValue("invalid_uuid").at(pointer="/id"))
    if verb != "create" and "if_match" in item and version_of(item["if_match"]) is None:
        errors.append(InvalidValue("invalid_etag").at(pointer="/if_match"))
    return ValidationFailed(errors=errors) if errors else None


def version_of(value: Any) -> int | None:
    """The version in an item's `if_match`: a number, or an entity tag as it was received."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    text = value.strip('"').partition(".")[0] if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


async def _write(call: Call, resource: AnyResource, verb: str, items: list[Any], match_on: str | None, how: WriteOptions) -> list[Outcome]:
    writer, context = call.engine.writer, call.context
    if verb == "create":
        return await writer.create(context, resource, items, options=how)
    if verb == "upsert":
        assert match_on is not None
        return await writer.upsert(context, resource, match_on, items, options=how)
    problems: dict[int, Problem] = {}
    framed = [dict(item) if isinstance(item, dict) else item for item in items]
    if match_on is not None:
        found = await find_each(context, resource, match_on, framed)
        for index, id_ in enumerate(found):
            if id_ is None:
                problems[index] = NotFound()
            elif isinstance(framed[index], dict):
                framed[index].setdefault("id", str(id_))
    for index, item in enumerate(framed):
        wrong = problems.get(index) or _item_problem(item, verb)
        if wrong is not None:
            problems[index] = wrong
    seen: dict[str, int] = {}
    for index, item in enumerate(framed):
        if index in problems:
            continue
        key = item["id"].lower()
        if key in seen:
            problems[index] = RepeatedItem(errors=[FieldError("repeated_item", pointer="/id")])
        seen.setdefault(key, index)
    good = [index for index in range(len(framed)) if index not in problems]
    if problems and how.atomic:
        raise atomic_failure(problems, len(framed))
    done = await _each(call, resource, verb, [framed[index] for index in good], how, good)
    merged = dict(zip(good, done, strict=True))
    for index, problem in problems.items():
        merged[index] = Outcome(index, None, None, problem.status, "unchanged", "", problem)
    for index, outcome in merged.items():
        outcome.index = index
    return [merged[index] for index in sorted(merged)]


def atomic_failure(problems: dict[int, Problem], count: int) -> Problem:
    """The first problem of an atomic batch, with all items' results: the others are 424."""
    from crm_api.core.errors import FailedDependency

    first = min(problems)
    problem = problems[first]
    own = problem.to_dict()
    if not problem.errors:
        problem.errors = [FieldError(problem.code, pointer="")]
    problem = problem.under(f"/items/{first}")
    other = FailedDependency().to_dict()
    problem.extra["results"] = [
        {"index": index, "status": problem.status, "error": own} if index == first else {"index": index, "status": 424, "error": other}
        for index in range(count)
    ]
    return problem


async def _each(
    call: Call, resource: AnyResource, verb: str, items: Sequence[dict[str, Any]], how: WriteOptions, places: list[int]
) -> list[Outcome]:
    if not items:
        return []
    writer, context = call.engine.writer, call.context
    if verb == "update":
        patches = []
        for item in items:
            body = {key: value for key, value in item.items() if key not in ("id", "if_match")}
            patches.append(Patch(_id(item), body, version_of(item.get("if_match"))))
        return await writer.update(context, resource, patches, options=how)
    targets = [Target(_id(item), version_of(item.get("if_match"))) for item in items]
    return await (writer.delete if verb == "delete" else writer.restore)(context, resource, targets, options=how)


def _id(item: dict[str, Any]) -> Any:
    return parse_uuid(item["id"])


async def _read(call: Call, resource: AnyResource, items: list[Any], options: AnswerOptions) -> Response:
    problems = {index: wrong for index, item in enumerate(items) if (wrong := _item_problem(item, "read")) is not None}
    ids = {index: _id(item) for index, item in enumerate(items) if index not in problems}
    found = await call.engine.reader.many(
        call.context,
        resource,
        list(dict.fromkeys(ids.values())),
        fields=options.fields,
        expand=options.expand,
        values=options.values,
        labels=options.labels,
        abilities=options.abilities,
    )
    missing = await absent(call.context, resource, {id for id in ids.values() if id not in found})
    parts = []
    for index in range(len(items)):
        record = found.get(ids[index]) if index in ids else None
        if record is None or record.deleted:
            problem = problems.get(index) or (missing[ids[index]] if record is None else gone(record))
            parts.append(failed_item(call, index, problem))
        else:
            parts.append(
                b'{"index":%d,"status":200,"id":"%s","version":%d,"record":%s}'
                % (index, str(ids[index]).encode(), record.version, record.json)
            )
    return results(parts)


def failed_item(call: Call, index: int, problem: Problem) -> bytes:
    """The result of an item that failed: its index, status and problem."""
    request_id = getattr(call.request.state, REQUEST_ID, None)
    language = call.language()
    base_url = call.request.app.state.services.settings.base_url
    error = problem.to_dict(type_base=base_url, instance=request_id, language=language)
    return orjson.dumps({"index": index, "status": problem.status, "error": error}, default=str)


async def _answer(call: Call, resource: AnyResource, outcomes: list[Outcome], options: AnswerOptions) -> Response:
    records: dict[Any, bytes] = {}
    if not options.plain and not call.minimal():
        ids = [outcome.id for outcome in outcomes if not outcome.failed and outcome.id is not None]
        found = await call.engine.reader.many(
            call.context,
            resource,
            ids,
            fields=options.fields,
            expand=options.expand,
            values=options.values,
            labels=options.labels,
            abilities=options.abilities,
        )
        records = {id_: record.json for id_, record in found.items()}
    parts: list[bytes] = []
    once: list[str] = []
    for outcome in outcomes:
        if outcome.problem is not None:
            parts.append(failed_item(call, outcome.index, outcome.problem))
            continue
        head = b'{"index":%d,"status":%d,"outcome":"%s","id":"%s","version":%d' % (
            outcome.index,
            outcome.status,
            outcome.outcome.encode(),
            str(outcome.id).encode(),
            outcome.version or 0,
        )
        record = b"" if call.minimal() else records.get(outcome.id) or outcome.record.encode()
        beside = shown_once(call.context.uow, outcome.id)
        if beside and record:
            record = with_once(record, beside)
            once += [f"results/{len(parts)}/record/{member}" for member in beside]
        parts.append(head + (b',"record":' + record if record else b"") + b"}")
    return results(parts, {SECRET_HEADER: ",".join(once), "cache-control": "no-store"} if once else None)


def results(parts: list[bytes], headers: Mapping[str, str] | None = None) -> Response:
    """The answer of a batch: 207, also when all is well."""
    return json_response(b'{"results":[' + b",".join(parts) + b"]}", 207, headers)
