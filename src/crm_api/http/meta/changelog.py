"""The dated versions of the API. Additions come at any time and are not told here; a version is made for what could break."""

from __future__ import annotations

from typing import Any, Final

CHANGELOG: Final[list[dict[str, Any]]] = [
    {
        "version": "2026-12-01",
        "title": "The first version",
        "changes": [],
        "sunset": None,
    },
]
"""The newest first. `sunset` is the day from which a version is no longer served."""
