"""What items of a configuration are called: natural keys in place of ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from crm_api.kernel.registry import Registry

OBJECTS: Final = "objects"
FIELDS: Final = "fields"
KEYS: Final[Mapping[str, tuple[str, ...]]] = {OBJECTS: ("api_name",), FIELDS: ("object", "api_name")}
"""What names the items of the sections that are no resources."""


def name_of(key: tuple[Any, ...]) -> str:
    """A natural key as one text: its parts, percent-encoded, between slashes."""
    return "/".join(quote(str(part), safe=" .:()-+&,'$") for part in key)


def key_names(registry: Registry, section: str) -> tuple[str, ...]:
    """The fields that name the items of a section."""
    return KEYS[section] if section in KEYS else registry[section].configuration


def numbered(name: str, number: int) -> str:
    """Names need not be unique: the second of a name is told apart by its place among them."""
    return name if number == 1 else f"{name}#{number:04}"
