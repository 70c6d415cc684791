"""What is special about writing profiles."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.core.errors import Forbidden
from crm_api.kernel.context import Context
from crm_api.kernel.presentation import hand_over_default
from crm_api.kernel.resource import Draft, Rules


class ProfileRules(Rules):
    """The super administrator's profile stays as it is; at most one profile is what new users get."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Refuses changes of the system's profile, and hands the default over."""
        for draft in drafts:
            if draft.old is not None and draft.old["is_system"]:
                draft.problem = Forbidden("This profile belongs to every organisation and can't be changed.")
        await hand_over_default(context, "profiles", drafts)

    async def before_delete(self, context: Context, drafts: Sequence[Draft]) -> None:
        """The same for deletes."""
        for draft in drafts:
            if draft.old is not None and draft.old["is_system"]:
                draft.problem = Forbidden("This profile belongs to every organisation and can't be deleted.")
