"""What each kind of record operation does: lists and single records, by id and by unique field."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from crm_api.http.openapi.operations import PATCH_TYPES, SINGLE, WRITE_HEADERS, Described, a, content, many, path_parameters
from crm_api.http.openapi.parameters import STRING, headers, parameter, query
from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.schemas import stem
from crm_api.http.openapi.shared import ref
from crm_api.http.records.operation import Kind, Operation

if TYPE_CHECKING:
    from crm_api.http.openapi.operations import Builder

_A: Final = "01976f6e-8a00-7000-8000-000000000001"
Maker = Callable[["Builder", Operation], Described]


def makers(builder: Builder) -> dict[Kind, Callable[[Operation], Described]]:
    """The descriptions of this file by kind."""
    return {kind: partial(maker, builder) for kind, maker in RECORD_MAKERS.items()}


def _names(*names: str) -> list[Schema]:
    return [parameter(name) for name in names]


def page_answers(b: Builder, op: Operation, page: Schema) -> dict[str, Schema]:
    """A page, or that it is still the same."""
    return {
        "200": {"description": "One page.", "headers": headers(ETag="ETag"), "content": page},
        "304": {"description": "The page is still what `If-None-Match` names.", "headers": headers(ETag="ETag")},
    }


def record_answers(b: Builder, op: Operation) -> dict[str, Schema]:
    """A record, that it is still the same, or where it went."""
    return {
        "200": {"description": "The record.", "headers": headers(ETag="ETag"), "content": b.record(op.resource)},
        "301": {
            "description": "The record was merged into another.",
            "headers": headers(Location="Location"),
            "content": content(ref("Merged"), {"merged_into": "01976f6e-8a00-7000-8000-000000000002"}),
        },
        "304": {"description": "The record is still what `If-None-Match` names.", "headers": headers(ETag="ETag")},
    }


def write_answers(b: Builder, op: Operation, text: str, *, created: bool = False, both: bool = False) -> dict[str, Schema]:
    """What a write of one record answers. `both`: it may create or change."""
    found: dict[str, Schema] = {}
    record = b.record(op.resource)
    if both or not created:
        found["200"] = {"description": text, "headers": headers(**WRITE_HEADERS), "content": record}
    if created:
        found["201"] = {"description": "Created.", "headers": headers(**WRITE_HEADERS, Location="Location"), "content": record}
    more = {"Location": "Location"} if created else {}
    found["204"] = {
        "description": f"{'Created' if created and not both else 'Done'}; `Prefer: return=minimal` asked for no record.",
        "headers": headers(**WRITE_HEADERS, **more, Preference_Applied="PreferenceApplied"),
    }
    return found


def _list(b: Builder, op: Operation) -> Described:
    # a field that is named as the lists' own parameter (`widgets.view_id`) filters by `view_id[in]`
    filters = [parameter(name) for name in b.filters[op.resource.name] if name != "Filter.view_id"]
    description = (
        f"{op.resource.description}\n\nOne page of them, the newest first unless `sort` says otherwise. Any field filters by its name "
        "(`field=value`) or with an operator (`field[op]=value`), also through relations (`owner.name=ada`, two deep); several filters are "
        "combined by and. For anything more use `filter` or `POST …/search`."
    )
    if op.resource.default_sort != ("-created_at",):
        description = description.replace("the newest first", f"sorted by `{','.join(op.resource.default_sort)}`")
    return Described(
        f"list_{op.resource.name}",
        f"List {many(op.resource)}",
        description,
        f"{op.resource.name}:read",
        [*b.list_parameters(op.resource), *filters],
        None,
        page_answers(b, op, b.page(op.resource)),
        (410, 422),
    )


def _related(b: Builder, op: Operation) -> Described:
    assert op.relation is not None
    target = b.registry[op.relation.target]
    edge = (
        " Each carries the edge that makes it part of the list as `link`, whose attributes can be filtered: `link.roles`."
        if op.relation.link
        else ""
    )
    return Described(
        f"list_{op.resource.name}_{op.relation.name}",
        f"List the {op.relation.name.replace('_', ' ')} of {a(op.resource)}",
        f"One page of the {op.relation.name.replace('_', ' ')} of {a(op.resource)}.{edge} Takes the filters of `GET "
        f"/v1/{target.name}`; an expanded list's "
        "`next_cursor` goes on here.",
        f"{op.resource.name}:read",
        [*path_parameters(op), *b.list_parameters(target)],
        None,
        page_answers(b, op, b.page(target)),
        (*SINGLE, 422),
    )


def _search(b: Builder, op: Operation) -> Described:
    name = next(iter(b.registry[op.resource.name].search), "owner_id")
    example: dict[str, Any] = {
        "filter": {"and": [{"field": name, "op": "is_not_null"}, {"not": {"field": "tags", "op": "any_of", "value": ["archived"]}}]},
        "sort": ["-created_at"],
        "limit": 20,
        "count": "exact",
    }
    answers = page_answers(b, op, b.page(op.resource))
    return Described(
        f"search_{op.resource.name}",
        f"Search {many(op.resource)}",
        f"Finds {many(op.resource)} by a tree of conditions over their own fields and those of related records, in both directions. "
        "Without a cap on results: `cursor` walks through all of them.",
        f"{op.resource.name}:read",
        _names("IfNoneMatch", "TimeZone"),
        {"required": True, "content": content(ref("Search"), example)},
        answers,
        (410,),
    )


def get(b: Builder, op: Operation) -> Described:
    return Described(
        f"get_{op.resource.name}",
        f"Get {a(op.resource)}",
        f"One {op.resource.singular.replace('_', ' ')} by its id.",
        f"{op.resource.name}:read",
        [*path_parameters(op), *b.shown(op.resource), *_names("AsOf", "IfNoneMatch")],
        None,
        record_answers(b, op),
        SINGLE,
    )


def _get_by(b: Builder, op: Operation) -> Described:
    return Described(
        f"get_{op.resource.name}_by",
        f"Get {a(op.resource)} by a unique field",
        f"One {op.resource.singular.replace('_', ' ')} by a value that is unique among live records, or by its id in another system.",
        f"{op.resource.name}:read",
        [*path_parameters(op), *b.shown(op.resource), *_names("IfNoneMatch")],
        None,
        record_answers(b, op),
        SINGLE,
    )


def _create(b: Builder, op: Operation) -> Described:
    return Described(
        f"create_{op.resource.name}",
        f"Create {a(op.resource)}",
        f"Creates {a(op.resource)}. Give it an `id` (UUIDv7) of your own, or send an `Idempotency-Key`, and repeating the request is safe.",
        f"{op.resource.name}:write",
        [*b.shown(op.resource), *_names("DryRun", "AllowDuplicates", "Prefer")],
        {"required": True, "content": content(ref(f"{stem(op.resource)}Create"), shared=b.create_example(op.resource))},
        write_answers(b, op, "", created=True),
        (404, 423),
    )


_PATCHES = (
    "A merge patch (RFC 7396): what is left out stays, null clears, lists are replaced. Nothing changed means no new version and "
    "`X-Outcome: unchanged`."
)


def _patch_body(b: Builder, op: Operation) -> Schema:
    return {"required": True, "content": content(ref(f"{stem(op.resource)}Update"), types=PATCH_TYPES, shared=b.patch_example(op.resource))}


def update(b: Builder, op: Operation) -> Described:
    return Described(
        f"update_{op.resource.name}",
        f"Change {a(op.resource)}",
        f"Changes {a(op.resource)}. {_PATCHES}",
        f"{op.resource.name}:write",
        [*path_parameters(op), *b.shown(op.resource), *_names("DryRun", "Conflict", "AllowDuplicates", "IfMatch", "Prefer")],
        _patch_body(b, op),
        write_answers(b, op, "Changed, or unchanged."),
        (*SINGLE, 412, 423),
    )


def _update_by(b: Builder, op: Operation) -> Described:
    described = update(b, op)
    described.id, described.summary = f"update_{op.resource.name}_by", f"Change {a(op.resource)} by a unique field"
    described.description = f"Changes the {op.resource.singular.replace('_', ' ')} that has this unique value. {_PATCHES}"
    return described


def _upsert_by(b: Builder, op: Operation) -> Described:
    return Described(
        f"upsert_{op.resource.name}_by",
        f"Create or change {a(op.resource)} by a unique field",
        f"Changes the {op.resource.singular.replace('_', ' ')} that has this unique value, as a merge patch does, or creates it. The "
        "value in the path "
        "becomes the record's unless the body says otherwise.",
        f"{op.resource.name}:write",
        [*path_parameters(op), *b.shown(op.resource), *_names("DryRun", "AllowDuplicates", "Prefer")],
        {"required": True, "content": content(ref(f"{stem(op.resource)}Upsert"), shared=b.create_example(op.resource))},
        write_answers(b, op, "Changed, or unchanged.", created=True, both=True),
        (*SINGLE, 412, 423),
    )


_DELETE_PARAMETERS: Final = {
    "move_to": "The {what} that takes over the records which stand in this one; without it one that is in use can't be deleted (409).",
    "transfer_to": "The active user who gets the {what}'s records; a job hands them over (`GET /v1/jobs?type=hand_over_records`). "
    "Without it the records keep their owner.",
}


def delete(b: Builder, op: Operation) -> Described:
    what = op.resource.singular.replace("_", " ")
    extra = [query(name, STRING, _DELETE_PARAMETERS[name].format(what=what), _A) for name in op.resource.rules.delete_parameters]
    return Described(
        f"delete_{op.resource.name}",
        f"Delete {a(op.resource)}",
        f"Deletes {a(op.resource)} so that it can be restored. Deleting it again changes nothing. With `purge=true` it goes for good.",
        f"{op.resource.name}:delete",
        [*path_parameters(op), *b.shown(op.resource), *_names("DryRun", "OnChildren", "Purge"), *extra, *_names("IfMatch", "Prefer")],
        None,
        write_answers(b, op, "The record as it was deleted."),
        (*SINGLE, 412, 423),
    )


def _delete_by(b: Builder, op: Operation) -> Described:
    described = delete(b, op)
    described.id, described.summary = f"delete_{op.resource.name}_by", f"Delete {a(op.resource)} by a unique field"
    return described


def _restore(b: Builder, op: Operation) -> Described:
    return Described(
        f"restore_{op.resource.name}",
        f"Restore {a(op.resource)}",
        f"Brings a deleted {op.resource.singular.replace('_', ' ')} back. 409 if a live record has taken one of its unique values "
        "meanwhile.",
        f"{op.resource.name}:delete",
        [*path_parameters(op), *b.shown(op.resource), *_names("DryRun", "IfMatch", "Prefer")],
        None,
        write_answers(b, op, "The restored record."),
        (*SINGLE, 412, 423),
    )


def _batch(b: Builder, op: Operation) -> Described:
    verb, name = op.detail, stem(op.resource)
    body = {"create": f"{name}BatchCreate", "update": f"{name}BatchUpdate", "upsert": f"{name}BatchUpsert", "read": "BatchRead"}.get(
        verb, "BatchIds"
    )
    id_ = "01976f6e-8a00-7000-8000-000000000001"
    known = dict(op.resource.example)
    example: dict[str, Any] = {"items": [{"id": id_}]}
    if verb == "create":
        example = {"mode": "partial", "items": [known]}
    elif verb == "update":
        example = {"mode": "atomic", "items": [{"id": id_, "tags": ["vip"]}]}
    elif verb == "upsert":
        match_on = "external_ids.hubspot"
        example = {"match_on": match_on, "items": [{**known, "external_ids": {"hubspot": "51"}}]}
    status, outcome = {"create": (201, "created"), "read": (200, None)}.get(
        verb, (200, f"{verb}d".replace("ed", "d").replace("restord", "restored"))
    )
    outcome = {"update": "updated", "upsert": "updated", "delete": "deleted", "restore": "restored"}.get(verb, outcome)
    good = {
        "index": 0,
        "status": status,
        **({"outcome": outcome} if outcome else {}),
        "id": id_,
        "version": 3,
        "record": b.example(op.resource),
    }
    result = b.shared_example(f"{name}Batch.{verb}", {"results": [good]})
    options = [] if verb == "read" else _names("DryRun", "AllowDuplicates", "Prefer")
    scope = {"read": "read", "delete": "delete", "restore": "delete"}.get(verb, "write")
    how = (
        ""
        if verb == "read"
        else " `partial` (the default) does what can be done; `atomic` does all or nothing, answering with the first error."
    )
    return Described(
        f"batch_{verb}_{op.resource.name}",
        f"{verb.capitalize()} up to 200 {many(op.resource)}",
        "One call for up to 200 records. The results come in the order of the items, each with the status that it alone would have "
        f"had.{how}",
        f"{op.resource.name}:{scope}",
        [*b.shown(op.resource), *options],
        {"required": True, "content": content(ref(body), example)},
        {
            "207": {
                "description": "What became of each item.",
                "headers": headers(),
                "content": content(ref(f"{name}BatchResult"), shared=result),
            }
        },
        () if verb == "read" else (*SINGLE, 412, 423),
    )


RECORD_MAKERS: dict[Kind, Maker] = {
    "list": _list,
    "related": _related,
    "search": _search,
    "get": get,
    "get_by": _get_by,
    "create": _create,
    "update": update,
    "update_by": _update_by,
    "upsert_by": _upsert_by,
    "delete": delete,
    "delete_by": _delete_by,
    "restore": _restore,
    "batch": _batch,
}
