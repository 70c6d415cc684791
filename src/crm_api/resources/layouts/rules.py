"""What is special about writing layouts: names of fields and relations exist, and one layout of a kind is the default."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from crm_api.kernel.context import Context
from crm_api.kernel.presentation import Checks, hand_over_default, refuse_unless, target_of
from crm_api.kernel.resource import AnyResource, Draft, Rules


class LayoutRules(Rules):
    """A layout shows fields that are there."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks sections, related lists and canvas; hands the default over."""
        for draft in drafts:
            target = target_of(context, draft)
            if target is not None and draft.operation != "restore":
                _check(context, target, draft)
        await hand_over_default(context, "layouts", drafts, ("applies_to", "type"))


def _check(context: Context, target: AnyResource, draft: Draft) -> None:
    layout, checks = draft.new, Checks(context, target)
    refuse_unless(draft, "canvas", layout["type"] == "canvas", f"type={layout['type']}")
    if draft.changed("sections"):
        _sections(checks, layout["sections"])
    if draft.changed("related_lists"):
        for index, shown in enumerate(layout["related_lists"]):
            relation = checks.relation(shown["relation"], "related_lists", index, "relation")
            if relation is None:
                continue
            there = Checks(context, context.registry[relation.target])
            there.paths(shown.get("columns", ()), "related_lists", index, "columns")
            there.sort(shown.get("sort", ()), "related_lists", index, "sort")
            draft.errors.extend(there.errors)
    if draft.changed("canvas") and layout["canvas"] is not None:
        for name, *at in _named(layout["canvas"], "canvas"):
            checks.path(name, *at)
    draft.errors.extend(checks.errors)


def _sections(checks: Checks, sections: Sequence[dict[str, Any]]) -> None:
    keys: set[str] = set()
    for index, section in enumerate(sections):
        if section["key"] in keys:
            checks.wrong("repeated_item", "sections", index, "key")
        keys.add(section["key"])
        if "condition" in section:
            checks.tree(section["condition"], "sections", index, "condition")
        width = section.get("columns", 2)
        for row, cells in enumerate(section["rows"]):
            if sum(cell.get("span", 1) for cell in cells) > width:
                checks.wrong("too_many_items", "sections", index, "rows", row, max_items=width)
            for column, cell in enumerate(cells):
                checks.path(cell["field"], "sections", index, "rows", row, column, "field")


def _named(node: Any, *at: str | int) -> Iterator[tuple[Any, ...]]:
    """The field names in a canvas with their places."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "field" and isinstance(value, str):
                yield (value, *at, key)
            else:
                yield from _named(value, *at, key)
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _named(item, *at, index)
