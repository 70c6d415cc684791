"""Entries of rules that name people, checked: `{"type": "role", "id": …}`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from crm_api.core.errors import FieldError, join_pointer
from crm_api.kernel.context import Context
from crm_api.kernel.references import Lookup
from crm_api.kernel.resource import Draft

OBJECTS: Final = {"user": "users", "role": "roles", "role_tree": "roles", "team": "teams", "profile": "profiles"}


async def check_people(context: Context, drafts: Sequence[Draft], *names: str) -> None:
    """Sees to it that the people whom fields name are there; a field holds one entry, a list of them, or null."""
    lookup = Lookup(context, hold=True)
    asked: list[tuple[Draft, tuple[str | int, ...], str, UUID]] = []
    for draft in drafts:
        for name in names:
            value: Any = draft.new[name]
            if not value or not draft.changed(name) or draft.failed:
                continue
            entries = enumerate(value) if isinstance(value, list) else ((None, value),)
            for index, entry in entries:
                at: tuple[str | int, ...] = (name, "id") if index is None else (name, index, "id")
                object_name, id_ = OBJECTS[entry["type"]], UUID(entry["id"])
                lookup.ask(object_name, "id", id_)
                asked.append((draft, at, object_name, id_))
    await lookup.run()
    for draft, at, object_name, id_ in asked:
        if lookup.id_of(object_name, "id", id_) is None:
            draft.errors.append(FieldError("not_found_reference", pointer=join_pointer(*at)))


__all__ = ["check_people"]
