"""What is special about writing users: what they have set for themselves goes with their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crm_api.kernel.context import Context
from crm_api.kernel.preferences import copy_to_tokens
from crm_api.kernel.resource import Draft, Rules

_KEPT: Final = ("locale", "time_zone", "settings")


class UserRules(Rules):
    """Tokens carry a copy of their user's language, zone and formats."""

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Renews the copies."""
        changed = [draft.id for draft in drafts if draft.old is not None and any(draft.changed(name) for name in _KEPT)]
        if changed:
            await copy_to_tokens(context.uow, changed)
