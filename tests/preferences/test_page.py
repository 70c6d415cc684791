"""The page on settings: its requests are sent, and the answers hold what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crm_api.kernel.preferences import DATE_FORMATS, NUMBER_FORMATS
from tests.api import Api
from tests.docs.support import contained

pytestmark = pytest.mark.anyio
PAGE = Path(__file__).parents[2] / "docs" / "preferences.md"


def blocks() -> list[tuple[str, str]]:
    return re.findall(r"^```(http|json)\n(.*?)^```$", PAGE.read_text(), re.M | re.S)


async def test_what_the_page_says(api: Api) -> None:
    got: Any = None
    for language, text in blocks():
        if language == "json":
            contained(json.loads(text), got)
            continue
        line, _, body = text.partition("\n")
        method, path = line.split()
        got = await api.ok(method, path, json=json.loads(body))


async def test_the_description_lists_the_formats(api: Api) -> None:
    schemas = (await api.ok("GET", "/openapi.json"))["components"]["schemas"]
    properties = schemas["SettingsUpdate"]["properties"]
    for name, known in (("date_format", DATE_FORMATS), ("number_format", NUMBER_FORMATS)):
        assert list(known) in [branch.get("enum") for branch in properties[name]["anyOf"]]
