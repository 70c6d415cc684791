"""Addresses with places for values of a record: `https://news.example/search?q={name}`.

Values are percent-encoded whole (RFC 3986 §2.1; everything but unreserved characters), so that none of them can start another
part of the address, and no place may stand in the scheme or host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from crm_api.core.domains import check_url
from crm_api.core.errors import InvalidValue
from crm_api.core.json import dumps

_PLACE: Final = re.compile(r"\{([^{}]*)\}")
MAX_URL: Final = 8_000


def check_template(template: str) -> list[str]:
    """The field names in a template. Raises InvalidValue for what is no http or https address or has a place in its host."""
    names = _PLACE.findall(template)
    bare = _PLACE.sub("", template)
    if "{" in bare or "}" in bare or not all(names):
        raise InvalidValue("invalid_url")
    head = re.match(r"[^/?#]*//[^/?#]*", template)
    if head is None or "{" in head.group(0):
        raise InvalidValue("invalid_url")
    check_url(_PLACE.sub("x", template))
    if urlsplit(bare).scheme.lower() not in ("http", "https"):
        raise InvalidValue("invalid_url")
    return list(dict.fromkeys(names))


def fill(template: str, values: Mapping[str, Any]) -> str:
    """The address with the values of a record in it; what has no value leaves its place empty."""
    return _PLACE.sub(lambda found: quote(_text(values.get(found.group(1))), safe=""), template)


def value_at(record: Any, path: str) -> Any:
    """The value at a path of a record's JSON; null where there is no record on the way."""
    if isinstance(record, dict) and path in record:
        return record[path]
    head, _, rest = path.partition(".")
    found = record.get(head) if isinstance(record, dict) else None
    return found if not rest else value_at(found, rest)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else dumps(value).decode()
