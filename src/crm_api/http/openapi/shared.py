"""`components.schemas` that are the same for all objects: problems, pages, links, searches."""

from __future__ import annotations

from typing import Final

from crm_api.core.errors import PROBLEMS
from crm_api.http.openapi.samples import REF, Schema
from crm_api.kernel.query.plan import DEFAULT_EXPANDED, DEFAULT_PAGE, MAX_CONDITIONS, MAX_DEPTH, MAX_EXPANDED, MAX_HOPS, MAX_PAGE
from crm_api.kernel.query.values import OPERATORS

ITEMS: Final = 200
STRING: Final[Schema] = {"type": "string"}
UUID: Final[Schema] = {"type": "string", "format": "uuid"}


def ref(name: str) -> Schema:
    """A reference to a schema of the document."""
    return {"$ref": REF + name}


def nullable(schema: Schema) -> Schema:
    """The schema or null."""
    return {"anyOf": [schema, {"type": "null"}]}


ID: Final[Schema] = {
    "type": "string",
    "format": "uuid",
    "description": "The record's id.",
    "examples": ["01976f6e-8a00-7000-8000-000000000001"],
}
IF_MATCH: Final[Schema] = {
    "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}],
    "description": "The version the caller saw, as a number or as an `ETag`; another one gives 412 for this item.",
    "examples": [3],
}
BATCH_ITEM: Final[Schema] = {
    "type": "object",
    "properties": {
        "index": {"type": "integer", "description": "The item's place in `items`.", "examples": [0]},
        "status": {"type": "integer", "description": "The HTTP status that the item alone would have had.", "examples": [201]},
        "outcome": {"$ref": REF + "Outcome"},
        "id": {"type": "string", "format": "uuid", "examples": ["01976f6e-8a00-7000-8000-000000000001"]},
        "version": {"type": "integer", "description": "The version that the record has now.", "examples": [1]},
        "error": {"$ref": REF + "Problem"},
    },
    "required": ["index", "status"],
}


def batch(item: Schema, match_on: list[str] | None = None, *, required: bool = False) -> Schema:
    """The body of a batch of such items."""
    properties: Schema = {
        "mode": {
            "type": "string",
            "enum": ["partial", "atomic"],
            "default": "partial",
            "description": "`partial` writes every good item, `atomic` writes all or nothing.",
        },
        "items": {"type": "array", "minItems": 1, "maxItems": ITEMS, "items": item},
    }
    if match_on is not None:
        names = "|".join([*(name.replace(".", r"\.") for name in match_on), r"external_ids\.[a-z][a-z0-9_]{0,39}"])
        properties["match_on"] = {
            "type": "string",
            "pattern": f"^({names})$",
            "description": "The unique field by which records are found.",
            "examples": [match_on[0] if match_on else "external_ids.hubspot"],
        }
    return {
        "type": "object",
        "properties": properties,
        "required": ["items", "match_on"] if required else ["items"],
        "additionalProperties": False,
    }


def problem_schema() -> Schema:
    """The one shape of errors, with the table of codes."""
    rows = "\n".join(f"| `{p.code}` | {p.status} | {'yes' if p.retryable else 'no'} | {p.description} |" for p in PROBLEMS.values())
    string: Schema = {"type": "string"}
    return {
        "type": "object",
        "description": "What went wrong (RFC 9457). `code` says it to programs and never changes its meaning; new codes may be added. "
        "`title`, `detail` and messages are for people, `title` and `message` in the language of `Accept-Language`.\n\n"
        "| code | status | a retry can help | meaning |\n|---|---|---|---|\n" + rows,
        "properties": {
            "type": string | {"format": "uri-reference", "description": "The address of a page about this kind of problem."},
            "title": string | {"description": "The kind of problem in a few words."},
            "status": {"type": "integer", "description": "The HTTP status."},
            "code": string | {"enum": list(PROBLEMS), "description": "The kind of problem."},
            "detail": string | {"description": "What was wrong this time, for a developer."},
            "instance": string | {"description": "The request's id, as in `X-Request-Id`."},
            "errors": {"type": "array", "items": ref("FieldError"), "description": "Each single mistake with its place."},
            "required_scopes": {
                "type": "array",
                "items": string,
                "description": "With `insufficient_scope`: the scopes one of which is needed.",
            },
            "existing": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "object": string,
                        "id": nullable(string),
                        "field": string,
                        "visible": {"type": "boolean"},
                    },
                },
                "description": "With `duplicate`: who has the value; `id` is null if the caller may not see it.",
            },
            "duplicates": {"type": "array", "items": {"type": "object"}, "description": "With `possible_duplicate`: similar records."},
            "merged_into": {"type": ["string", "null"], "description": "With `merged` and `deleted`: the id of the winner."},
            "restorable": {"type": "boolean", "description": "With `deleted`: whether it can be restored."},
            "version": {"type": "integer", "description": "With `version_conflict`: the present version."},
            "conflicts": {
                "type": "array",
                "items": ref("FieldConflict"),
                "description": "With `version_conflict`: the fields that differ.",
            },
            "record": {"type": ["object", "null"], "description": "With `version_conflict` and `moved`: the present state."},
            "limit": string | {"description": "The limit that was exceeded."},
            "max": {"type": "number", "description": "Its value."},
            "actual": {"type": "number", "description": "What the request has or would lead to."},
            "expected": {"type": "number", "description": "With `selection_changed`: the count that was expected."},
            "oldest_cursor": string | {"description": "With `cursor_expired`: the first position that still exists."},
            "results": {"type": "array", "items": {"type": "object"}, "description": "With an atomic batch: what became of each item."},
        },
        "required": ["type", "title", "status", "code", "detail"],
        "x-codes": {p.code: {"status": p.status, "retryable": p.retryable} for p in PROBLEMS.values()},
    }


def shared_schemas() -> dict[str, Schema]:
    """Everything that is not about one object."""
    string, uuid = STRING, UUID
    end = {"type": "object", "properties": {"object": string, "id": uuid}, "required": ["object", "id"]}
    cursor = {"type": ["string", "null"]}
    return {
        "Problem": problem_schema(),
        "FieldError": {
            "type": "object",
            "description": "One mistake. Exactly one of `pointer`, `parameter` and `header` says where it is.",
            "properties": {
                "pointer": string
                | {"description": "JSON pointer into the body (RFC 6901); empty for the body as a whole.", "examples": ["/email"]},
                "parameter": string | {"description": "The query parameter.", "examples": ["amount[gte]"]},
                "header": string | {"description": "The request header.", "examples": ["If-Match"]},
                "code": string | {"description": "The kind of mistake, for programs.", "examples": ["invalid_email"]},
                "message": string | {"description": "The mistake in words.", "examples": ["Must be an e-mail address."]},
                "params": {"type": "object", "description": "The numbers and names in the message."},
                "allowed": {"type": "array", "items": {}, "description": "What would have been right."},
            },
            "required": ["code", "message"],
        },
        "FieldConflict": {
            "type": "object",
            "description": "A field that somebody else has changed since.",
            "properties": {
                "field": string,
                "base": {"description": "The value in the version you read."},
                "yours": {"description": "The value you sent."},
                "theirs": {"description": "The present value."},
                "actor": nullable(ref("ActorValue")),
                "occurred_at": {"type": ["string", "null"], "format": "date-time"},
            },
            "required": ["field"],
        },
        "Outcome": {
            "type": "string",
            "enum": ["created", "updated", "unchanged", "deleted", "restored", "purged"],
            "description": "What a write did. `unchanged`: no new version, no event.",
        },
        "Page": {
            "type": "object",
            "description": "Where the page stands in its list.",
            "properties": {
                "next_cursor": cursor | {"description": "The `cursor` of the next page; null on the last."},
                "prev_cursor": cursor | {"description": "The `cursor` of the page before; null on the first."},
                "has_more": {"type": "boolean", "description": "Whether a next page has records."},
                "count": {"type": "integer", "description": "How many records match in all; if `count` asked for it."},
                "too_broad": {"type": "boolean", "description": "True if `q` matched so many records that only the newest were ranked."},
                "purged": {
                    "type": "array",
                    "description": "With `since`: what is left of the records purged since then, and `hidden` ones, which the caller saw "
                    "before and no longer sees; on the last page of records and, if they are many, on pages of their own behind it. "
                    "Empty on the pages before.",
                    "items": {
                        "type": "object",
                        "properties": {
                            "object": string | {"examples": ["contacts"]},
                            "id": uuid | {"examples": ["01976f6e-8a00-7000-8000-000000000001"]},
                            "version": {
                                "type": "integer",
                                "examples": [4],
                                "description": "The version that the purge has in the journal; of a hidden record its present one.",
                            },
                            "purged": {"type": "boolean", "const": True},
                            "hidden": {"type": "boolean", "const": True},
                        },
                        "required": ["object", "id", "version"],
                    },
                },
                "access_version": {
                    "type": "integer",
                    "description": "Rises when the caller may see other records than before; in the journal only.",
                },
                "events_cursor": string
                | {
                    "description": "Following `GET /v1/events` from here misses nothing that this page doesn't show. Not in expanded lists."
                },
            },
            "required": ["next_cursor", "prev_cursor", "has_more"],
            "examples": [{"next_cursor": None, "prev_cursor": None, "has_more": False, "events_cursor": "AZk1Zm9vYmFy"}],
        },
        "Link": {
            "type": "object",
            "description": "An edge between two records, with attributes of its own.",
            "properties": {
                "id": uuid | {"examples": ["01976f6e-8a00-7000-8000-0000000000e1"]},
                "relation": string | {"examples": ["deals.contacts"], "description": "The relation's full name."},
                "from": end | {"examples": [{"object": "deals", "id": "01976f6e-8a00-7000-8000-0000000000d0"}]},
                "to": end | {"examples": [{"object": "contacts", "id": "01976f6e-8a00-7000-8000-000000000001"}]},
                "attributes": {"type": "object", "examples": [{"roles": ["decision_maker"], "is_primary": True}]},
                "version": {"type": "integer", "examples": [1]},
            },
            "required": ["id", "relation", "from", "to", "attributes", "version"],
        },
        "Merged": {
            "type": "object",
            "properties": {"merged_into": uuid | {"description": "The id of the winner."}},
            "required": ["merged_into"],
        },
        "BatchIds": batch(
            {"type": "object", "properties": {"id": ID, "if_match": IF_MATCH}, "required": ["id"], "additionalProperties": False}
        )
        | {"description": "The records to delete or restore."},
        "BatchRead": {
            "type": "object",
            "description": "The records to read.",
            "properties": {
                "items": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": ITEMS,
                    "items": {"type": "object", "properties": {"id": ID}, "required": ["id"], "additionalProperties": False},
                }
            },
            "required": ["items"],
            "additionalProperties": False,
        },
        **_search(),
    }


def _search() -> dict[str, Schema]:
    operators = list(dict.fromkeys(op for ops in OPERATORS.values() for op in ops))
    names = {"type": "array", "items": {"type": "string"}}
    tree = ref("Filter")
    field = {
        "type": "string",
        "description": "A field, or the way to one: `account.industry`, `billing_address.city`.",
        "examples": ["last_name"],
    }
    return {
        "Filter": {
            "description": "What records must be like. A node is `and`, `or`, `not`, a condition on a field, or a condition on the records "
            "of a to-many relation. "
            f"At most {MAX_CONDITIONS} conditions, {MAX_DEPTH} levels, {MAX_HOPS} relations in a path.",
            "oneOf": [ref("FilterAnd"), ref("FilterOr"), ref("FilterNot"), ref("FilterRelated"), ref("FilterCondition")],
            "examples": [
                {
                    "and": [
                        {"field": "last_name", "op": "starts_with", "value": "k"},
                        {"not": {"field": "tags", "op": "any_of", "value": ["vip"]}},
                    ]
                }
            ],
        },
        "FilterAnd": _node("and", {"type": "array", "minItems": 1, "items": tree}, "All of them."),
        "FilterOr": _node("or", {"type": "array", "minItems": 1, "items": tree}, "At least one of them."),
        "FilterNot": _node("not", tree, "Not so. A comparison with null counts as not so, hence `not` of it is true."),
        "FilterRelated": {
            "type": "object",
            "description": "A condition on related records: `any` of them, `all`, or `none`.",
            "properties": {"field": {"type": "string", "examples": ["deals"]}, "any": tree, "all": tree, "none": tree},
            "required": ["field"],
            "minProperties": 2,
            "maxProperties": 2,
            "additionalProperties": False,
        },
        "FilterCondition": {
            "type": "object",
            "description": 'A comparison. `value` is a value of the field\'s type, a list of them, or `{"field": name}` for another field. '
            "Text is compared without regard to case. Null differs from every value.",
            "properties": {
                "field": field,
                "op": {"type": "string", "enum": operators, "default": "eq", "description": "The operator."},
                "value": {"description": "What to compare with; left out for `is_null` and `is_not_null`.", "examples": ["King"]},
            },
            "required": ["field"],
            "additionalProperties": False,
        },
        "ExpandOptions": {
            "type": "object",
            "description": "How an expanded relation is shown. To-one relations take only `fields` and `expand`.",
            "properties": {
                "limit": {"type": "integer", "minimum": 1, "maximum": MAX_EXPANDED, "default": DEFAULT_EXPANDED},
                "sort": names,
                "fields": names,
                "filter": tree,
                "expand": {"type": "object", "additionalProperties": ref("ExpandOptions")},
            },
            "additionalProperties": False,
        },
        "Search": {
            "type": "object",
            "description": "A question to a list. Everything may be left out.",
            "properties": {
                "filter": tree,
                "q": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 256,
                    "description": "Words to find, each as a prefix.",
                    "examples": ["king"],
                },
                "sort": names | {"maxItems": 3, "description": "Fields, descending with `-` in front.", "examples": [["-created_at"]]},
                "fields": names | {"description": "The fields to show; all if left out.", "examples": [["display_name", "owner_id"]]},
                "expand": {
                    "type": "object",
                    "additionalProperties": ref("ExpandOptions"),
                    "description": "Related records to bring along, by relation.",
                    "examples": [{"owner": {"fields": ["name"]}}],
                },
                "include": {
                    "type": "array",
                    "items": {"type": "string", "enum": ["labels", "abilities"]},
                    "description": "`labels`: what people see for the values of each record, in the caller's language. `abilities`: what "
                    "the caller may do with it.",
                },
                "limit": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE, "examples": [20]},
                "cursor": {"type": "string", "description": "`next_cursor` or `prev_cursor` of a page of the same question."},
                "count": {"type": "string", "enum": ["none", "estimate", "exact"], "default": "none"},
                "deleted": {"type": "string", "enum": ["exclude", "only", "include"], "default": "exclude"},
                "as_of": {
                    "type": "string",
                    "format": "date-time",
                    "description": "Answer as it would have been then; at most 30 days ago.",
                },
                "view_id": {
                    "type": "string",
                    "format": "uuid",
                    "description": "A saved view: its conditions hold beside the filter, its order and columns where none are given.",
                },
                "explain": {
                    "type": "boolean",
                    "default": False,
                    "description": "Add what the question costs, as `plan`.",
                },
            },
            "additionalProperties": False,
        },
        "SearchPlan": {
            "type": "object",
            "description": "What a search will cost.",
            "properties": {
                "estimated_rows": {"type": "integer", "description": "How many records are thought to match."},
                "cost": {"type": "number", "description": "PostgreSQL's estimate, in its own unit."},
                "indexes": {"type": "array", "items": {"type": "string"}, "description": "The indexes used."},
                "full_scans": {"type": "array", "items": {"type": "string"}, "description": "Tables read as a whole."},
                "limits": {"type": "object", "description": "How much of the filter's limits is used."},
            },
            "required": ["estimated_rows", "cost", "indexes", "full_scans", "limits"],
        },
    }


def _node(word: str, inner: Schema, description: str) -> Schema:
    return {"type": "object", "description": description, "properties": {word: inner}, "required": [word], "additionalProperties": False}
