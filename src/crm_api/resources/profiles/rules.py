"""What is special about writing profiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from crm_api.core.errors import BadRequest, Conflict, FieldError, Forbidden, join_pointer
from crm_api.core.ids import parse_uuid
from crm_api.db.statement import Statement
from crm_api.kernel.access.delegation import PSEUDO, WIDER, within
from crm_api.kernel.access.fields import ENVELOPE, hideable
from crm_api.kernel.context import Context
from crm_api.kernel.presentation import hand_over_default
from crm_api.kernel.resource import AnyResource, Draft, Rules
from crm_api.kernel.writer import Writer

MOVE_TO: Final = "move_to"
_USERS: Final = Statement(
    "SELECT id FROM members WHERE org_id = $1 AND profile_id = ANY($2::uuid[]) AND deleted_at IS NULL ORDER BY id", ("org_id", "ids")
)
_LIVE: Final = Statement("SELECT key FROM profiles WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL", ("org_id", "id"))


class ProfileRules(Rules):
    """The super administrator's profile stays as it is; at most one profile is what new users get."""

    delete_parameters = (MOVE_TO,)

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Refuses changes of the system's profile and what makes no sense, and hands the default over."""
        for draft in drafts:
            if draft.old is not None and draft.old["is_system"]:
                draft.problem = Forbidden("This profile belongs to every organisation and can't be changed.")
                continue
            if draft.changed("permissions") or draft.changed("fields"):
                _check(context, draft)
            if not draft.failed and not within(context.principal.rights, draft.new["permissions"], draft.new["fields"]):
                draft.problem = Forbidden(WIDER)
        await hand_over_default(context, "profiles", drafts)

    async def before_delete(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Refuses the profiles that are needed, and gives users another one (`?move_to=`)."""
        for draft in drafts:
            assert draft.old is not None
            if draft.old["is_system"]:
                draft.problem = Forbidden("This profile belongs to every organisation and can't be deleted.")
            elif draft.old["is_default"]:
                draft.problem = Conflict("New users get this profile. Make another one the default before.")
        named: str | None = context.uow.state.get(MOVE_TO)
        ids = [draft.id for draft in drafts if not draft.failed]
        if named is None or not ids:
            return
        target = parse_uuid(named)
        found = (
            None if target is None or target in ids else await context.uow.fetch_row(_LIVE, {"org_id": context.uow.org_id, "id": target})
        )
        if found is None:
            raise BadRequest(errors=[FieldError("not_found_reference", parameter=MOVE_TO)])
        users = await context.uow.fetch(_USERS, {"org_id": context.uow.org_id, "ids": ids})
        values: dict[UUID, dict[str, Any]] = {row["id"]: {"profile_id": target} for row in users}
        await Writer().update_rows(context, context.whole["users"], values)


def _check(context: Context, draft: Draft) -> None:
    """Objects, actions and fields that there are, and that go together; what is stored already may have lost its object since."""
    known = {} if draft.old is None else draft.old["permissions"]
    closed = {} if draft.old is None else draft.old["fields"]
    objects = {resource.name: resource for resource in context.whole}
    permissions: dict[str, list[str]] = draft.new["permissions"]
    for name, actions in permissions.items():
        if name != "*" and name not in objects and name not in PSEUDO:
            if known.get(name) == actions:
                continue
            _wrong(draft, "enum", ("permissions", name), allowed=["*", *objects, *PSEUDO])
        elif actions and "read" not in actions and (name == "*" or name in objects):
            _wrong(draft, "without_read", ("permissions", name))
    for name, fields in draft.new["fields"].items():
        resource = objects.get(name)
        if resource is None:
            if closed.get(name) == fields:
                continue
            _wrong(draft, "enum", ("fields", name), allowed=list(objects))
            continue
        needed = _needed(resource) if "create" in permissions.get(name, permissions.get("*", ())) else frozenset()
        closable = [
            found for found, f in resource.all_fields.items() if f.spec.writable != "never" and found not in ENVELOPE - {"owner_id"}
        ]
        allowed = {"hidden": hideable(resource), "read_only": closable}
        for field, how in fields.items():
            if field not in allowed[how] and closed.get(name, {}).get(field) != how:
                _wrong(draft, "enum", ("fields", name, field), allowed=allowed[how])
            elif field in needed:
                _wrong(draft, "needed_to_create", ("fields", name, field))


def _needed(resource: AnyResource) -> frozenset[str]:
    """The fields without which nobody can create a record."""
    own = {name for name, found in resource.create.model_fields.items() if found.is_required()}
    return frozenset(own | {name for name, f in resource.custom.items() if f.definition is not None and f.definition.required})


def _wrong(draft: Draft, code: str, at: tuple[str, ...], *, allowed: Iterable[str] | None = None) -> None:
    draft.errors.append(FieldError(code, pointer=join_pointer(*at), allowed=None if allowed is None else list(allowed)))
