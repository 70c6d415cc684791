"""The page on sharing: its requests are sent, and the answers hold what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.access.people import colleague
from tests.api import Api
from tests.docs.support import contained

pytestmark = pytest.mark.anyio
PAGE = Path(__file__).parents[2] / "docs" / "sharing.md"


async def test_what_the_page_says(api: Api) -> None:
    """A word behind `http` names what comes back, whose id then stands for it in braces."""
    grace = await colleague(api)
    ids = {"grace": str(grace.user_id)}
    got: Any = None
    asked = 0
    for language, word, text in re.findall(r"^```(http|json)(?: (@?\w+))?\n(.*?)^```$", PAGE.read_text(), re.M | re.S):
        text = re.sub(r"\{(\w+)\}", lambda match: ids[match[1]], text)
        if language == "json":
            contained(json.loads(text), got)
            continue
        line, _, body = text.partition("\n")
        method, path = line.split()
        got = await (grace if word == "@grace" else api).ok(method, path, json=json.loads(body) if body.strip() else None)
        asked += 1
        if word and not word.startswith("@"):
            ids[word] = got["id"]
    assert asked == 9
