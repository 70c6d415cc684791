"""The page on custom fields says what is true."""

from __future__ import annotations

import json
import re

import pytest

from crm_api.flows.metadata.properties import TAKES
from crm_api.kernel.custom.definitions import SLOT_KINDS, UNIQUE_TYPES
from crm_api.models.columns import FieldType
from tests.api import Api
from tests.docs.support import ROOT, blocks

PAGE = ROOT / "docs" / "custom-fields.md"
EVERYWHERE = {"help", "sensitivity"}


def test_the_table_names_every_property_of_every_type() -> None:
    told: dict[str, set[str]] = {}
    limited: dict[tuple[str, str], str] = {}
    for types, properties in re.findall(r"^\| (`[^|]+) \| (`[^|]+|the same[^|]+) \|$", PAGE.read_text(), re.M):
        names = re.findall(r"`(\w+)`", types)
        found = set(re.findall(r"`(\w+)`", properties.partition(";")[0]))
        for property_, only in re.findall(r"`(\w+)` \((\w+)\)", properties):
            limited.update({(name, property_): only for name in names})
        if properties.startswith("the same"):
            found |= told["number"]
        for name in names:
            told[name] = {p for p in found if limited.get((name, p), name) == name}
    told["decimal"] -= {"unique"}
    for kind, takes in TAKES.items():
        if kind in (FieldType.FORMULA, FieldType.ROLLUP):
            continue
        wanted = set(takes) - EVERYWHERE
        if kind in SLOT_KINDS and kind is not FieldType.REFERENCE:
            wanted.add("indexed")
        if kind in UNIQUE_TYPES and kind is not FieldType.AUTONUMBER:
            wanted.add("unique")
        assert told[kind.value] == wanted, kind


@pytest.mark.anyio
async def test_its_requests_work(org: Api) -> None:
    for block in blocks(PAGE):
        for request in block.text.strip().split("\n\n"):
            line, _, body = request.partition("\n")
            method, path = line.split()
            await org.ok(method, path, json=json.loads(body) if body else None)
