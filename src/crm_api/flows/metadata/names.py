"""Names that organisations may give: stable, readable, and never one that the API uses itself."""

from __future__ import annotations

import re
from typing import Final

from crm_api.core.errors import FieldError, ReservedName, ValidationFailed
from crm_api.kernel.event_catalog import SYSTEM_OBJECTS
from crm_api.kernel.registry import Registry

PATTERN: Final = r"^[a-z][a-z0-9_]{0,39}$"
_PATTERN: Final = re.compile(PATTERN)

RESERVED_OBJECTS: Final = frozenset(
    [
        "accounts",
        "contacts",
        "leads",
        "pipelines",
        "stages",
        "deals",
        "cases",
        "case_comments",
        "activities",
        "tasks",
        "meetings",
        "calls",
        "notes",
        "emails",
        "users",
        "members",
        "profiles",
        "roles",
        "teams",
        "sharing_rules",
        "shares",
        "restriction_rules",
        "territories",
        "audit",
        "privacy",
        "consents",
        "retention_policies",
        "products",
        "price_books",
        "price",
        "line_items",
        "quotes",
        "orders",
        "sales_orders",
        "purchase_orders",
        "vendors",
        "invoices",
        "payments",
        "contracts",
        "campaigns",
        "campaign_members",
        "segments",
        "sequences",
        "templates",
        "landing_pages",
        "forms",
        "touches",
        "documents",
        "folders",
        "files",
        "tags",
        "messages",
        "channels",
        "announcements",
        "notifications",
        "feed",
        "follows",
        "surveys",
        "forums",
        "topics",
        "posts",
        "articles",
        "portals",
        "queues",
        "calendars",
        "shifts",
        "escalations",
        "assignment_rules",
        "scoring_models",
        "workflows",
        "approvals",
        "macros",
        "blueprints",
        "functions",
        "webhooks",
        "webhook_endpoints",
        "webhook_deliveries",
        "connections",
        "encryption",
        "apps",
        "oauth_apps",
        "oauth_grants",
        "tokens",
        "sandboxes",
        "clock",
        "config",
        "imports",
        "exports",
        "backups",
        "jobs",
        "reports",
        "dashboards",
        "forecasts",
        "quotas",
        "kpis",
        "contests",
        "predictions",
        "views",
        "layouts",
        "navigation",
        "themes",
        "widgets",
        "links",
        "boards",
        "search",
        "batch",
        "composite",
        "events",
        "event_consumers",
        "event_types",
        "meta",
        "me",
        "org",
        "orgs",
        "limits",
        "public",
        "sharing",
        "exchange_rates",
        "currencies",
        "lead_statuses",
        "lifecycle_stages",
        "contact_roles",
        "by",
        "bulk",
        "merge",
        "aggregate",
        "records",
        "record",
        "schema",
        "schemas",
        "metadata",
        "system",
        "admin",
        "api",
        "custom_fields",
        "custom_records",
        "object",
        "objects",
        "field",
        "fields",
        "changelog",
        "diff",
    ]
)
"""Names of objects that exist or are to come, and every first segment of a path."""

RESERVED_FIELDS: Final = frozenset(
    [
        "object",
        "id",
        "version",
        "display_name",
        "created_at",
        "updated_at",
        "deleted_at",
        "created_by",
        "updated_by",
        "owner_id",
        "owner",
        "merged_into",
        "tags",
        "external_ids",
        "custom_fields",
        "labels",
        "abilities",
        "link",
        "links",
        "history",
        "timeline",
        "stage_history",
        "access",
        "shares",
        "co_owners",
        "restore",
        "transfer",
        "search",
        "batch",
        "by",
        "merge",
        "bulk",
        "aggregate",
        "board",
        "move",
        "and",
        "or",
        "not",
        "any",
        "all",
        "none",
        "field",
        "value",
        "op",
        "segments",
        "score_breakdown",
    ]
)
"""Names that records, filters and paths below a record use themselves."""


def check_name(name: str, pointer: str) -> None:
    """Raises ValidationFailed for a name of the wrong form."""
    if _PATTERN.match(name) is None or name.endswith("_") or "__" in name:
        raise ValidationFailed([FieldError("pattern", pointer=pointer, params={"pattern": PATTERN})])


def check_object_names(registry: Registry, api_name: str, singular: str) -> None:
    """Raises ReservedName or ValidationFailed for names that an object can't have."""
    check_name(api_name, "/api_name")
    check_name(singular, "/singular")
    singulars = {resource.singular for resource in registry.standard} | {*SYSTEM_OBJECTS.values(), "webhook_endpoint", "event"}
    for name, pointer, taken in (("api_name", "/api_name", RESERVED_OBJECTS), ("singular", "/singular", singulars)):
        value = api_name if name == "api_name" else singular
        if value in taken:
            raise ReservedName(errors=[FieldError("reserved_name", pointer=pointer)])
    if api_name == singular:
        raise ValidationFailed([FieldError("invalid_combination", pointer="/singular", params={"other": "api_name"})])


def check_field_name(api_name: str) -> None:
    """Raises ReservedName or ValidationFailed for a name that a field can't have."""
    check_name(api_name, "/api_name")
    if api_name in RESERVED_FIELDS:
        raise ReservedName(errors=[FieldError("reserved_name", pointer="/api_name")])
