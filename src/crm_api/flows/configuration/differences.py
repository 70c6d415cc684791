"""What is different between two configurations, told by natural keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crm_api.core.errors import join_pointer
from crm_api.flows.configuration.names import key_names, name_of, numbered
from crm_api.kernel.registry import Registry


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `field` is None where a whole item comes or goes; `name` is "" for settings."""

    section: str
    name: str
    field: str | None
    op: Literal["add", "remove", "change"]
    old: Any
    new: Any

    def json(self) -> dict[str, Any]:
        """The difference as the API shows it: `path` is a JSON pointer whose items are named by their keys."""
        parts = [part for part in (self.section, self.name, self.field) if part]
        return {"path": join_pointer(*parts), "op": self.op, "old": self.old, "new": self.new}


def items_of(registry: Registry, document: Mapping[str, Any], section: str) -> dict[str, dict[str, Any]]:
    """A section's items by name. Items of the same name are told apart by their place."""
    names = key_names(registry, section)
    found: dict[str, dict[str, Any]] = {}
    for item in document.get(section, ()):
        number = 1
        while (name := numbered(name_of(tuple(item.get(part) for part in names)), number)) in found:
            number += 1
        found[name] = item
    return found


def compare(registry: Registry, old: Mapping[str, Any], new: Mapping[str, Any], *, prune: bool = True) -> list[Change]:
    """What turns `old` into `new`, in the order of the paths.

    A section that `new` leaves out is left as it is, and so is a field that one of its items leaves out. Without `prune` so are
    items that only `old` has.
    """
    changes: list[Change] = []
    for name, value in new.get("settings", {}).items():
        before = old.get("settings", {}).get(name)
        if before != value:
            changes.append(Change("settings", "", name, "change", before, value))
    for section in new:
        if section in ("format", "settings"):
            continue
        before_items, after_items = items_of(registry, old, section), items_of(registry, new, section)
        for name, item in after_items.items():
            present = before_items.get(name)
            if present is None:
                changes.append(Change(section, name, None, "add", None, item))
                continue
            for key, value in item.items():
                if present.get(key) != value:
                    changes.append(Change(section, name, key, "change", present.get(key), value))
        if prune:
            changes += [Change(section, name, None, "remove", item, None) for name, item in before_items.items() if name not in after_items]
    return sorted(changes, key=lambda change: (change.section, change.name, change.field or ""))
