"""Layouts, menus, themes, widgets and links that hold for a caller; links filled in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api

pytestmark = pytest.mark.anyio


async def _layout(api: Api, name: str, **more: Any) -> Any:
    sections = [{"key": "main", "rows": [[{"field": "name"}]]}]
    return await api.make("layouts", name=name, **{"applies_to": "deals", "sections": sections, **more})


async def _effective(api: Api, **params: Any) -> Any:
    return await api.ok("GET", "/v1/meta/deals/layouts/effective", params=params)


async def test_which_layout_holds(api: Api) -> None:
    generated = await _effective(api)
    assert (generated["source"], generated["id"], generated["type"]) == ("generated", None, "detail")
    names = [cell["field"] for section in generated["sections"] for row in section["rows"] for cell in row]
    assert {"name", "amount", "stage_id", "owner_id", "created_at"} <= set(names)
    assert len(names) == len(set(names))
    assert "contacts" in [shown["relation"] for shown in generated["related_lists"]]
    standard = await _layout(api, "Standard", is_default=True)
    sales = await _layout(api, "Sales", profile_id="sales")
    assert (await _effective(api))["id"] == standard["id"]
    assert [(await _effective(api, profile_id=profile))["id"] for profile in ("sales", "service")] == [sales["id"], standard["id"]]
    assert (await _effective(api, profile_id="sales"))["source"] == "profile"
    assert (await _effective(api, type="card"))["source"] == "generated"
    newer = await _layout(api, "Newer", is_default=True)
    assert (await _effective(api))["id"] == newer["id"]
    assert (await api.get(standard))["is_default"] is False
    other = await _layout(api, "Card", type="card", is_default=True)
    assert (await _effective(api, type="card"))["id"] == other["id"]
    assert (await api.get(newer))["is_default"] is True
    listed = (await api.ok("GET", "/v1/meta/deals/layouts", params={"type": "detail"}))["data"]
    assert [layout["name"] for layout in listed] == ["Newer", "Standard", "Sales"]
    await api.ok("DELETE", f"/v1/layouts/{newer['id']}")
    assert (await _effective(api))["source"] == "generated"


@pytest.mark.parametrize("kind", ["detail", "card", "edit", "list", "related", "canvas"])
async def test_generated_layouts_are_valid(api: Api, kind: str) -> None:
    for name in ("deals", "contacts", "notes"):
        shown = await api.ok("GET", f"/v1/meta/{name}/layouts/effective", params={"type": kind})
        body = {member: shown[member] for member in ("applies_to", "type", "name", "sections", "related_lists", "canvas")}
        made = await api.make("layouts", **{member: value for member, value in body.items() if value is not None})
        assert made["type"] == kind


async def test_wrong_questions_about_layouts(api: Api) -> None:
    await api.fails("GET", "/v1/meta/weather/layouts", 404, "not_found")
    await api.fails("GET", "/v1/meta/deals/layouts/effective", 400, "bad_request", params={"type": "poster"})
    narrow = await api.with_scopes("layouts:read")
    await narrow.fails("GET", "/v1/meta/deals/layouts/effective", 403, "insufficient_scope")


async def test_layouts_keep_their_past(api: Api) -> None:
    layout = await _layout(api, "First")
    await api.change(layout, sections=[])
    history = (await api.ok("GET", f"/v1/layouts/{layout['id']}/history"))["data"]
    assert history[0]["changes"]["sections"]["old"] == layout["sections"]


async def test_navigation(api: Api, colleague: Api) -> None:
    generated = await api.ok("GET", "/v1/meta/navigation")
    assert [entry["key"] for entry in generated["entries"]][:3] == ["home", "accounts", "contacts"]
    view = await api.make("views", name="Mine", applies_to="deals")
    sales = [{"key": "deals", "type": "object", "object": "deals"}, {"key": "mine", "type": "view", "view_id": view["id"]}]
    entries = [{"key": "sales", "type": "group", "entries": sales}, {"key": "wiki", "type": "url", "url": "https://wiki.example/"}]
    menu = await api.make("navigation_menus", name="Sales", is_default=True, entries=entries)
    shown = await api.ok("GET", "/v1/meta/navigation")
    assert (shown["id"], shown["entries"]) == (menu["id"], entries)
    assert (await colleague.ok("GET", "/v1/meta/navigation"))["entries"][0]["entries"] == sales[:1]  # the view is not theirs
    narrow = await api.with_scopes("navigation_menus:read")
    assert (await narrow.ok("GET", "/v1/meta/navigation"))["entries"][0]["entries"] == []


async def test_themes(api: Api) -> None:
    assert (await api.ok("GET", "/v1/meta/themes"))["source"] == "generated"
    theme = await api.make("themes", name="Evening", mode="dark", colors={"accent": "#0a7d55", "text": "#ffffff"}, is_default=True)
    assert (await api.change(theme, colors={"text": None}))["colors"] == {"accent": "#0a7d55"}
    shown = await api.ok("GET", "/v1/meta/themes")
    assert (shown["id"], shown["mode"], shown["colors"]) == (theme["id"], "dark", {"accent": "#0a7d55"})


async def test_widgets_and_links(api: Api) -> None:
    for name, more in (("b", {"position": 2}), ("a", {"position": 1}), ("s", {"profile_id": "sales"}), ("d", {"placement": "detail"})):
        await api.make("widgets", name=name, applies_to="deals", **more)
    widgets = await api.ok("GET", "/v1/meta/widgets", params={"placement": "home"})
    assert [widget["name"] for widget in widgets["data"]] == ["a", "b"]
    widgets = await api.ok("GET", "/v1/meta/widgets", params={"placement": "home", "profile_id": "sales"})
    assert [widget["name"] for widget in widgets["data"]] == ["a", "b", "s"]
    narrow = await api.with_scopes("widgets:read")
    assert (await narrow.ok("GET", "/v1/meta/widgets"))["data"] == []
    await api.make("custom_links", name="News", applies_to="accounts", url_template="https://news.example/?q={name}")
    await api.make("custom_links", name="Map", applies_to="contacts", url_template="https://map.example/")
    links = await api.ok("GET", "/v1/meta/links", params={"object": "accounts"})
    assert [link["name"] for link in links["data"]] == ["News"]


async def test_links_are_filled_in(api: Api, other_api: Api) -> None:
    parent = await api.make("accounts", name="Groß & Söhne")
    account = await api.make("accounts", name="a/b?c=d#e&f={x}", employees=7, parent_id=parent["id"])
    template = "https://news.example/{employees}/s?q={name}&p={parent.name}&none={industry}&tags={tags}"
    link = await api.make("custom_links", name="News", applies_to="accounts", url_template=template)
    path = f"/v1/meta/links/{link['id']}/render"
    shown = await api.ok("GET", path, params={"record_id": account["id"]})
    expected = "https://news.example/7/s?q=a%2Fb%3Fc%3Dd%23e%26f%3D%7Bx%7D&p=Gro%C3%9F%20%26%20S%C3%B6hne&none=&tags=%5B%5D"
    assert shown == {"id": link["id"], "record_id": account["id"], "name": "News", "url": expected, "opens_in": "new"}
    await api.fails("GET", path, 400, "bad_request", params={"record_id": "x"})
    await api.fails("GET", path, 404, "not_found", params={"record_id": link["id"]})
    await other_api.fails("GET", path, 404, "not_found", params={"record_id": account["id"]})
    owner = await api.make("custom_links", name="Owner", applies_to="accounts", url_template="https://x.example/?o={owner.name}")
    narrow = await api.with_scopes("custom_links:read", "accounts:read")
    await narrow.ok("GET", path, params={"record_id": account["id"]})
    problem = await narrow.fails(
        "GET", f"/v1/meta/links/{owner['id']}/render", 403, "insufficient_scope", params={"record_id": account["id"]}
    )
    assert problem["required_scopes"] == ["users:read"]
