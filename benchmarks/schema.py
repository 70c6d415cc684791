"""How long one organisation's own description takes: 500 fields of its own on standard objects, and 50 objects of its own.

`python -m benchmarks --only schema`, or `python -m benchmarks.schema` for this alone. Needs no database: definitions are
values. Times are of one process: elapsed, and what its processor took.
"""

from __future__ import annotations

import gc
import platform
import zlib
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from crm_api.db.uow import Actor
from crm_api.http.app import create_app
from crm_api.http.meta.typescript import typescript
from crm_api.http.openapi.tenant.base import take_apart
from crm_api.http.openapi.tenant.document import compile_document
from crm_api.http.openapi.tenant.template import Template
from crm_api.kernel.catalog import build
from crm_api.kernel.custom.definitions import CustomField, CustomObject
from crm_api.kernel.policy import Policy
from crm_api.kernel.principal import Principal
from crm_api.kernel.registry import Registry
from crm_api.kernel.visible import visible
from crm_api.models.columns import FieldType
from crm_api.settings import Settings

FIELDS, OBJECTS, FIELDS_OF_OBJECT = 500, 50, 6
ROUNDS = 9
TYPES = (
    FieldType.TEXT, FieldType.PICKLIST, FieldType.NUMBER, FieldType.DECIMAL, FieldType.DATE, FieldType.DATETIME, FieldType.BOOLEAN,
    FieldType.EMAIL, FieldType.MULTI_PICKLIST, FieldType.INTEGER,
)  # fmt: skip
STANDARD = ("accounts", "contacts", "leads", "deals", "cases")
OPTIONS = [{"key": f"option_{n}", "label": f"Option {n}", "active": True} for n in range(8)]


def field_of(object_name: str, number: int) -> CustomField:
    """The object's field of this number; kinds take turns."""
    kind = TYPES[number % len(TYPES)]
    properties: dict[str, Any] = {"options": OPTIONS} if kind in (FieldType.PICKLIST, FieldType.MULTI_PICKLIST) else {}
    return CustomField(uuid4(), object_name, f"field_{number}", f"Field {number}", kind, properties, position=number)


def definitions() -> tuple[list[CustomObject], list[CustomField]]:
    """A large organisation's additions; each object refers to an account, so accounts have 50 relations more."""
    fields = [field_of(STANDARD[number % len(STANDARD)], number) for number in range(FIELDS)]
    objects = []
    for number in range(OBJECTS):
        name = f"things_{number}"
        objects.append(CustomObject(uuid4(), name, f"thing_{number}", f"Thing {number}", f"Things {number}"))
        fields += [field_of(name, n) for n in range(FIELDS_OF_OBJECT)]
        reference = {"target": "accounts", "inverse": name}
        fields.append(CustomField(uuid4(), name, "account_id", "Account", FieldType.REFERENCE, reference, position=99))
    return objects, fields


def administrator() -> Principal:
    """Somebody who may see everything."""
    organization: Any = SimpleNamespace(id=UUID(int=1))
    return Principal(organization, UUID(int=2), UUID(int=3), "benchmark", frozenset({"admin"}), Actor("system", None))


def measured(what: str, work: Callable[[], bytes | str | Registry]) -> dict[str, Any]:
    """The median of some rounds, in milliseconds, and how much came out."""
    elapsed, used = [], []
    size = 0
    for _ in range(ROUNDS):
        began, cpu = perf_counter(), process_time()
        found = work()
        elapsed.append((perf_counter() - began) * 1000)
        used.append((process_time() - cpu) * 1000)
        size = len(found) if isinstance(found, bytes | str) else 0
    return {
        "what": what,
        "ms": round(median(elapsed), 1),
        "cpu_ms": round(median(used), 1),
        "least_ms": round(min(elapsed), 1),
        "bytes": size,
    }


def measure() -> list[dict[str, Any]]:
    """All figures."""
    app = create_app(Settings.model_construct(**{name: field.default for name, field in Settings.model_fields.items()}))
    standard: Registry = app.state.services.engine.registry
    began = process_time()
    base = take_apart(app)
    template = Template(base)
    results: list[dict[str, Any]] = [
        {"what": "all organisations' description taken apart, once per process", "cpu_ms": round((process_time() - began) * 1000, 1)}
    ]
    gc.collect()
    gc.freeze()  # as the server does
    gc.set_threshold(20_000, 20, 20)
    objects, fields = definitions()
    registry = build(standard, (UUID(int=1), 1), objects, fields)
    policy = Policy(administrator(), registry)
    only_fields = build(standard, (UUID(int=1), 2), [], [field for field in fields if field.object in STANDARD])
    results.append(measured("registry", lambda: build(standard, (UUID(int=1), 1), objects, fields)))
    results.append(measured("openapi.json, 500 fields", lambda: compile_document(base, template, visible(policy, only_fields))))
    results.append(measured("openapi.json, 500 fields and 50 objects", lambda: compile_document(base, template, visible(policy, registry))))
    results.append(measured("types.ts, 500 fields and 50 objects", lambda: typescript(base, visible(policy, registry), 1)))
    body = compile_document(base, template, visible(policy, registry))
    results.append(measured("gzip of openapi.json, level 1", lambda: zlib.compress(body, 1)))
    return results


def line(result: dict[str, Any]) -> str:
    """One figure for people."""
    return "  ".join(f"{name} {value if isinstance(value, str) else format(value, ',.1f')}" for name, value in result.items())


if __name__ == "__main__":
    for found in measure():
        print(line(found))
    print(f"Python {platform.python_version()}")
