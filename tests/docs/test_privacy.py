"""The requests that docs/privacy.md shows are ones that the API takes, and the names in it exist."""

from __future__ import annotations

import json
import re

import pytest

from crm_api.flows.privacy.people import MAX_PEOPLE
from crm_api.flows.privacy.retention import ERASED_PER_RUN, PER_RUN
from tests.api import Api
from tests.docs.support import ROOT, blocks

pytestmark = pytest.mark.anyio
PAGE = ROOT / "docs" / "privacy.md"
_SOMEBODY = "01976f6e-8a00-7000-8000-000000000001"


async def test_its_requests_are_taken(api: Api) -> None:
    await api.make("contacts", id=_SOMEBODY, last_name="King", email="ada@acme.example")
    shown = [block for block in blocks(PAGE) if block.language == "http"]
    assert len(shown) == 5
    for block in shown:
        line, _, body = block.text.partition("\n")
        method, path = line.split()
        answer = await api.http.request(method, path, json=json.loads(body))
        assert answer.is_success, f"{line}: {answer.text}"


def test_its_figures_are_those_of_the_code() -> None:
    text = PAGE.read_text()
    assert f"More than {MAX_PEOPLE} records are refused" in " ".join(text.split())
    assert f"{PER_RUN} records at a time" in text
    assert f"{ERASED_PER_RUN} a day" in text
    described = (ROOT / "openapi" / "openapi.json").read_text()
    for path in re.findall(r"(?:GET|POST|PATCH) (/v1/[a-z_/{}]+)", text):
        known = path.replace("/meta/contacts/fields/title", "/meta/{object}/fields/{api_name}").replace(
            "/meta/contacts/", "/meta/{object}/"
        )
        assert f'"{known}"' in described or known.startswith("/v1/meta/"), path
