"""The operations over records: from what a route is (`Operation`) to what the document says about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crm_api.http.openapi.parameters import EVERYWHERE, answer_parameters, headers, parameter, query, sort_schema, unique_field
from crm_api.http.openapi.problems import ALWAYS, WITH_BODY, error_answers
from crm_api.http.openapi.samples import Schema, sample
from crm_api.http.openapi.schemas import stem
from crm_api.http.openapi.shared import ref
from crm_api.http.records.operation import Kind, Operation
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource

EXAMPLE_REF: Final = "#/components/examples/"
JSON: Final = "application/json"
PATCH_TYPES: Final = ("application/json", "application/merge-patch+json")
SINGLE: Final = (404, 410)
WRITE_HEADERS: Final = {"ETag": "ETag", "X_Outcome": "XOutcome", "Idempotency_Replayed": "IdempotencyReplayed"}


@dataclass(slots=True)
class Described:
    """What a kind of operation has to say; `operation_object` adds what all operations have."""

    id: str
    summary: str
    description: str
    scope: str
    parameters: list[Schema] = field(default_factory=list)
    body: Schema | None = None
    answers: dict[str, Schema] = field(default_factory=dict)
    errors: Sequence[int] = ()


def a(resource: AnyResource) -> str:
    """`a contact`, `an account`."""
    word = resource.singular.replace("_", " ")
    return f"{'an' if word[0] in 'aeio' else 'a'} {word}"


def many(resource: AnyResource) -> str:
    """`case comments`."""
    return resource.name.replace("_", " ")


def read_scope(op: Operation) -> str:
    """The scope of reads."""
    return f"{op.resource.name}:read"


def one(op: Operation) -> str:
    """`case comment`."""
    return op.resource.singular.replace("_", " ")


def content(schema: Schema, example: Any = None, *, types: Sequence[str] = (JSON,), shared: str | None = None) -> Schema:
    """A body with an example, written here or (`shared`) kept among the document's components."""
    shown: Schema = {"schema": schema}
    if shared is not None:
        shown["examples"] = {"example": {"$ref": EXAMPLE_REF + shared}}
    elif example is not None:
        shown["examples"] = {"example": {"value": example}}
    return dict.fromkeys(types, shown)


class Builder:
    """Describes record operations. `schemas` are the document's, `examples` and `parameters` are filled as they are needed."""

    def __init__(self, registry: Registry, schemas: dict[str, Schema], filters: dict[str, list[str]]) -> None:
        self.registry = registry
        self.schemas = schemas
        self.filters = filters
        self.examples: dict[str, Schema] = {}
        self.parameters: dict[str, Schema] = {}
        self._makers: dict[Kind, Callable[[Operation], Described]] = _makers(self)
        self._shown: dict[str, list[Schema]] = {}

    def describe(self, operation: Operation) -> Schema:
        """The operation object. A kind that nobody has described yet gets what follows from its path, so that nothing fails."""
        maker = self._makers.get(operation.kind)
        return operation_object(operation, self.fallback(operation) if maker is None else maker(operation))

    def known(self, kind: Kind) -> bool:
        """Whether operations of this kind are described by hand."""
        return kind in self._makers

    # --- pieces -------------------------------------------------------------------------------------------------------

    def shared_example(self, name: str, value: Any) -> str:
        """Keeps an example for reference by name."""
        self.examples.setdefault(name, {"value": value})
        return name

    def shared_parameter(self, name: str, value: Schema) -> Schema:
        """Keeps a parameter and gives a reference to it."""
        self.parameters.setdefault(name, value)
        return parameter(name)

    def record(self, resource: AnyResource) -> Schema:
        """The content of an answer that is one record."""
        name = self.shared_example(stem(resource), self.example(resource))
        return content(ref(f"{stem(resource)}Read"), shared=name)

    def page(self, resource: AnyResource) -> Schema:
        """The content of an answer that is a page of records."""
        page = sample(self.schemas["Page"], self.schemas)
        name = self.shared_example(f"{stem(resource)}List", {"data": [self.example(resource)], "page": page})
        return content(ref(f"{stem(resource)}List"), shared=name)

    def example(self, resource: AnyResource) -> dict[str, Any]:
        """A whole record."""
        found: dict[str, Any] = self.schemas[f"{stem(resource)}Read"]["examples"][0]
        return found

    def create_example(self, resource: AnyResource) -> str:
        """The body that the declaration gives as an example."""
        return self.shared_example(f"{stem(resource)}Create", dict(resource.example))

    def patch_example(self, resource: AnyResource) -> str:
        """A change of one field."""
        known = self.schemas[f"{stem(resource)}Update"]["properties"]
        name = next((name for name in resource.example if name in known), "tags")
        return self.shared_example(f"{stem(resource)}Update", {name: resource.example.get(name, ["vip"])})

    def add_answer_parameters(self, resource: AnyResource) -> None:
        """Keeps what `shown` refers to; before any operation that shows the object is described."""
        found = answer_parameters(self.registry, resource)
        self.parameters |= found
        self.show(resource.name, list(found))

    def show(self, object_name: str, names: Sequence[str]) -> None:
        """Says which parameters an object's answers take, for one whose parameters are kept elsewhere."""
        self._shown[object_name] = [parameter(name) for name in names]

    def shown(self, resource: AnyResource) -> list[Schema]:
        """`fields`, `expand`, `include` and the options of expanded lists."""
        return [*self._shown[resource.name], parameter("Include")]

    def list_parameters(self, resource: AnyResource) -> list[Schema]:
        """What every list of records understands, but its field filters."""
        order = query(
            "sort",
            sort_schema(resource),
            "The order: fields, descending with `-` in front. Nulls come last either way.",
            list(resource.default_sort),
        )
        first = ["Limit", "Cursor"]
        rest = ["Count", "Deleted", *(["Q"] if resource.has_search else []), "Filter", "Since", "AsOf", "Consistent", "ViewId"]
        return [
            *(parameter(name) for name in first),
            self.shared_parameter(f"Sort.{resource.name}", order),
            *self.shown(resource),
            *(parameter(name) for name in rest),
            parameter("IfNoneMatch"),
            parameter("TimeZone"),
        ]

    def fallback(self, op: Operation) -> Described:
        """What can be said without knowing the kind."""
        words = f"{op.kind} {op.detail}".replace("_", " ").strip()
        answer = {"200": {"description": "Done.", "headers": headers(), "content": content({"type": "object"}, {})}}
        return Described(
            f"{op.kind}_{op.resource.name}" + (f"_{op.detail}" if op.detail else ""),
            f"{words.capitalize()}: {many(op.resource)}",
            f"{words.capitalize()} of {many(op.resource)}.",
            f"{op.resource.name}:{'read' if op.method == 'GET' else 'write'}",
            path_parameters(op),
            None,
            answer,
            (404, 409, 410, 422),
        )


def path_parameters(operation: Operation) -> list[Schema]:
    """The parameters in the path, in its order."""
    found = []
    for segment in operation.path.split("/"):
        if segment == "{id}":
            found.append(parameter("RecordId"))
        elif segment == "{other_id}":
            found.append(parameter("OtherId"))
        elif segment == "{unique_field}":
            found.append(unique_field(operation.resource))
        elif segment == "{value}":
            found.append(parameter("UniqueValue"))
        elif segment.startswith("{"):
            name = segment.strip("{}")
            found.append(
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "description": f"The {name.replace('_', ' ')}.",
                    "schema": {"type": "string"},
                }
            )
    return found


def operation_object(operation: Operation, described: Described) -> Schema:
    """The operation with what all have: scope, headers of request and answer, errors, tag."""
    writes = operation.method != "GET" and operation.kind not in READING and operation.detail != "read"
    more = [parameter(name) for name in (("IdempotencyKey", *EVERYWHERE) if writes else EVERYWHERE)]
    errors = set(ALWAYS) | set(described.errors)
    if described.body is not None:
        errors |= set(WITH_BODY)
    if 412 in errors:
        errors.add(428)  # an organisation may ask for If-Match
    if writes:
        errors |= {409, 422}  # the answers about the Idempotency-Key
    found: Schema = {
        "operationId": described.id,
        "summary": described.summary,
        "description": f"{described.description}\n\nScope: `{described.scope}`.",
        "tags": [operation.resource.name],
        "security": [{"bearer": [described.scope]}],
        "parameters": [*described.parameters, *more],
    }
    if described.body is not None:
        found["requestBody"] = described.body
    found["responses"] = {**described.answers, **error_answers(*errors)}
    return found


READING: Final = frozenset({"search", "aggregate"})


def _makers(builder: Builder) -> dict[Kind, Callable[[Operation], Described]]:
    from crm_api.http.openapi import access_kinds, board_kinds, kinds, link_kinds, more_kinds, nested_kinds

    return {
        **kinds.makers(builder),
        **more_kinds.makers(builder),
        **link_kinds.makers(builder),
        **nested_kinds.makers(builder),
        **board_kinds.makers(builder),
        **access_kinds.makers(builder),
    }
