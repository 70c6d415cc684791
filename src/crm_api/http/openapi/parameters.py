"""`components.parameters` and `components.headers`: what requests and answers carry beside their bodies."""

from __future__ import annotations

from typing import Any, Final

from crm_api.http.openapi.samples import Schema
from crm_api.kernel.query.plan import DEFAULT_EXPANDED, DEFAULT_PAGE, MAX_EXPANDED, MAX_PAGE
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource

PARAMETER_REF: Final = "#/components/parameters/"
HEADER_REF: Final = "#/components/headers/"
EXTERNAL: Final = r"external_ids\.[a-z][a-z0-9_]{0,39}"
STRING: Final[Schema] = {"type": "string"}
BOOLEAN: Final[Schema] = {"type": "boolean"}
NAMES: Final[Schema] = {"type": "array", "items": STRING}
INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}


def query(name: str, schema: Schema, description: str, example: Any = None) -> Schema:
    """A query parameter. Lists are separated by commas.

    The example stands in the schema: where it stands in the parameter itself, the reference page sends it with every request.
    """
    shown = schema if example is None else {**schema, "examples": [example]}
    found: Schema = {"name": name, "in": "query", "description": description, "schema": shown}
    if schema.get("type") == "array":
        found |= {"style": "form", "explode": False}
    return found


def header(name: str, schema: Schema, description: str, example: Any) -> Schema:
    """A request header."""
    return {"name": name, "in": "header", "description": description, "schema": {**schema, "examples": [example]}}


def path(name: str, schema: Schema, description: str, example: Any) -> Schema:
    """A part of the path."""
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema, "example": example}


SHARED: Final[dict[str, Schema]] = {
    "WebhookId": {
        **header(
            "webhook-id",
            STRING,
            "The event's id: the same in each try, so that a receiver knows what it has had; of a batch an id of its own.",
            "01976f6e-8a00-7000-8000-0000000000f1",
        ),
        "required": True,
    },
    "WebhookTimestamp": {
        **header(
            "webhook-timestamp",
            STRING,
            "When this try was made, in seconds since 1970. Refuse what is more than five minutes old.",
            "1795318260",
        ),
        "required": True,
    },
    "WebhookSignature": {
        **header(
            "webhook-signature",
            STRING,
            "Signatures of `id.timestamp.body`, separated by spaces; one that fits is enough. `v1,` stands "
            "before HMAC-SHA256, `v1a,` before Ed25519 (Standard Webhooks 1.0).",
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        "required": True,
    },
    "Include": query(
        "include",
        {"type": "array", "items": {"type": "string", "enum": ["labels", "abilities"]}},
        "`labels` adds to each record what people see for its values: names of related records and choices, numbers, amounts and dates in "
        "the caller's language, zone and formats; `abilities` what the caller may do with it.",
        ["labels"],
    ),
    "Limit": query("limit", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE}, "Records on a page.", 20),
    "Cursor": query(
        "cursor", STRING, "`next_cursor` or `prev_cursor` of another page of the same list with the same filter, sort and view."
    ),
    "Count": query(
        "count",
        {"type": "string", "enum": ["none", "estimate", "exact"], "default": "none"},
        "Whether `page.count` tells how many records match: not, exactly up to 10,000 with 10,001 for more (`estimate`), or exactly "
        "(slow on large lists).",
    ),
    "Deleted": query(
        "deleted", {"type": "string", "enum": ["exclude", "only", "include"], "default": "exclude"}, "What to do about deleted records."
    ),
    "Q": query(
        "q",
        {"type": "string", "minLength": 1, "maxLength": 256},
        "Words to find in the record's texts, each as a prefix. Best matches first.",
        "king",
    ),
    "Filter": query(
        "filter",
        STRING,
        "A search tree as JSON, as in `POST …/search`: relations both ways, `and`, `or`, `not`. Combined with the other filters by `and`.",
        '{"field":"owner.name","op":"starts_with","value":"ada"}',
    ),
    "Since": query(
        "since",
        STRING,
        "A journal cursor (`page.events_cursor`): gives each record changed since then once, deleted ones too, and purged ones in "
        "`page.purged`. Next time go on from the first page's `events_cursor`.",
    ),
    "ViewId": query(
        "view_id",
        {"type": "string", "format": "uuid"},
        "A saved view (`/v1/views`): its conditions hold beside the other filters; its order and columns where `sort` and `fields` are "
        "left out. A private view of somebody else is 404; one that names what is no longer there is 422.",
    ),
    "AsOf": query(
        "as_of", INSTANT, "Answer as it would have been at this instant, at most 30 days ago for lists.", "2026-11-22T03:31:00.000000Z"
    ),
    "Consistent": query("consistent", {"type": "boolean", "default": False}, "Pin the walk through all pages to the first page's instant."),
    "DryRun": query("dry_run", {"type": "boolean", "default": False}, "Check everything and answer as if it were done, but store nothing."),
    "AllowDuplicates": query(
        "allow_duplicates", {"type": "boolean", "default": False}, "Write although a matching rule finds similar records."
    ),
    "Conflict": query(
        "conflict",
        {"type": "string", "enum": ["record", "fields"], "default": "record"},
        "When a stale `If-Match` fails: on any change since (`record`), or only if a field that you send has changed (`fields`).",
    ),
    "OnChildren": query(
        "on_children",
        {"type": "string", "enum": ["block", "detach", "cascade"], "default": "block"},
        "What becomes of records that refer to it: refuse (409), clear their reference, or delete them too.",
    ),
    "Purge": query(
        "purge",
        {"type": "boolean", "default": False},
        "Remove it for good, with its history's values; answers 204. Needs a permission of its own.",
    ),
    "RecordId": path("id", {"type": "string", "format": "uuid"}, "The record's id.", "01976f6e-8a00-7000-8000-000000000001"),
    "OtherId": path(
        "other_id", {"type": "string", "format": "uuid"}, "The id of the record at the other end.", "01976f6e-8a00-7000-8000-0000000000a1"
    ),
    "UniqueValue": path("value", {"type": "string", "minLength": 1}, "The value, percent-encoded (`/` as `%2F`).", "51"),
    "IdempotencyKey": header(
        "Idempotency-Key",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
        "A text of your choice, the same for each repetition of one request: for 24 hours the first answer is given again instead of "
        "writing twice.",
        "b2f1c8de-1",
    ),
    "IfMatch": header("If-Match", STRING, "The `ETag` you read. If the record has another version by now, nothing is written: 412.", '"3"'),
    "IfNoneMatch": header(
        "If-None-Match", STRING, "An `ETag` you have. If the answer is still the same: 304 without a body.", '"3.9f86d081884c7d65"'
    ),
    "Prefer": header("Prefer", STRING, "`return=minimal` answers a write with 204 and no record (RFC 7240).", "return=minimal"),
    "TimeZone": header("Time-Zone", STRING, "IANA name of the zone of relative filters such as `today`; else the user's.", "Europe/Berlin"),
    "CrmVersion": header(
        "CRM-Version",
        {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
        "The dated version of the API; else the one of the token.",
        "2026-12-01",
    ),
    "AcceptLanguage": header(
        "Accept-Language", STRING, "Language of titles and messages of errors (`en` or `de`), and of labels; else the user's.", "de"
    ),
    "RequestId": header(
        "X-Request-Id",
        STRING,
        "Your own id for this request; comes back in the answer and stands in the events it causes.",
        "req-7f3a",
    ),
}

EVERYWHERE: Final = ("CrmVersion", "AcceptLanguage", "RequestId")

HEADERS: Final[dict[str, Schema]] = {
    "XRequestId": {
        "description": "The request's id; quote it in questions to support.",
        "schema": STRING,
        "example": "01976f6e-8a00-7000-8000-00000000000f",
    },
    "RateLimitPolicy": {
        "description": "The limits that hold: `q` is the cost allowed in `w` seconds.",
        "schema": STRING,
        "example": '"default";q=600;w=60',
    },
    "RateLimit": {
        "description": "What is left: `r` of the cost, for `t` more seconds.",
        "schema": STRING,
        "example": '"default";r=599;t=60',
    },
    "CrmVersion": {"description": "The dated version of the API that answered.", "schema": STRING, "example": "2026-12-01"},
    "ETag": {
        "description": 'Reads: `"<version>.<digest of the answer>"`; writes: `"<version>"`. Use it in `If-Match` and `If-None-Match`.',
        "schema": STRING,
        "example": '"3.9f86d081884c7d65"',
    },
    "Location": {"description": "Where the record is.", "schema": STRING, "example": "/v1/contacts/01976f6e-8a00-7000-8000-000000000001"},
    "XOutcome": {
        "description": "What the write did. `unchanged`: no new version, no event.",
        "schema": {"type": "string", "enum": ["created", "updated", "unchanged", "deleted", "restored"]},
        "example": "updated",
    },
    "IdempotencyReplayed": {
        "description": "`true` if this is the stored answer to an earlier request with the same `Idempotency-Key`.",
        "schema": {"type": "string", "enum": ["true"]},
        "example": "true",
    },
    "PreferenceApplied": {"description": "The preference of `Prefer` that was followed.", "schema": STRING, "example": "return=minimal"},
    "RetryAfter": {"description": "Seconds to wait before trying again.", "schema": {"type": "integer"}, "example": 2},
    "WwwAuthenticate": {"description": "How to authenticate (RFC 6750).", "schema": STRING, "example": 'Bearer error="invalid_token"'},
    "Allow": {"description": "The methods of this path.", "schema": STRING, "example": "GET, HEAD, OPTIONS"},
}
COMMON_HEADERS: Final = {
    "X-Request-Id": "XRequestId",
    "RateLimit-Policy": "RateLimitPolicy",
    "RateLimit": "RateLimit",
    "CRM-Version": "CrmVersion",
}


def headers(**names: str) -> Schema:
    """Response headers by reference: the common ones and those named (`ETag="ETag"`, `X_Outcome="XOutcome"`)."""
    found = {**COMMON_HEADERS, **{name.replace("_", "-"): component for name, component in names.items()}}
    return {name: {"$ref": HEADER_REF + component} for name, component in found.items()}


def parameter(name: str) -> Schema:
    """A reference to a parameter of the document."""
    return {"$ref": PARAMETER_REF + name}


def answer_parameters(registry: Registry, resource: AnyResource) -> dict[str, Schema]:
    """`fields` and `expand` of calls that answer with records of this object, and the options of expanded lists."""
    relations = registry.relations[resource.name]
    names = [name for name in resource.all_fields if name not in ("object", "id")]
    found = {
        f"Fields.{resource.name}": query(
            "fields",
            {"type": "array", "items": {"type": "string", "pattern": r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$"}},
            "The fields to show, separated by commas; `object` and `id` always come. A related record's field brings that record along "
            "(`owner.name`). Fields: `" + "`, `".join(names) + "`.",
            names[:3],
        )
    }
    if relations:
        found[f"Expand.{resource.name}"] = query(
            "expand",
            {"type": "array", "items": {"type": "string", "pattern": rf"^({'|'.join(relations)})(\.[a-z][a-z0-9_]*){{0,2}}$"}},
            "Related records to bring along, separated by commas: `" + "`, `".join(relations) + "`. Nested with dots, three deep.",
            [next(iter(relations))],
        )
    for name, relation in relations.items():
        if relation.kind == "to_one":
            continue
        key, words = f"{resource.name}.{name}", f"With `expand={name}`: "
        found[f"ExpandLimit.{key}"] = query(
            f"expand[{name}][limit]",
            {"type": "integer", "minimum": 1, "maximum": MAX_EXPANDED, "default": DEFAULT_EXPANDED},
            f"{words}how many of each record's {name.replace('_', ' ')}.",
            5,
        )
        target = registry[relation.target]
        found[f"ExpandSort.{key}"] = query(f"expand[{name}][sort]", sort_schema(target), f"{words}their order.", list(target.default_sort))
        found[f"ExpandFields.{key}"] = query(f"expand[{name}][fields]", NAMES, f"{words}their fields.", ["display_name"])
    return found


def sort_schema(resource: AnyResource) -> Schema:
    """The fields that a list can be sorted by, descending with `-` in front."""
    names = "|".join(name.replace(".", r"\.") for name, field in resource.all_fields.items() if field.sortable)
    return {"type": "array", "maxItems": 3, "items": {"type": "string", "pattern": f"^[-+]?({names})$"}}


def unique_field(resource: AnyResource) -> Schema:
    """The path parameter that names a unique field."""
    names = [*(name.replace(".", r"\.") for name in resource.unique_fields), EXTERNAL]
    shown = [*resource.unique_fields, "external_ids.<system>"]
    return path(
        "unique_field",
        {"type": "string", "pattern": f"^({'|'.join(names)})$"},
        "A field that is unique among live records: `" + "`, `".join(shown) + "`.",
        resource.unique_fields[0] if resource.unique_fields else "external_ids.hubspot",
    )
