"""The tables. Importing this package makes `Base.metadata` complete, which migrations and tests rely on."""

from crm_api.models import (
    access,
    activities,
    audit,
    events,
    exchange,
    identity,
    jobs,
    metadata,
    platform,
    presentation,
    sales,
    sandboxes,
    service,
    tenancy,
    timers,
    vocabulary,
)
from crm_api.models.base import Base

__all__ = [
    "Base",
    "access",
    "activities",
    "audit",
    "events",
    "exchange",
    "identity",
    "jobs",
    "metadata",
    "platform",
    "presentation",
    "sales",
    "sandboxes",
    "service",
    "tenancy",
    "timers",
    "vocabulary",
]
