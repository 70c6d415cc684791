"""What is special about writing contact roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from crm_api.db.statement import compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG
from crm_api.kernel.resource import Draft, Rules
from crm_api.kernel.vocabulary import mark_used, place_last
from crm_api.models.platform import Link

_held = (
    sa.func.jsonb_array_elements_text(Link.attributes.op("->")(sa.literal_column("'roles'"))).table_valued("value", name="held").lateral()
)
_USES: Final = compile_statement(
    sa.select(_held.c.value, sa.func.count())
    .select_from(Link)
    .join(_held, sa.true())
    .where(Link.org_id == ORG, _held.c.value == sa.any_(sa.bindparam("keys", type_=ARRAY(sa.Text))))
    .group_by(_held.c.value)
)


class ContactRoleRules(Rules):
    """A role that links carry can't go."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Places new ones at the end."""
        await place_last(context, "contact_roles", drafts)

    async def before_delete(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Keeps what links carry."""
        keys = [draft.old["key"] for draft in drafts if draft.old is not None]
        mark_used(drafts, {row[0]: row[1] for row in await context.uow.fetch(_USES, {"org_id": context.uow.org_id, "keys": keys})})
