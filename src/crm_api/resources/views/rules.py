"""What is special about writing views: everything in them is checked against the fields of their object."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from crm_api.core.errors import InvalidValue
from crm_api.kernel.board import columns_of, is_summable
from crm_api.kernel.context import Context
from crm_api.kernel.pattern import combine
from crm_api.kernel.presentation import Checks, check_users, refuse_unless, target_of
from crm_api.kernel.resource import AnyResource, Draft, Row, Rules


def visible(row: sa.FromClause, caller: sa.ColumnElement[UUID], app: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
    """A private view is its owner's and theirs whom it is shared with; one without an owner is nobody's, hence everybody's."""
    text = sa.literal_column
    entry = sa.func.jsonb_build_object(text("'type'"), text("'user'"), text("'id'"), sa.cast(caller, sa.Text))
    shared = row.c.shared_with.op("@>", return_type=sa.Boolean())(sa.func.jsonb_build_array(entry))
    return sa.or_(row.c.visibility == text("'shared'"), row.c.owner_id.is_(None), row.c.owner_id == caller, shared)


def seen(row: Row, caller: UUID, app: UUID | None) -> bool:
    """The same for a view that has been read."""
    entry = {"type": "user", "id": str(caller)}
    return row["visibility"] == "shared" or row["owner_id"] in (None, caller) or entry in row["shared_with"]


class ViewRules(Rules):
    """A view means something when it is saved; fields that go later are told when it is used."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks columns, order, conditions, pattern and board."""
        for draft in drafts:
            target = target_of(context, draft)
            if target is not None and draft.operation != "restore":
                _check(context, target, draft)
        await check_users(context, drafts, "shared_with")


def _check(context: Context, target: AnyResource, draft: Draft) -> None:
    view, checks = draft.new, Checks(context, target)
    if draft.changed("columns"):
        checks.paths(view["columns"], "columns")
    if draft.changed("sort"):
        checks.sort(view["sort"], "sort")
    if draft.changed("criteria"):
        for index, criterion in enumerate(view["criteria"]):
            checks.tree(criterion, "criteria", index)
    if draft.changed("sums"):
        for index, name in enumerate(view["sums"]):
            checks.field(name, lambda found: is_summable(target.all_fields[found]), "sums", index)
    if draft.changed("criteria") or draft.changed("pattern"):
        try:
            tree = combine(view["criteria"], view["pattern"])
            if tree is not None and not checks.errors:
                checks.tree(tree, "pattern")
        except InvalidValue as error:
            checks.wrong(error.code, "pattern", **dict(error.params or {}))
    _check_board(context, target, draft, checks)
    draft.errors.extend(checks.errors)


def _check_board(context: Context, target: AnyResource, draft: Draft, checks: Checks) -> None:
    view = draft.new
    board = view["kind"] == "board"
    if board and view["group_by"] is None:
        draft.fail("group_by", "required")
    refuse_unless(draft, "group_by", board, "kind=list")
    refuse_unless(draft, "sums", board, "kind=list")
    if board and draft.changed("group_by") and view["group_by"] is not None:
        checks.field(view["group_by"], lambda found: columns_of(context.registry, target, found) is not None, "group_by")
    if draft.changed("column_settings") or draft.changed("columns"):
        keys = [setting["key"] for setting in view["column_settings"]]
        allowed = None if board or not view["columns"] else view["columns"]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                checks.wrong("repeated_item", "column_settings", index, "key")
            elif allowed is not None and key not in allowed:
                checks.wrong("enum", "column_settings", index, "key", allowed=allowed)
