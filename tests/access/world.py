"""An organisation with hidden things in every place that takes one, and a user who may not know of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tests.access.people import colleague
from tests.api import Api
from tests.meta.work import field as make_field
from tests.meta.work import make_object

HIDDEN_NAMES = (
    "birthdate",
    "department",
    "annual_revenue",
    "employees",
    "billing_address",
    "next_step",
    "lost_reason",
    "zqcode",
    "zqsecret",
    "zqplain",
    "zqnumber",
    "zqpick",
    "zqfollower",
    "zqboats",
    "zqboat",
    "zqmotor",
    "zqlength",
    "/leads",
    '"leads"',
    "'leads'",
    "lead.created",
)
"""Names that stand for nothing else in the whole product."""

MARKERS = {
    "email": "zqmail@marker.example",
    "department": "Zqdepartmentmarker",
    "birthdate": "1911-11-11",
    "annual_revenue": "987654321.12",
    "employees": 424242,
    "billing_address": "Zqstreetmarker",
    "next_step": "Zqnextstepmarker",
    "zqcode": "Zqcodemarker",
    "zqsecret": "Zqsecretmarker",
    "zqplain": "Zqplainmarker",
    "zqnumber": 77665544,
    "zqpick": "zqoptionmarker",
    "boat": "Zqboatmarker",
    "motor": "Zqmotormarker",
    "lead": "Zqleadmarker",
    "phone": "+49 30 99887766",
}
VALUES = [str(value) for value in MARKERS.values()] + ["zqmail", "99887766", "4930998", "Zqoptionlabel", "155331088"]
"""`155331088` is what the formula makes of the hidden number."""


@dataclass
class World:
    """What was planted, and who looks for it."""

    admin: Api
    user: Api
    ids: dict[str, str] = field(default_factory=dict)
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    cursor: str = ""


CLOSED = ("profiles", "roles", "sharing_rules", "restriction_rules", "territories", "organization", "audit", "privacy", "connections")
PERMISSIONS: dict[str, list[str]] = {
    "*": ["read", "create", "update", "delete", "export", "import", "bulk", "transfer", "share", "purge"],
    "leads": [],
    "zqboats": [],
    "retention_policies": [],
    "meta": [],
    **{name: [] for name in CLOSED},
}
FIELDS = {
    "contacts": {
        **dict.fromkeys(("birthdate", "department", "email", "emails", "phones"), "hidden"),
        **{f"custom_fields.{name}": "hidden" for name in ("zqsecret", "zqplain", "zqnumber", "zqpick", "zqcode")},
        "title": "read_only",
    },
    "accounts": dict.fromkeys(("annual_revenue", "employees", "billing_address"), "hidden"),
    "deals": dict.fromkeys(("next_step", "lost_reason"), "hidden"),
    "zqships": {"zqmotor": "hidden"},
}


async def planted(api: Api) -> World:
    """An organisation with hidden things in every place that takes one, and a user with a narrow profile."""
    await make_object(api, "zqboats", "zqboat")
    await make_object(api, "zqships", "zqship")
    await make_field(api, "zqboats", "name", "text")
    await make_field(api, "zqships", "name", "text")
    await make_field(api, "zqships", "zqmotor", "text")
    await make_field(api, "contacts", "zqsecret", "text")
    await make_field(api, "contacts", "zqplain", "text", searchable=False)
    await make_field(api, "contacts", "zqcode", "text", unique=True)
    await make_field(api, "contacts", "zqnumber", "integer", indexed=True)
    await make_field(api, "contacts", "zqpick", "picklist", options=[{"key": "zqoptionmarker", "label": "Zqoptionlabel"}])
    await make_field(api, "contacts", "zqfollower", "formula", returns="integer", formula="custom_fields.zqnumber * 2")
    await make_field(api, "contacts", "zqopen", "text")
    profile = await api.make("profiles", name="Narrow", permissions=PERMISSIONS, fields=FIELDS)
    user = await colleague(api, profile_id=profile["id"])
    user.http.event_hooks = {}
    world = World(api, user)
    account = await api.make(
        "accounts",
        name="Openaccount",
        annual_revenue=MARKERS["annual_revenue"],
        employees=MARKERS["employees"],
        billing_address={"street": MARKERS["billing_address"]},
    )
    contact = await api.make(
        "contacts",
        first_name="Open",
        last_name="Personage",
        account_id=account["id"],
        emails=[{"address": MARKERS["email"], "is_primary": True}],
        phones=[{"number": MARKERS["phone"], "is_primary": True}],
        department=MARKERS["department"],
        birthdate=MARKERS["birthdate"],
        custom_fields={**{name: MARKERS[name] for name in ("zqsecret", "zqplain", "zqcode", "zqnumber", "zqpick")}, "zqopen": "Visible"},
    )
    nameless = await api.make("contacts", emails=[{"address": "2" + str(MARKERS["email"]), "is_primary": True}])
    deal = await api.make("deals", name="Opendeal", account_id=account["id"], amount="5", next_step=MARKERS["next_step"])
    await api.ok("PUT", f"/v1/deals/{deal['id']}/links/contacts/{contact['id']}", json={})
    lead = await api.make("leads", last_name=MARKERS["lead"], company="X")
    boat = await api.make("zqboats", name=MARKERS["boat"])
    ship = await api.make("zqships", name="Openship", zqmotor=MARKERS["motor"])
    hot = {"field": "custom_fields.zqnumber", "op": "gt", "value": 3}
    view = await api.make(
        "views",
        name="Telltale",
        visibility="shared",
        applies_to="contacts",
        columns=["last_name", "custom_fields.zqsecret", "department"],
        criteria=[hot],
        sort=["-birthdate"],
        kind="board",
        group_by="custom_fields.zqpick",
    )
    columns = await api.make(
        "views", name="Columns", visibility="shared", applies_to="contacts", columns=["last_name", "department", "account.employees"]
    )
    far = await api.make(
        "views",
        name="Far",
        visibility="shared",
        applies_to="deals",
        columns=["name", "account.annual_revenue"],
        criteria=[{"field": "account.employees", "op": "gt", "value": 1}],
    )
    boats = await api.make("views", name="Boats", visibility="shared", applies_to="zqboats", columns=["name"])
    segment = await api.make("segments", name="Telltale", applies_to="contacts", kind="dynamic", filter=hot)
    layout = await api.make(
        "layouts",
        name="Telltale",
        applies_to="contacts",
        sections=[
            {"key": "a", "label": "A", "rows": [[{"field": "last_name"}, {"field": "department"}], [{"field": "custom_fields.zqsecret"}]]}
        ],
    )
    link = await api.make("custom_links", name="Telltale", applies_to="contacts", url_template="https://x.example/{department}/{id}")
    world.ids = {
        "accounts": account["id"],
        "contacts": contact["id"],
        "deals": deal["id"],
        "leads": lead["id"],
        "zqboats": boat["id"],
        "zqships": ship["id"],
        "views": view["id"],
        "segments": segment["id"],
        "layouts": layout["id"],
        "custom_links": link["id"],
        "users": str(api.user_id),
        "links": link["id"],
        "columns": columns["id"],
        "far": far["id"],
        "boats": boats["id"],
        "nameless": nameless["id"],
    }
    world.names = {
        "": {"object": "contacts", "unique_field": "zqcode", "value": "x", "api_name": "zqsecret", "other_id": deal["id"], "key": "k"}
    }
    world.cursor = (await user.ok("GET", "/v1/events"))["page"]["next_cursor"]
    # a history with old and new values
    await api.change(contact, department="Zqdepartmentmarker2", title="Chief", custom_fields={"zqsecret": "Zqsecretmarker2"})
    await api.change(contact, department=str(MARKERS["department"]))
    await api.change(lead, company="Y")
    return world


def told(text: str) -> list[str]:
    """What of the hidden things a text gives away."""
    found = [value for value in VALUES if value.lower() in text.lower()]
    return found + [name for name in HIDDEN_NAMES if re.search(rf"(?<![a-z_]){re.escape(name)}(?![a-z])", text, re.IGNORECASE)]
