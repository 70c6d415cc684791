"""What is special about writing navigation menus: each entry leads somewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from crm_api.core.domains import check_url
from crm_api.core.errors import FieldError, InvalidValue, join_pointer
from crm_api.kernel.context import Context
from crm_api.kernel.presentation import check_ids, hand_over_default
from crm_api.kernel.resource import Draft, Rules

_NEEDS: Final = {"object": "object", "view": "view_id", "url": "url", "group": "entries", "home": None}
Entry = tuple[tuple[str | int, ...], dict[str, Any]]


class NavigationMenuRules(Rules):
    """A menu leads to what is there."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks the entries; hands the default over."""
        views = []
        for draft in drafts:
            if not draft.changed("entries"):
                continue
            found = list(_entries(draft.new["entries"], ("entries",)))
            _check(context, draft, found)
            views += [(draft, (*at, "view_id"), entry["view_id"]) for at, entry in found if entry["type"] == "view" and "view_id" in entry]
        await check_ids(context, "views", views)
        await hand_over_default(context, "navigation_menus", drafts)


def _entries(entries: Sequence[dict[str, Any]], at: tuple[str | int, ...]) -> Iterator[Entry]:
    for index, entry in enumerate(entries):
        yield (*at, index), entry
        yield from _entries(entry.get("entries", ()), (*at, index, "entries"))


def _check(context: Context, draft: Draft, entries: Sequence[Entry]) -> None:
    keys: set[str] = set()
    for at, entry in entries:
        if entry["key"] in keys:
            draft.errors.append(FieldError("repeated_item", pointer=join_pointer(*at, "key")))
        keys.add(entry["key"])
        needs = _NEEDS[entry["type"]]
        for name in filter(None, _NEEDS.values()):
            if name == needs and name not in entry:
                draft.errors.append(FieldError("required", pointer=join_pointer(*at, name)))
            elif name != needs and name in entry:
                params = {"other": f"type={entry['type']}"}
                draft.errors.append(FieldError("invalid_combination", pointer=join_pointer(*at, name), params=params))
        if needs == "object" and "object" in entry and entry["object"] not in context.registry:
            names = [resource.name for resource in context.registry]
            draft.errors.append(FieldError("enum", pointer=join_pointer(*at, "object"), allowed=names))
        if needs == "url" and "url" in entry:
            try:
                check_url(entry["url"])
            except InvalidValue as error:
                draft.errors.append(error.at(pointer=join_pointer(*at, "url")))
