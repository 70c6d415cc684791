"""What every organisation starts with. Keys, labels and stages are the organisation's own from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

Body = Mapping[str, Any]

ADMINISTRATION: Final = (
    "profiles", "roles", "teams", "sharing_rules", "restriction_rules", "territories", "users", "meta", "oauth_apps", "webhooks",
)  # fmt: skip
"""What standard users may look at and only administrators change."""

ALL_BUT_PURGE: Final = ("read", "create", "update", "delete", "export", "import", "bulk", "transfer", "share")
PROFILES: Final[Sequence[Body]] = (
    {"key": "super_admin", "name": "Super administrator", "description": "May do everything.", "permissions": {"*": ["read"]}},
    {
        "key": "standard",
        "name": "Standard",
        "description": "Works with all records; sets nothing up.",
        "is_default": True,
        "permissions": {
            "*": list(ALL_BUT_PURGE),
            **{name: ["read"] for name in ADMINISTRATION},
            **{name: [] for name in ("organization", "audit", "privacy", "connections")},
        },
    },
)

LEAD_STATUSES: Final[Sequence[Body]] = (
    {
        "key": "new",
        "label": "New",
        "role": "open",
        "is_default": True,
        "transitions": ["contacted", "qualified", "nurturing", "junk", "lost"],
    },
    {"key": "contacted", "label": "Contacted", "role": "working", "transitions": ["qualified", "nurturing", "junk", "lost"]},
    {"key": "qualified", "label": "Qualified", "role": "qualified", "transitions": ["contacted", "nurturing", "lost"]},
    {"key": "nurturing", "label": "Nurturing", "role": "remarket", "transitions": ["contacted", "qualified", "junk", "lost"]},
    {"key": "converted", "label": "Converted", "role": "converted", "transitions": []},
    {"key": "junk", "label": "Junk", "role": "junk", "reason_required": True, "transitions": ["new"]},
    {"key": "lost", "label": "Lost", "role": "dead", "reason_required": True, "transitions": ["new", "nurturing"]},
)

LIFECYCLE_STAGES: Final[Sequence[Body]] = (
    {"key": "subscriber", "label": "Subscriber", "role": "subscriber"},
    {"key": "lead", "label": "Lead", "role": "lead"},
    {"key": "mal", "label": "Marketing accepted lead", "role": "mal"},
    {"key": "mql", "label": "Marketing qualified lead", "role": "mql"},
    {"key": "sal", "label": "Sales accepted lead", "role": "sal"},
    {"key": "sql", "label": "Sales qualified lead", "role": "sql"},
    {"key": "opportunity", "label": "Opportunity", "role": "opportunity"},
    {"key": "customer", "label": "Customer", "role": "customer"},
    {"key": "evangelist", "label": "Evangelist", "role": "evangelist"},
)

CONTACT_ROLES: Final[Sequence[Body]] = (
    {"key": "decision_maker", "label": "Decision maker"},
    {"key": "economic_buyer", "label": "Economic buyer"},
    {"key": "champion", "label": "Champion"},
    {"key": "influencer", "label": "Influencer"},
    {"key": "technical_evaluator", "label": "Technical evaluator"},
    {"key": "user", "label": "User"},
    {"key": "billing", "label": "Billing"},
    {"key": "other", "label": "Other"},
)

PIPELINE: Final[Body] = {"name": "Sales", "is_default": True}

STAGES: Final[Sequence[Body]] = (
    {"name": "Qualification", "category": "open", "probability": 0.1, "forecast_category": "pipeline"},
    {"name": "Discovery", "category": "open", "probability": 0.3, "forecast_category": "pipeline"},
    {"name": "Proposal", "category": "open", "probability": 0.6, "forecast_category": "best_case"},
    {"name": "Negotiation", "category": "open", "probability": 0.8, "forecast_category": "commit"},
    {"name": "Won", "category": "won", "forecast_category": "closed"},
    {"name": "Lost", "category": "lost", "forecast_category": "omitted"},
)
