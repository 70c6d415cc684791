"""What is special about writing custom links: an address that can't lead elsewhere than it says, with fields that are there."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.core.errors import InvalidValue
from crm_api.kernel.context import Context
from crm_api.kernel.presentation import Checks, target_of
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.url_template import check_template


class CustomLinkRules(Rules):
    """A link's template names fields of its object."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks the template."""
        for draft in drafts:
            target = target_of(context, draft)
            if target is None or not draft.changed("url_template") or draft.new["url_template"] is None:
                continue
            checks = Checks(context, target)
            try:
                for name in check_template(draft.new["url_template"]):
                    checks.path(name, "url_template")
            except InvalidValue as error:
                draft.errors.append(error.at(pointer="/url_template"))
            draft.errors.extend(checks.errors)
