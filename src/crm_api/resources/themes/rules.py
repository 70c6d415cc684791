"""What is special about writing themes."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.kernel.context import Context
from crm_api.kernel.presentation import hand_over_default
from crm_api.kernel.resource import Draft, Rules


class ThemeRules(Rules):
    """At most one theme is the default."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Hands the default over."""
        await hand_over_default(context, "themes", drafts)
