"""Custom links: ways from a record to other systems."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.presentation import CustomLink
from crm_api.resources.custom_links.rules import CustomLinkRules
from crm_api.resources.custom_links.schemas import CustomLinkCreate, CustomLinkRead, CustomLinkUpdate

custom_links = Resource[CustomLink, CustomLinkCreate, CustomLinkUpdate, CustomLinkRead](
    name="custom_links",
    singular="custom_link",
    model=CustomLink,
    create=CustomLinkCreate,
    update=CustomLinkUpdate,
    read=CustomLinkRead,
    display=lambda row: row["name"],
    description="Links beside records whose addresses hold their values. `GET /v1/meta/links/{id}/render` fills one in for a record.",
    example={"name": "Search the news", "applies_to": "accounts", "url_template": "https://news.example/search?q={name}"},
    search=("name", "url_template"),
    rules=CustomLinkRules(),
    verbs=ALL_VERBS - {"merge"},
    default_sort=("position",),
    owner_defaults_to_caller=False,
    configuration=("applies_to", "name"),
    sharing="none",
    paths_in={"url_template": "template"},
)
