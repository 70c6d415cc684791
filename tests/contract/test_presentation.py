"""Views, layouts, menus, themes, widgets, links and segments are records like all others."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.api import Api
from tests.contract.contract import ResourceContract

pytestmark = pytest.mark.anyio


WON = {"field": "status", "value": "won"}
UNKNOWN = "01976f6e-8a00-7000-8000-00000000dead"


class TestViews(ResourceContract):
    name = "views"
    change = ("visibility", "shared")
    required = ("name", "applies_to")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"applies_to": "weather"}, "/applies_to"),
        ({"columns": ["name", "nonsense"]}, "/columns/1"),
        ({"columns": ["account.nonsense"]}, "/columns/0"),
        ({"sort": ["-nonsense"]}, "/sort/0"),
        ({"sort": ["name", "amount", "close_date", "status"]}, "/sort"),
        ({"criteria": [{"field": "nonsense", "value": 1}]}, "/criteria/0/field"),
        ({"criteria": [{"field": "amount", "op": "contains", "value": "1"}]}, "/criteria/0/op"),
        ({"criteria": [{"field": "amount", "value": True}]}, "/criteria/0/value"),
        ({"criteria": [{"and": []}]}, "/criteria/0/field"),
        ({"criteria": [{"field": "name", "value": "x", "colour": 1}]}, "/criteria/0/colour"),
        ({"pattern": "1"}, "/pattern"),
        ({"pattern": "1 and"}, "/pattern"),
        ({"kind": "board"}, "/group_by"),
        ({"group_by": "stage_id"}, "/group_by"),
        ({"kind": "board", "group_by": "name"}, "/group_by"),
        ({"kind": "board", "group_by": "stage_id", "sums": ["name"]}, "/sums/0"),
        ({"columns": ["name"], "column_settings": [{"key": "amount"}]}, "/column_settings/0/key"),
        ({"column_settings": [{"key": "name", "color": "green"}]}, "/column_settings/0/color"),
        ({"shared_with": [{"type": "user", "id": UNKNOWN}]}, "/shared_with/0/id"),
        ({"shared_with": [{"type": "team", "id": UNKNOWN}]}, "/shared_with/0/type"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {
            "name": f"Big deals {n}",
            "applies_to": "deals",
            "columns": ["name", "amount", "account.name"],
            "sort": ["-amount"],
            "criteria": [{"field": "amount", "op": "gte", "value": "1000.00"}, {"field": "status", "value": "open"}],
        }


class TestLayouts(ResourceContract):
    name = "layouts"
    change = ("profile_id", "sales")
    required = ("name", "applies_to")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"applies_to": "weather"}, "/applies_to"),
        ({"type": "poster"}, "/type"),
        ({"sections": [{"key": "a", "rows": [[{"field": "nonsense"}]]}]}, "/sections/0/rows/0/0/field"),
        ({"sections": [{"key": "a", "columns": 1, "rows": [[{"field": "name"}, {"field": "amount"}]]}]}, "/sections/0/rows/0"),
        ({"sections": [{"key": "a", "rows": []}, {"key": "a", "rows": []}]}, "/sections/1/key"),
        ({"sections": [{"key": "a", "rows": [], "condition": {"field": "nonsense"}}]}, "/sections/0/condition/field"),
        ({"sections": [{"key": "a"}]}, "/sections/0/rows"),
        ({"related_lists": [{"relation": "nonsense"}]}, "/related_lists/0/relation"),
        ({"related_lists": [{"relation": "contacts", "columns": ["amount"]}]}, "/related_lists/0/columns/0"),
        ({"related_lists": [{"relation": "contacts", "sort": ["amount"]}]}, "/related_lists/0/sort/0"),
        ({"canvas": {"width": 1}}, "/canvas"),
        ({"type": "canvas", "canvas": {"elements": [{"field": "nonsense"}]}}, "/canvas/elements/0/field"),
        ({"type": "canvas", "canvas": {"text": "x" * 100_001}}, "/canvas"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {
            "name": f"Deal page {n}",
            "applies_to": "deals",
            "type": "detail",
            "sections": [
                {"key": "main", "rows": [[{"field": "name"}, {"field": "account.name"}]], "condition": {"field": "status", "value": "won"}}
            ],
            "related_lists": [{"relation": "contacts", "columns": ["display_name"], "sort": ["-created_at"], "limit": 5}],
        }


class TestNavigationMenus(ResourceContract):
    name = "navigation_menus"
    change = ("name", "Renamed")
    required = ("name",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"entries": [{"key": "a", "type": "object"}]}, "/entries/0/object"),
        ({"entries": [{"key": "a", "type": "object", "object": "weather"}]}, "/entries/0/object"),
        ({"entries": [{"key": "a", "type": "url", "url": "javascript:alert(1)"}]}, "/entries/0/url"),
        ({"entries": [{"key": "a", "type": "home", "url": "https://x.example"}]}, "/entries/0/url"),
        ({"entries": [{"key": "a", "type": "view", "view_id": UNKNOWN}]}, "/entries/0/view_id"),
        ({"entries": [{"key": "a", "type": "home"}, {"key": "a", "type": "home"}]}, "/entries/1/key"),
        ({"entries": [{"key": "a", "type": "group", "entries": [{"key": "b", "type": "object"}]}]}, "/entries/0/entries/0/object"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        group = {"key": "sales", "type": "group", "label": "Sales", "entries": [{"key": "deals", "type": "object", "object": "deals"}]}
        return {"name": f"Menu {n}", "entries": [{"key": "home", "type": "home"}, group]}


class TestThemes(ResourceContract):
    name = "themes"
    change = ("mode", "dark")
    required = ("name",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"mode": "blue"}, "/mode"),
        ({"colors": {"accent": "green"}}, "/colors/accent"),
        ({"logo_url": "ftp://x.example/logo"}, "/logo_url"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"name": f"Theme {n}", "colors": {"accent": "#0a7d55"}}


class TestWidgets(ResourceContract):
    name = "widgets"
    change = ("placement", "sidebar")
    required = ("name",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"applies_to": "weather"}, "/applies_to"),
        ({"applies_to": None}, "/applies_to"),
        ({"type": "web"}, "/url"),
        ({"url": "https://status.example/"}, "/url"),
        ({"source_view_id": UNKNOWN}, "/source_view_id"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"name": f"Widget {n}", "applies_to": "deals", "position": n, "settings": {"limit": 5}}


class TestCustomLinks(ResourceContract):
    name = "custom_links"
    change = ("opens_in", "same")
    required = ("name", "applies_to", "url_template")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"applies_to": "weather"}, "/applies_to"),
        ({"url_template": "javascript:alert({name})"}, "/url_template"),
        ({"url_template": "https://{name}.example/"}, "/url_template"),
        ({"url_template": "{website}/x/y/z"}, "/url_template"),
        ({"url_template": "https://news.example/?q={nonsense}"}, "/url_template"),
        ({"url_template": "https://news.example/?q={"}, "/url_template"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"name": f"Link {n}", "applies_to": "accounts", "url_template": "https://news.example/search?q={name}&o={owner.name}"}


class TestSegments(ResourceContract):
    name = "segments"
    change = ("description", "For the autumn event")
    required = ("name", "applies_to")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"applies_to": "users"}, "/applies_to"),
        ({"kind": "fluid"}, "/kind"),
        ({"filter": {"field": "nonsense", "value": 1}}, "/filter/field"),
        ({"filter": None}, "/filter"),
        ({"kind": "static"}, "/filter"),
        ({"member_count": 5}, "/member_count"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"name": f"Segment {n}", "applies_to": "contacts", "kind": "dynamic", "filter": {"field": "rating", "value": "hot"}}
