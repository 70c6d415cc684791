"""The description is whole, true to the routes, and the one that is committed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from openapi_spec_validator import OpenAPIV31SpecValidator

from crm_api.core.errors import PROBLEMS
from crm_api.http.app import create_app
from crm_api.http.openapi import render, to_text
from crm_api.http.openapi.problems import ALWAYS
from crm_api.http.pages.routes import build_pages_router
from crm_api.kernel.event_catalog import types_of
from crm_api.kernel.query.values import OPERATORS
from crm_api.resources import RESOURCES
from crm_api.settings import Settings
from tests.api import Api
from tests.openapi.schema import mistakes
from tests.openapi_validation import DOCUMENT, NotDescribed, answer_of, assert_conforms, document, operation_of, resolved, validator

Operation = dict[str, Any]
DEFAULTS = Settings.model_construct(**{name: field.default for name, field in Settings.model_fields.items()})


def operations() -> Iterator[tuple[str, str, Operation]]:
    """Every operation with its path and method."""
    for path, found in document()["paths"].items():
        for method, operation in found.items():
            yield path, method, operation


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for item in node:
            yield from nodes(item)


def test_the_committed_description_is_what_the_program_makes() -> None:
    assert to_text(render(create_app(DEFAULTS))) == DOCUMENT.read_text(), "out of date: make openapi"


def test_it_fits_the_schema_of_openapi() -> None:
    assert mistakes(document()) == []


@pytest.mark.slow
def test_it_is_valid_openapi() -> None:
    """By the judgement of a validator that follows references and knows the rules beside the schema, and takes its time."""
    found = [
        f"{'/'.join(str(step) for step in error.absolute_path)}: {error.message}"
        for error in OpenAPIV31SpecValidator(document()).iter_errors()
    ]
    assert found == []


def test_every_served_route_is_described_and_every_described_route_is_served() -> None:
    pages = {str(context.path_format) for context in iter_route_contexts(build_pages_router().routes)}
    hidden = {"/docs", "/docs/assets/{name}", *pages}
    served: set[tuple[str, str]] = set()
    for context in iter_route_contexts(create_app(DEFAULTS).routes):
        assert isinstance(context.original_route, APIRoute), context
        # what serves any object is described, object by object, in the documents of organisations that have some
        if context.path_format not in hidden and not str(context.path_format).startswith("/v1/{object}"):
            served |= {(str(context.path_format), method.lower()) for method in context.methods or ()}
    assert served == {(path, method) for path, method, _ in operations()}


def test_operation_ids_are_unique_and_speak() -> None:
    ids = Counter(operation["operationId"] for _, _, operation in operations())
    ids.update(hook["post"]["operationId"] for hook in document()["webhooks"].values())
    assert [name for name, count in ids.items() if count > 1] == []
    assert [name for name in ids if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", name)] == []
    assert {f"{verb}_contacts" for verb in ("create", "list", "get", "update", "delete", "search", "restore", "merge")} <= ids.keys()


def test_each_operation_tells_what_a_stranger_needs() -> None:
    wrong = []
    tags = {tag["name"] for tag in document()["tags"]}
    assert all(len(tag["description"]) > 20 for tag in document()["tags"])
    for path, method, operation in operations():
        where = f"{method} {path}"
        if not 4 < len(operation["summary"]) <= 90:
            wrong.append(f"{where}: summary")
        if len(operation["description"]) < 40:
            wrong.append(f"{where}: description")
        if not set(operation["tags"]) <= tags:
            wrong.append(f"{where}: tags {operation['tags']}")
        wrong += [f"{where}: parameter {p['name']}" for p in map(resolved, operation["parameters"]) if len(p.get("description", "")) < 8]
        bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for name, holder in bodies.items():
            for kind, shown in resolved(holder).get("content", {}).items():
                if not ("examples" in shown or "example" in shown):
                    wrong.append(f"{where}: {name} {kind} has no example")
    assert wrong == []


def test_each_operation_describes_its_errors() -> None:
    wrong = []
    for path, method, operation in operations():
        statuses = set(operation["responses"])
        if not any(status.startswith("2") for status in statuses):
            wrong.append(f"{method} {path}: no success")
        if path.startswith("/v1/"):
            missing = {str(status) for status in ALWAYS} - statuses
            if "requestBody" in operation:
                missing |= {"413", "415", "422"} - statuses
            if "{id}" in path:
                missing |= {"404"} - statuses
            if missing:
                wrong.append(f"{method} {path}: {sorted(missing)}")
            if not operation["security"] and path != "/v1/tokens/revoke":  # whoever has found a token may end it
                wrong.append(f"{method} {path}: no security")
    assert wrong == []


def test_problems_are_all_there_with_status_and_retryable() -> None:
    problem = document()["components"]["schemas"]["Problem"]
    assert problem["properties"]["code"]["enum"] == list(PROBLEMS)
    assert problem["x-codes"] == {code: {"status": kind.status, "retryable": kind.retryable} for code, kind in PROBLEMS.items()}
    for code in PROBLEMS:
        assert f"`{code}`" in problem["description"]
    for answer in document()["components"]["responses"].values():
        assert list(answer["content"]) == ["application/problem+json"]
        assert "X-Request-Id" in answer["headers"]


def test_every_example_fits_its_schema() -> None:
    wrong = []
    for node in nodes({key: document()[key] for key in ("paths", "webhooks")} | {"responses": document()["components"]["responses"]}):
        schema = node.get("schema")
        if not isinstance(schema, dict):
            continue
        shown = [resolved(example)["value"] for example in node.get("examples", {}).values() if isinstance(node.get("examples"), dict)]
        shown += [node["example"]] if "example" in node and "in" not in node else []
        for value in shown:
            if isinstance(value, str) and schema.get("type") == "string":
                continue
            wrong += [f"{value!r:.200}: {error.message}" for error in validator(schema).iter_errors(value)]
    parameters = [parameter for _, _, operation in operations() for parameter in map(resolved, operation["parameters"])]
    for parameter in {json.dumps(parameter): parameter for parameter in parameters}.values():
        for value in [parameter["example"]] if "example" in parameter else parameter["schema"].get("examples", ()):
            wrong += [f"{parameter['name']}: {error.message}" for error in validator(parameter["schema"]).iter_errors(value)]
    assert wrong == []


def test_optional_parameters_are_not_filled_in_by_the_reference_page() -> None:
    """Swagger UI fills a field with the parameter's own example, and with it sends what nobody asked for."""
    parameters = [parameter for _, _, operation in operations() for parameter in map(resolved, operation["parameters"])]
    filled = {p["name"] for p in parameters if not p.get("required") and ("example" in p or {"example", "default"} & p["schema"].keys())}
    assert filled == set()


def test_parameters_have_literal_names() -> None:
    names = {
        parameter["name"]
        for _, _, operation in operations()
        for parameter in map(resolved, operation["parameters"])
        if parameter["in"] == "query"
    }
    assert {"amount[gte]", "email", "created_at[within]", "billing_address.city", "tags[all_of]", "expand[deals][limit]", "filter"} <= names
    assert not any(node.get("style") == "deepObject" for node in nodes(document()))


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_lists_describe_a_filter_for_each_field_and_operator(resource: Any) -> None:
    operation = operation_of("GET", f"/v1/{resource.name}")
    assert operation is not None
    names = {parameter["name"] for parameter in map(resolved, operation["parameters"])}
    for name, field in resource.fields.items():
        for op in OPERATORS[field.type]:
            if op == "contains" and field.type == "tags":
                continue
            assert (name if op == "eq" else f"{name}[{op}]") in names


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_each_object_has_its_event_types(resource: Any) -> None:
    described = [name for name in document()["webhooks"] if name.partition(".")[0] == resource.singular]
    assert described == [kind.name for kind in types_of(resource)]


def test_no_component_is_unused_and_none_is_missing() -> None:
    used = {node["$ref"] for node in nodes(document()) if isinstance(node.get("$ref"), str)}
    known = {
        f"#/components/{kind}/{name}" for kind, found in document()["components"].items() if kind != "securitySchemes" for name in found
    }
    assert used == known


@pytest.mark.anyio
async def test_it_is_served_to_anybody_and_cached(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*" if "access-control-allow-origin" in answer.headers else True
    served = answer.json()
    assert served["openapi"] == "3.1.0"
    assert served == document()
    again = await anonymous.get("/openapi.json", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.anyio
async def test_the_validator_tells_good_answers_from_bad(api: Api) -> None:
    answer = await api.http.post("/v1/accounts", json={"name": "Acme"})
    assert_conforms(answer)
    for path in ("/v1/nothing", "/v1/accounts/nothing", f"/v1/accounts/{answer.json()['id']}?fields=name", "/v1/accounts?limit=0"):
        assert_conforms(await api.http.get(path))
    body = {**answer.json(), "employees": "many"}
    with pytest.raises(NotDescribed, match="employees"):
        assert_conforms(httpx.Response(201, json=body, request=answer.request))
    with pytest.raises(NotDescribed, match="surprise"):
        assert_conforms(httpx.Response(201, json={**answer.json(), "surprise": 1}, request=answer.request))
    with pytest.raises(NotDescribed, match="no such answer"):
        assert_conforms(httpx.Response(299, json=answer.json(), request=answer.request))
    with pytest.raises(NotDescribed, match="text/plain"):
        assert_conforms(httpx.Response(201, text="ok", request=answer.request))
    with pytest.raises(NotDescribed, match="no such operation"):
        assert_conforms(httpx.Response(200, json={}, request=httpx.Request("GET", "http://t/v1/nothing")))


def test_operations_are_found_as_the_server_finds_them() -> None:
    by, tags = operation_of("GET", "/v1/contacts/by/email/a%2Fb"), operation_of("PUT", "/v1/contacts/0/tags/by")
    assert by is not None
    assert by["operationId"] == "get_contacts_by"
    assert tags is not None
    assert tags["operationId"] == "put_contacts_tags"
    assert operation_of("POST", "/v1/contacts/search") is not operation_of("GET", "/v1/contacts/search")
    assert answer_of(by, 410) is not None


def test_what_does_not_fit_the_schema_of_openapi_is_told() -> None:
    wrong = json.loads(DOCUMENT.read_text())
    wrong["paths"]["/v1/contacts"]["get"]["parameters"].append({"x": 1})
    wrong["components"]["schemas"]["Problem"]["properties"]["code"] = {"type": "strin"}
    found = mistakes(wrong)
    assert any(one.startswith("paths//v1/contacts/get/parameters/") for one in found), found
    assert any(one.startswith("components/schemas/Problem") for one in found), found
