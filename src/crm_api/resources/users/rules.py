"""What is special about writing users: they are people whom sign-in knows, and what they are decides who gets in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from crm_api.core.email import normalize_email
from crm_api.core.errors import Duplicate, FieldError, Forbidden, InvalidValue, RepeatedItem, ValidationFailed
from crm_api.core.ids import parse_uuid
from crm_api.core.relative import parse_zone
from crm_api.db.statement import Statement
from crm_api.kernel import audit
from crm_api.kernel.context import Context
from crm_api.kernel.enqueue import add_job, due
from crm_api.kernel.preferences import check_locale, copy_to_tokens, merged
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.trees import refuse_cycles
from crm_api.resources.users import belongings, leaving, mailing
from crm_api.resources.users.rights import Profiles, keep_one_super_admin, refuse_too_much

TRANSFER_TO: Final = "transfer_to"
HAND_OVER: Final = "hand_over_records"
"""The type of the job that gives a removed user's records to another."""

_KEPT: Final = ("locale", "time_zone", "settings")
_ADD_PEOPLE: Final = Statement(
    "INSERT INTO users (id, email, email_key, created_at) SELECT u.id, u.email, u.key, $4"
    " FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u (id, email, key) ORDER BY u.key ON CONFLICT (email_key) DO NOTHING",
    ("ids", "emails", "keys", "now"),
)
_FIND_PEOPLE: Final = Statement("SELECT id, email_key FROM users WHERE email_key = ANY($1::text[])", ("keys",))
_MEMBERS: Final = Statement("SELECT id, deleted_at FROM members WHERE org_id = $1 AND id = ANY($2::uuid[])", ("org_id", "ids"))
_ACTIVE: Final = Statement(
    "SELECT 1 FROM members WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL AND status = 'active'", ("org_id", "id")
)


class UserRules(Rules):
    """People are invited by making them a user; tokens follow what they are and what they have set for themselves."""

    delete_parameters = (TRANSFER_TO,)

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Finds the people, gives them a profile, and checks who may give what to whom."""
        profiles = await Profiles.of(context)
        for draft in drafts:
            _check_preferences(draft)
            if draft.old is None:
                draft.new["status"] = "invited"
                if draft.new["profile_id"] is None:
                    draft.new["profile_id"] = profiles.default
            elif draft.operation == "restore" and draft.old["deleted_at"] is not None:
                draft.new["status"] = "invited" if draft.new["kind"] == "person" else "active"
        await _people(context, [draft for draft in drafts if draft.old is None and not draft.failed])
        for draft in drafts:
            if not draft.failed:
                draft.problem = refuse_too_much(context, profiles, draft)
        lowered = [
            draft
            for draft in drafts
            if draft.old is not None
            and not draft.failed
            and (draft.new["status"] != "active" or not profiles.is_super(draft.new["profile_id"]))
        ]
        await keep_one_super_admin(context, profiles, lowered)
        await refuse_cycles(context, "users", [draft for draft in drafts if not draft.failed], "manager_id")

    async def before_delete(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Keeps the last super administrator, and lets a job hand over the records of those who go."""
        profiles = await Profiles.of(context)
        for draft in drafts:
            if draft.operation == "purge":
                draft.problem = Forbidden("A user's history stays; remove them from the organisation.")
            elif draft.old is not None and not profiles.within(context, draft.old["profile_id"]):
                draft.problem = Forbidden("Only those who may do all that a user may do may remove them.")
        await keep_one_super_admin(context, profiles, [draft for draft in drafts if not draft.failed])
        wanted: str | None = context.uow.state.get(TRANSFER_TO)
        going = [draft.id for draft in drafts if not draft.failed]
        if wanted is not None and going:
            await _hand_over(context, going, wanted)

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Lets in, keeps out, mails invitations, renews what tokens carry."""
        uow = context.uow
        changed = [draft.id for draft in drafts if draft.old is not None and any(draft.changed(name) for name in _KEPT)]
        if changed:
            await copy_to_tokens(uow, changed)
        for draft in drafts:
            old, new = draft.old, draft.new
            if draft.operation == "delete":
                await leaving.leave(uow, draft.id)
                _tell(context, "user.removed", draft.id)
            elif old is None or (draft.operation == "restore" and old["deleted_at"] is not None):
                if new["kind"] != "person":  # nobody to invite
                    continue
                await belongings.keep(uow, draft.id, new["status"])
                await invite(context, draft.id, new["email"], new["locale"])
                _tell(context, "user.invited", draft.id, profile_id=str(new["profile_id"]))
            else:
                await _follow_status(context, draft)
                moved = {name: new[name] and str(new[name]) for name in ("profile_id", "role_id", "manager_id") if draft.changed(name)}
                if moved:
                    _tell(context, "user.rights_changed", draft.id, **moved)


def _tell(context: Context, action: str, user_id: UUID, **details: Any) -> None:
    audit.record(context, action, object="users", record_id=user_id, details=details)


async def _follow_status(context: Context, draft: Draft) -> None:
    if draft.old is None or not draft.changed("status"):
        return
    was, status = draft.old["status"], draft.new["status"]
    if status == "suspended":
        await leaving.suspend(context.uow, draft.id)
        _tell(context, "user.suspended", draft.id)
    else:
        await leaving.resume(context.uow, draft.id, status)
        _tell(context, "user.reactivated" if was == "suspended" else "user.activated", draft.id)


async def invite(context: Context, user_id: UUID, email: str, locale: str | None) -> None:
    """Asks for the mail by which an invitation is accepted."""
    language = merged(context.principal.organization, {"locale": locale}).language
    uow = context.uow
    await mailing.ask(uow, uow.clock, "activate", normalize_email(email), language, user_id=user_id, org_id=uow.org_id)


def _check_preferences(draft: Draft) -> None:
    new = draft.new
    if new["locale"] is not None and draft.changed("locale"):
        try:
            check_locale(new["locale"])
        except InvalidValue as mistake:
            draft.errors.append(mistake.at(pointer="/locale"))
    if new["time_zone"] is not None and draft.changed("time_zone"):
        try:
            parse_zone(new["time_zone"])
        except InvalidValue as mistake:
            draft.errors.append(mistake.at(pointer="/time_zone"))


async def _people(context: Context, drafts: Sequence[Draft]) -> None:
    """Gives each new user the id of the person, who may be known already, and marks those who are here already."""
    if not drafts:
        return
    uow = context.uow
    first: dict[str, Draft] = {}
    for draft in drafts:
        key = normalize_email(draft.new["email"]).key
        if key in first:
            draft.problem = RepeatedItem(errors=[FieldError("repeated_item", pointer="/email")])
        else:
            first[key] = draft
    ids, emails = [draft.id for draft in first.values()], [draft.new["email"] for draft in first.values()]
    await uow.fetch(_ADD_PEOPLE, {"ids": ids, "emails": emails, "keys": list(first), "now": uow.clock.now()})
    found = {row["email_key"]: row["id"] for row in await uow.fetch(_FIND_PEOPLE, {"keys": list(first)})}
    here = {row["id"]: row for row in await uow.fetch(_MEMBERS, {"org_id": uow.org_id, "ids": list(found.values())})}
    for key, draft in first.items():
        draft.id = draft.new["id"] = found[key]
        known = here.get(draft.id)
        if known is not None:
            draft.problem = Duplicate([{"object": "users", "id": str(draft.id), "field": "email"}])
            if known["deleted_at"] is not None:
                draft.problem.detail = "This person was removed from the organisation; restore the user to invite them again."


async def _hand_over(context: Context, going: Sequence[UUID], wanted: str) -> None:
    heir = parse_uuid(wanted)
    if heir is None or heir in going or await context.uow.fetch_row(_ACTIVE, {"org_id": context.uow.org_id, "id": heir}) is None:
        raise ValidationFailed([FieldError("not_found_reference", parameter=TRANSFER_TO)])
    job_id = await add_job(context, HAND_OVER, {"from": [str(id) for id in going], "to": str(heir)})
    await due(context, job_id)
