"""The API's description (OpenAPI 3.1), made from the very routes that serve it."""

from __future__ import annotations

import json
from typing import Any

from crm_api.http.openapi.document import render, served


def to_text(document: dict[str, Any]) -> str:
    """The document as it is committed: indented, so that a change shows as a change of lines."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


__all__ = ["render", "served", "to_text"]
