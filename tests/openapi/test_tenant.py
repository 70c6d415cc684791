"""Whatever an organisation adds, its own description stays valid, whole and true to what everybody's generator would say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from crm_api.db.uow import Actor
from crm_api.flows.organizations import registry
from crm_api.http.app import create_app
from crm_api.http.meta.jsonschema import json_schema
from crm_api.http.meta.typescript import typescript
from crm_api.http.openapi import render
from crm_api.http.openapi.tenant import document as tenant
from crm_api.http.openapi.tenant.base import Base, take_apart
from crm_api.http.openapi.tenant.document import compile_document
from crm_api.http.openapi.tenant.template import Template
from crm_api.kernel.catalog import build
from crm_api.kernel.custom.definitions import CustomField, CustomObject
from crm_api.kernel.policy import Policy
from crm_api.kernel.principal import Principal
from crm_api.kernel.registry import Registry
from crm_api.kernel.visible import Visible, visible
from crm_api.models.columns import FieldType
from crm_api.settings import Settings
from tests.examples import examples
from tests.openapi.schema import mistakes
from tests.openapi_validation import Description

KINDS = (
    FieldType.TEXT, FieldType.LONG_TEXT, FieldType.INTEGER, FieldType.NUMBER, FieldType.DECIMAL, FieldType.CURRENCY, FieldType.BOOLEAN,
    FieldType.DATE, FieldType.DATETIME, FieldType.EMAIL, FieldType.PHONE, FieldType.URL, FieldType.PICKLIST, FieldType.MULTI_PICKLIST,
    FieldType.AUTONUMBER, FieldType.REFERENCE, FieldType.JSON,
)  # fmt: skip
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}(_[a-z0-9]{1,4}){0,2}", fullmatch=True)
AWKWARD = ["contact", "event", "job_list", "page", "batch", "a_1b", "a1b", "change", "vessel", "vessel_list", "vessel_link", "zz_object"]
LABELS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
EASY = settings(deadline=None, suppress_health_check=QUIET)


@pytest.fixture(scope="module")
def everybodys() -> tuple[Base, Template, Registry, dict[str, Any]]:
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    app = create_app(Settings.model_construct(**defaults))
    base = take_apart(app)
    return base, Template(base), app.state.services.engine.registry, render(app)


def caller(*scopes: str) -> Policy:
    organization: Any = SimpleNamespace(id=UUID(int=1))
    principal = Principal(organization, UUID(int=2), UUID(int=3), "test", frozenset(scopes), Actor("system", None))
    return Policy(principal, registry())


@st.composite
def fields(draw: st.DrawFn, object_name: str, targets: list[str]) -> list[CustomField]:
    found: list[CustomField] = []
    for number, name in enumerate(draw(st.lists(NAMES, unique=True, max_size=5))):
        kind = draw(st.sampled_from(KINDS))
        properties: dict[str, Any] = {}
        if kind in (FieldType.PICKLIST, FieldType.MULTI_PICKLIST):
            keys = draw(st.lists(NAMES, unique=True, min_size=1, max_size=4))
            properties["options"] = [{"key": key, "label": draw(LABELS), "active": draw(st.booleans())} for key in keys]
        elif kind is FieldType.REFERENCE:
            inverse = f"{object_name}_by_{name}_x"
            properties = {"target": draw(st.sampled_from(targets)), "inverse": inverse, "multiple": draw(st.booleans())}
        elif kind is not FieldType.AUTONUMBER:
            properties["required"] = draw(st.booleans())
        own = f"{name}_x_id" if kind is FieldType.REFERENCE and not properties["multiple"] else f"{name}_x"
        if kind in (FieldType.INTEGER, FieldType.NUMBER) and draw(st.booleans()):
            properties["min"] = draw(st.integers(-5, 5))
        if draw(st.booleans()):
            properties["help"] = draw(LABELS)
        unique = "slot_unique_1" if kind is FieldType.TEXT and draw(st.booleans()) and not any(f.unique for f in found) else None
        found.append(CustomField(uuid4(), object_name, own, draw(LABELS), kind, properties, None, unique, position=number))
    return found


@st.composite
def schemas(draw: st.DrawFn) -> tuple[list[CustomObject], list[CustomField]]:
    singulars = draw(st.lists(st.one_of(st.sampled_from(AWKWARD), NAMES), unique=True, max_size=3))
    objects = [CustomObject(uuid4(), f"{name}s_own", name, draw(LABELS), draw(LABELS)) for name in singulars if f"{name}s_own" != name]
    objects = [made for made in objects if made.singular not in ("contact", "account")] or objects[:0]
    targets = ["contacts", "accounts", *(made.api_name for made in objects)]
    found = draw(fields("contacts", targets))
    for made in objects:
        found.append(CustomField(uuid4(), made.api_name, "name", "Name", FieldType.TEXT))
        found += draw(fields(made.api_name, targets))
    return objects, found


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for item in node:
            yield from nodes(item)


def made_of(
    everybodys: tuple[Base, Template, Registry, Any], schema: tuple[list[CustomObject], list[CustomField]], policy: Policy
) -> Visible:
    return visible(policy, build(everybodys[2], (uuid4(), 1), *schema))


def check_references(document: dict[str, Any]) -> None:
    used = {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)}
    components = document["components"]
    known = {f"#/components/{kind}/{name}" for kind, found in components.items() if kind != "securitySchemes" for name in found}
    assert used == known
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    ids += [hook["post"]["operationId"] for hook in document["webhooks"].values()]
    assert len(ids) == len(set(ids))


def check_examples(document: dict[str, Any], names: set[str]) -> None:
    """Examples of the organisation's own objects fit their schemas."""
    description = Description(document, "an organisation's")
    wrong = []
    for path, methods in document["paths"].items():
        if path.split("/")[2:3] and path.split("/")[2] in names:
            for method, operation in methods.items():
                for holder in [operation.get("requestBody", {}), *map(description.resolved, operation["responses"].values())]:
                    for shown in holder.get("content", {}).values():
                        for example in shown.get("examples", {}).values():
                            value = description.resolved(example)["value"]
                            errors = description.validator(shown["schema"]).iter_errors(value)
                            wrong += [f"{method} {path}: {error.message[:200]}" for error in errors]
    assert wrong == []


def test_without_additions_it_is_everybodys(everybodys: tuple[Base, Template, Registry, dict[str, Any]]) -> None:
    base, template, standard, rendered = everybodys
    found = json.loads(compile_document(base, template, visible(caller("admin"), standard)))
    assert found == json.loads(json.dumps(rendered))


@examples(4, 60)
def test_any_schema_has_a_whole_document(everybodys: tuple[Base, Template, Registry, Any], examples: int) -> None:
    @settings(EASY, max_examples=examples)
    @given(schema=schemas())
    def check(schema: Any) -> None:
        check_whole(everybodys, schema)

    check()


def check_whole(everybodys: tuple[Base, Template, Registry, Any], schema: Any) -> None:
    base, template, _, _ = everybodys
    seen = made_of(everybodys, schema, caller("contacts:write", "accounts:write", *(f"{made.api_name}:write" for made in schema[0])))
    document = json.loads(compile_document(base, template, seen))
    check_references(document)
    assert mistakes(document) == []
    check_examples(document, {"contacts", *(made.api_name for made in schema[0])})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tenant, "fits", lambda resource: False)
        assert json.loads(compile_document(base, template, seen)) == document
    assert typescript(base, seen, 1) == typescript(base, seen, 1)


@pytest.mark.slow
@settings(EASY, max_examples=8)
@given(schema=schemas())
def test_any_schema_is_valid_openapi(everybodys: tuple[Base, Template, Registry, Any], schema: Any) -> None:
    """For a caller who sees little, since the validator takes its time."""
    base, template, _, _ = everybodys
    seen = made_of(everybodys, schema, caller("contacts:write", *(f"{made.api_name}:write" for made in schema[0])))
    document = json.loads(compile_document(base, template, seen))
    errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()]
    assert errors == []
    for resource in seen:
        if resource.made is not None:
            assert json.loads(json_schema(base, seen, resource.name, "create"))["title"].endswith("Create")
