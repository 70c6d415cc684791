"""What is special about writing retention policies: they name what is there, and are looked after once a day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crm_api.core.errors import InvalidValue
from crm_api.core.relative import Duration, parse_duration
from crm_api.kernel.context import Context
from crm_api.kernel.presentation import Checks, target_of
from crm_api.kernel.resource import AnyResource, Draft, Rules
from crm_api.kernel.timers import clear_timers, set_timers
from crm_api.models.columns import FieldType

RUN: Final = "retention.run"
"""The kind of timer whose subject is an active policy; also the `cause.action` of what it does."""

PEOPLE: Final = ("contacts", "leads")
_KEPT: Final = ("consents", "exchange_rates", "retention_policies", "segments", "users")
"""Objects that policies don't touch: the proof of what was agreed, what the organisation is set up to be, and those who work here."""


def dates_of(resource: AnyResource, action: str) -> list[str]:
    """The fields of an object from which a time can be counted; what is to go for good may lie in the bin before."""
    binned = action in ("purge", "erase")
    return [
        name
        for name, field in resource.all_fields.items()
        if field.type in (FieldType.DATE, FieldType.DATETIME) and field.expression is None and (binned or name != "deleted_at")
    ]


class RetentionRules(Rules):
    """A policy is about records that are data, counts from a date of theirs, and does what their object allows."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks object, filter, date, duration and action."""
        for draft in drafts:
            policy = draft.new
            target = target_of(context, draft)
            if target is None or draft.failed:
                continue
            if target.configuration or target.name in _KEPT or "delete" not in target.verbs:
                data = [r.name for r in context.registry if not r.configuration and r.name not in _KEPT and "delete" in r.verbs]
                draft.fail("applies_to", "enum", allowed=data)
                continue
            if draft.changed("filter") and policy["filter"] is not None:
                checks = Checks(context, target)
                checks.tree(policy["filter"], "filter")
                draft.errors.extend(checks.errors)
            dates = dates_of(target, policy["action"])
            if (draft.changed("date_field") or draft.changed("action")) and policy["date_field"] not in (None, *dates):
                draft.fail("date_field", "enum", allowed=dates)
            if draft.changed("action") and policy["action"] == "erase" and target.name not in PEOPLE:
                draft.fail("action", "enum", allowed=["delete", "purge", "anonymize"])
            if draft.changed("after") and policy["after"] is not None:
                try:
                    if parse_duration(policy["after"]) == Duration():
                        raise InvalidValue("invalid_duration")
                except InvalidValue as error:
                    draft.errors.append(error.at(pointer="/after"))

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """An active policy runs as soon as it was changed, and no more once it is at rest or deleted."""
        moved = [
            draft
            for draft in drafts
            if any(draft.changed(name) for name in ("is_active", "filter", "date_field", "after", "action", "deleted_at"))
        ]
        running = [draft for draft in moved if draft.new["is_active"] and draft.new["deleted_at"] is None and draft.operation != "purge"]
        await set_timers(context.uow, RUN, {draft.id: context.uow.now for draft in running})
        await clear_timers(context.uow, RUN, [draft.id for draft in moved if draft not in running])
