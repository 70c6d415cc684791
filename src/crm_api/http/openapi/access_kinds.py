"""What the routes about access to single records do: shares, co-owners, explanations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from crm_api.http.openapi.kinds import Maker
from crm_api.http.openapi.operations import SINGLE, WRITE_HEADERS, Described, a, content, one, path_parameters, read_scope
from crm_api.http.openapi.parameters import headers, parameter, query
from crm_api.http.openapi.samples import Schema, sample
from crm_api.http.openapi.shared import ref
from crm_api.http.records.access import LOOKED_AT
from crm_api.http.records.operation import Kind, Operation
from crm_api.kernel.access.explain import NEEDS
from crm_api.kernel.access.shares import MAX_SHARES

if TYPE_CHECKING:
    from crm_api.http.openapi.operations import Builder

_A: Final = "01976f6e-8a00-7000-8000-000000000001"
_B: Final = "01976f6e-8a00-7000-8000-000000000002"
_LEVEL: Final[Schema] = {
    "type": "string",
    "enum": ["read", "write", "full"],
    "description": "`read` to see it, `write` to change it, `full` to delete, transfer and share it too: what an owner may. "
    "The profile has to allow each action as well.",
    "examples": ["read"],
}
_ENDS: Final[Schema] = {
    "type": ["string", "null"],
    "format": "date-time",
    "description": "When it ends, by the organisation's own time; null for never.",
    "examples": ["2026-12-24T17:00:00.000000Z"],
}
_DECIDING: Final = (
    "`super_admin`, `modify_all`, `view_all`, `organization_default`, `object` (no record of its object is closed to anybody), `owner`, "
    "`co_owner`, `role_hierarchy` and `manager_chain` (`owner_id` names whom one stands above), `sharing_rule` (`rule_id`, `name`), "
    "`share` (`share_id`, `grantee`, `expires_at`), `territory` (the same); `through` names the record above, where that decides. What "
    "forbids: `scope` (of the token), `profile`, `restriction_rule` (`rule_id`, `name`), `private`, `level` (too little is reached)."
)


def makers(builder: Builder) -> dict[Kind, Callable[[Operation], Described]]:
    """The descriptions of this file by kind."""
    return {kind: partial(maker, builder) for kind, maker in _MAKERS.items()}


def _id(description: str) -> Schema:
    return {"type": "string", "format": "uuid", "description": description, "examples": [_B]}


def access_schemas() -> dict[str, Schema]:
    """Shares, explanations and abilities."""
    flag = {"type": "boolean"}
    grantee: Schema = {
        "type": "object",
        "description": "Whom it is for.",
        "properties": {
            "type": {"type": "string", "enum": ["user", "role", "role_tree", "team", "territory"], "examples": ["team"]},
            "id": _id("Which one."),
        },
        "required": ["type", "id"],
    }
    deciding: Schema = {
        "type": "object",
        "description": f"What decides: {_DECIDING}",
        "properties": {"kind": {"type": "string"}},
        "required": ["kind"],
        "additionalProperties": True,
        "examples": [{"kind": "role_hierarchy", "level": "full", "owner_id": _B}],
    }
    verdict: Schema = {
        "type": "object",
        "properties": {"allowed": flag, "decided_by": ref("AccessDecision")},
        "required": ["allowed", "decided_by"],
    }
    return {
        "Abilities": {
            "type": "object",
            "description": "What the caller may do with the record. Only with `include=abilities`.",
            "properties": {
                "update": flag | {"description": "Change it."},
                "delete": flag | {"description": "Delete it."},
                "transfer": flag | {"description": "Give it to another owner."},
                "share": flag | {"description": "Share it, and name co-owners."},
                "read_only_fields": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Fields that the caller's profile shows but doesn't let be written.",
                },
            },
            "required": ["update", "delete", "transfer", "share", "read_only_fields"],
            "examples": [{"update": True, "delete": False, "transfer": False, "share": False, "read_only_fields": ["amount"]}],
        },
        "Share": {
            "type": "object",
            "description": "One record shared with a user, a role, a team or a territory.",
            "properties": {
                "object": {"type": "string", "const": "shares"},
                "id": _id("The share's id."),
                "version": {"type": "integer", "description": "Rises with every change.", "examples": [1]},
                "record": {
                    "type": "object",
                    "description": "What is shared.",
                    "properties": {"object": {"type": "string", "examples": ["contacts"]}, "id": _id("The record's id.")},
                    "required": ["object", "id"],
                },
                "grantee": grantee,
                "access": _LEVEL,
                "source": {
                    "type": "string",
                    "enum": ["manual", "territory"],
                    "description": "Who keeps it: people, or the runs of territories, which alone take theirs away.",
                    "examples": ["manual"],
                },
                "expires_at": _ENDS,
                "created_at": {"type": "string", "format": "date-time", "examples": ["2026-11-22T03:31:00.000000Z"]},
                "created_by": ref("ActorValue"),
            },
            "required": ["object", "id", "version", "record", "grantee", "access", "source", "expires_at", "created_at", "created_by"],
        },
        "ShareList": {
            "type": "object",
            "description": "The shares of a record that are in force, all on one page.",
            "properties": {"data": {"type": "array", "items": ref("Share")}, "page": ref("Page")},
            "required": ["data", "page"],
        },
        "ShareCreate": {
            "type": "object",
            "description": "Whom to share the record with (exactly one of `user_id`, `role_id`, `team_id`, `territory_id`), and how far.",
            "properties": {
                "user_id": _id("A user."),
                "role_id": _id("All users with this role; who stands above it sees what it gets."),
                "team_id": _id("The users of this team."),
                "territory_id": _id("The users of this territory, and of those above it."),
                "with_subordinates": {
                    "type": "boolean",
                    "default": False,
                    "description": "With `role_id`: the roles below it too.",
                    "examples": [False],
                },
                "access": _LEVEL,
                "expires_at": _ENDS,
            },
            "required": ["access"],
            "additionalProperties": False,
            "examples": [{"user_id": _B, "access": "read", "expires_at": "2126-12-24T17:00:00.000000Z"}],
        },
        "CoOwner": {
            "type": "object",
            "description": "How long a user is co-owner.",
            "properties": {"expires_at": _ENDS},
            "additionalProperties": False,
            "examples": [{"expires_at": None}],
        },
        "AccessDecision": deciding,
        "RecordAccess": {
            "type": "object",
            "description": "What a user may do with a record, and what decides it.",
            "properties": {
                "record": {
                    "type": "object",
                    "properties": {"object": {"type": "string", "examples": ["contacts"]}, "id": _id("The record's id.")},
                    "required": ["object", "id"],
                },
                "user_id": _id("Who it is about."),
                "access_version": {"type": "integer", "description": "The version of all rights that it holds for.", "examples": [12]},
                "level": {"type": ["string", "null"], "enum": ["read", "write", "full", None], "description": "How far it is reached."},
                "actions": {
                    "type": "object",
                    "description": f"Of {', '.join(f'`{name}`' for name in NEEDS)} those that the object has.",
                    "additionalProperties": verdict,
                    "examples": [{"read": {"allowed": True, "decided_by": {"kind": "owner", "level": "full"}}}],
                },
                "paths": {"type": "array", "items": ref("AccessDecision"), "description": "All ways to the record, the strongest first."},
                "restrictions": {
                    "type": "array",
                    "description": "The restriction rules that keep the record from the user, whatever leads there.",
                    "items": {
                        "type": "object",
                        "properties": {"rule_id": _id("The rule."), "name": {"type": "string"}},
                        "required": ["rule_id", "name"],
                    },
                },
                "read_only_fields": {"type": "array", "items": {"type": "string"}, "description": "Fields that the user may not write."},
                "hidden_fields": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Fields that the user doesn't see, as far as the caller does.",
                },
            },
            "required": [
                "record", "user_id", "access_version", "level", "actions", "paths", "restrictions", "read_only_fields", "hidden_fields",
            ],
        },
        "UserAccessList": {
            "type": "object",
            "description": "Users who see a record.",
            "properties": {
                "data": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "user_id": _id("The user."),
                            "name": {"type": ["string", "null"], "examples": ["Ada King"]},
                            "level": _LEVEL,
                            "decided_by": ref("AccessDecision"),
                        },
                        "required": ["user_id", "name", "level", "decided_by"],
                    },
                },
                "page": ref("Page"),
            },
            "required": ["data", "page"],
        },
    }  # fmt: skip


def _page(b: Builder, name: str, item: Any) -> Schema:
    page = {"next_cursor": None, "prev_cursor": None, "has_more": False}
    return content(ref(name), shared=b.shared_example(name, {"data": [item], "page": page}))


def _share(b: Builder) -> Schema:
    return content(ref("Share"), shared=b.shared_example("Share", sample(b.schemas["Share"], b.schemas)))


def _shares(b: Builder, op: Operation) -> Described:
    return Described(
        f"list_{op.resource.name}_shares",
        f"List whom {a(op.resource)} is shared with",
        f"The shares of this one {one(op)} that are in force. Needs full access to it (its owner, who stands above them, co-owners) and "
        "the action `share` of the profile.",
        read_scope(op),
        path_parameters(op),
        None,
        {
            "200": {
                "description": "All of them.",
                "headers": headers(),
                "content": _page(b, "ShareList", sample(b.schemas["Share"], b.schemas)),
            }
        },
        SINGLE,
    )


def _share_create(b: Builder, op: Operation) -> Described:
    shown = _share(b)
    made = headers(**WRITE_HEADERS, Location="Location")
    return Described(
        f"share_{op.resource.name}",
        f"Share {a(op.resource)}",
        f"Gives a user, a role, a team or a territory access to this one {one(op)}, from now on or until `expires_at`; once more for the "
        f"same changes it. A record has up to {MAX_SHARES:,} shares. Needs full access to the record and the profile's action `share`. "
        "Events: `share.created`, `share.updated`.",
        f"{op.resource.name}:write",
        [*path_parameters(op), parameter("DryRun")],
        {"required": True, "content": content(ref("ShareCreate"), sample(b.schemas["ShareCreate"], b.schemas))},
        {
            "200": {"description": "The share, changed or unchanged.", "headers": headers(**WRITE_HEADERS), "content": shown},
            "201": {"description": "Shared.", "headers": made, "content": shown},
        },
        SINGLE,
    )


def _share_delete(b: Builder, op: Operation) -> Described:
    return Described(
        f"unshare_{op.resource.name}",
        f"Take back a share of {a(op.resource)}",
        "Ends it at once. Event: `share.deleted`. What territories have shared goes with their runs alone.",
        f"{op.resource.name}:write",
        [*path_parameters(op), parameter("DryRun")],
        None,
        {"200": {"description": "The share as it was.", "headers": headers(**WRITE_HEADERS), "content": _share(b)}},
        SINGLE,
    )


def _co_owner_put(b: Builder, op: Operation) -> Described:
    shown = _share(b)
    return Described(
        f"put_{op.resource.name}_co_owner",
        f"Make a user co-owner of {a(op.resource)}",
        f"A co-owner may do with the {one(op)} what its owner may, within the profile. It is a share with `access` `full`.",
        f"{op.resource.name}:write",
        [*path_parameters(op), parameter("DryRun")],
        {"required": False, "content": content(ref("CoOwner"), {"expires_at": None})},
        {
            "200": {"description": "The share, changed or unchanged.", "headers": headers(**WRITE_HEADERS), "content": shown},
            "201": {"description": "Shared.", "headers": headers(**WRITE_HEADERS, Location="Location"), "content": shown},
        },
        SINGLE,
    )


def _co_owner_delete(b: Builder, op: Operation) -> Described:
    return Described(
        f"delete_{op.resource.name}_co_owner",
        f"End a user's co-ownership of {a(op.resource)}",
        "Ends the share with `access` `full`. Event: `share.deleted`.",
        f"{op.resource.name}:write",
        [*path_parameters(op), parameter("DryRun")],
        None,
        {"200": {"description": "The share as it was.", "headers": headers(**WRITE_HEADERS), "content": _share(b)}},
        SINGLE,
    )


def _access(b: Builder, op: Operation) -> Described:
    example = sample(b.schemas["RecordAccess"], b.schemas)
    return Described(
        f"get_{op.resource.name}_access",
        f"Explain who may do what with {a(op.resource)}",
        "What a user may do with this record, action by action, and what decides it. Without `user_id` for the caller, within the token's "
        "scopes; for another user whatever their token. Others may be asked for by administrators and by those who have full access to the "
        "record.",
        read_scope(op),
        [*path_parameters(op), query("user_id", {"type": "string", "format": "uuid"}, "The user; the caller if left out.", _B)],
        None,
        {
            "200": {
                "description": "What is allowed, and why.",
                "headers": headers(),
                "content": content(ref("RecordAccess"), shared=b.shared_example("RecordAccess", example)),
            }
        },
        SINGLE,
    )


def _access_users(b: Builder, op: Operation) -> Described:
    item = {"user_id": _B, "name": "Ada King", "level": "full", "decided_by": {"kind": "owner", "level": "full"}}
    return Described(
        f"list_{op.resource.name}_access_users",
        f"List who sees {a(op.resource)}",
        f"The active users who may read this {one(op)}, each with the strongest way that leads there. A page looks at {LOOKED_AT} users, "
        "so it may hold fewer than `limit` and still have a `next_cursor`. For administrators, and those with full access to the record.",
        read_scope(op),
        [*path_parameters(op), parameter("Limit"), parameter("Cursor")],
        None,
        {"200": {"description": "One page.", "headers": headers(), "content": _page(b, "UserAccessList", item)}},
        SINGLE,
    )


_MAKERS: dict[Kind, Maker] = {
    "shares": _shares,
    "share_create": _share_create,
    "share_delete": _share_delete,
    "co_owner_put": _co_owner_put,
    "co_owner_delete": _co_owner_delete,
    "access": _access,
    "access_users": _access_users,
}

__all__ = ["access_schemas", "makers"]
