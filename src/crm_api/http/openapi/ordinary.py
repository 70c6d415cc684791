"""Routes that are ordinary FastAPI routes: described by FastAPI from their signatures, completed to what the house promises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from fastapi.openapi.utils import get_openapi
from fastapi.routing import RouteContext

from crm_api.http.openapi.overlays import OVERLAYS
from crm_api.http.openapi.parameters import EVERYWHERE, headers, parameter, path
from crm_api.http.openapi.problems import ALWAYS, NAMES, PUBLIC, WITH_BODY, error_answers
from crm_api.http.openapi.samples import Schema, sample
from crm_api.http.openapi.schemas import cleaned
from crm_api.http.routing import OPEN_ATTRIBUTE, WRITES_ATTRIBUTE
from crm_api.http.strict import DRY_RUN

_PARAMETER: Final = re.compile(r"{([a-z_]+)}")
_OURS: Final = frozenset({"HTTPValidationError", "ValidationError"})
_UUID: Final[Schema] = {"type": "string", "format": "uuid"}


def describe_ordinary(contexts: Sequence[RouteContext]) -> tuple[dict[str, dict[str, Schema]], dict[str, Schema]]:
    """Paths and schemas of these routes."""
    document = get_openapi(title="", version="", routes=list(contexts)) if contexts else {}
    schemas = {name: cleaned(schema) for name, schema in document.get("components", {}).get("schemas", {}).items() if name not in _OURS}
    for overlay in OVERLAYS.values():
        schemas |= overlay.schemas
    paths: dict[str, dict[str, Schema]] = {}
    for context in contexts:
        template = str(context.path_format)
        for method in sorted(context.methods or ()):
            found = document["paths"].get(template, {}).get(method.lower())
            if found is not None:
                paths.setdefault(template, {})[method.lower()] = _completed(context, method, template, cleaned(found), schemas)
    return paths, schemas


def _completed(context: RouteContext, method: str, template: str, operation: Schema, schemas: dict[str, Schema]) -> Schema:
    authenticated = template.startswith("/v1/")
    endpoint: Any = context.endpoint
    writes = authenticated and method not in ("GET", "HEAD") and not getattr(endpoint, WRITES_ATTRIBUTE, False)
    overlay = OVERLAYS.get((method, template))
    operation["operationId"] = getattr(context, "operation_id", None) or str(context.name)
    if overlay is not None:
        operation |= overlay.operation
    given = {parameter_["name"] for parameter_ in operation.get("parameters", ()) if "name" in parameter_}
    missing = [name for name in _PARAMETER.findall(template) if name not in given]
    own = [_parameter(parameter_) for parameter_ in operation.get("parameters", ())]
    own += list(overlay.parameters) if overlay is not None else []
    if writes and parameter("DryRun") not in own and not any(found.get("name") == DRY_RUN for found in own):
        own.append(parameter("DryRun"))
    common = (("IdempotencyKey",) if writes else ()) + (EVERYWHERE if authenticated else ())
    operation["parameters"] = [
        *(
            path(name, _UUID if name == "id" else {"type": "string"}, f"The {name.replace('_', ' ')}.", _path_example(name))
            for name in missing
        ),
        *own,
        *(parameter(name) for name in common),
    ]
    errors = set(ALWAYS if authenticated else PUBLIC)
    if "{" in template:
        errors.add(404)
    if "requestBody" in operation:
        errors |= set(WITH_BODY)
        _complete_bodies(operation["requestBody"], schemas)
    if writes:
        errors |= {409, 422}
    errors |= set(overlay.errors if overlay is not None else ())
    if 412 in errors:
        errors.add(428)
    answers = {**operation["responses"], **(overlay.answers if overlay is not None else {})}
    operation["responses"] = _answers(answers, errors, schemas, authenticated)
    asks = authenticated and not getattr(endpoint, OPEN_ATTRIBUTE, False)
    operation["security"] = [{"bearer": list(overlay.scopes) if overlay is not None else []}] if asks else []
    return operation


def _path_example(name: str) -> str:
    return "01976f6e-8a00-7000-8000-000000000001" if name.endswith("id") else "text"


def _parameter(found: Schema) -> Schema:
    """FastAPI's parameter with its example where linters and readers look for it, and lists as the contract reads them."""
    if "$ref" in found:
        return found
    schema = found.get("schema", {})
    if found.get("in") == "path" and found["name"] == "id" and "description" not in found:
        return parameter("RecordId")
    if "description" in schema and "description" not in found:
        found["description"] = schema.pop("description")
    if schema.get("examples") == [None]:
        del schema["examples"]
    if found.get("in") == "path" and "examples" in schema:
        found["example"] = schema.pop("examples")[0]
    variants = [schema, *schema.get("anyOf", ())]
    if found.get("in") == "query" and any(variant.get("type") == "array" for variant in variants):
        found |= {"style": "form", "explode": False}
    # A parameter that isn't there is left out; null can't be written in a query string.
    kinds = [variant for variant in schema.get("anyOf", ()) if variant != {"type": "null"}]
    if len(kinds) == 1:
        found["schema"] = {**{key: value for key, value in schema.items() if key != "anyOf"}, **kinds[0]}
    elif kinds and len(kinds) < len(schema["anyOf"]):
        found["schema"] = {**schema, "anyOf": kinds}
    found.setdefault("description", f"The {found['name'].replace('_', ' ')}.")
    return found


def _answers(found: dict[str, Schema], errors: set[int], schemas: dict[str, Schema], authenticated: bool) -> dict[str, Schema]:
    answers: dict[str, Schema] = {}
    for status, answer in found.items():
        if status == "422" and "HTTPValidationError" in str(answer):
            errors.add(422 if authenticated else 400)
            continue
        if status.isdigit() and int(status) in NAMES and "content" not in answer:
            errors.add(int(status))
            continue
        common = headers()
        if not authenticated:
            common = {"X-Request-Id": common["X-Request-Id"]}
        answer["headers"] = {**common, **answer.get("headers", {})}
        _complete_bodies(answer, schemas)
        answers[status] = answer
    answers |= {status: answer for status, answer in error_answers(*errors).items() if status not in answers}
    return answers


def _complete_bodies(holder: Schema, schemas: dict[str, Schema]) -> None:
    """Gives each body an example."""
    for kind, shown in holder.get("content", {}).items():
        if not shown.get("schema"):
            shown["schema"] = {"type": "object"} if kind == "application/json" else {"type": "string"}
        if "examples" not in shown and "example" not in shown:
            shown["examples"] = {"example": {"value": sample(shown["schema"], schemas)}}
