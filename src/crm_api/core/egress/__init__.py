"""The one way in which the product makes requests to addresses that users name.

A server that fetches what strangers ask for must not become their way into the network it stands in (server-side request forgery).
Addresses are therefore judged where they are used: a name is resolved here, every address it has is judged, and the connection goes
to one that was judged, not to the name again. `check_url` judges the same way when an address is stored, which helps people but
protects nobody: names change.
"""

from crm_api.core.egress.answers import Answer, EgressFailed, Timings
from crm_api.core.egress.client import Egress
from crm_api.core.egress.dialer import Limits, Marks
from crm_api.core.egress.guard import NO_EXCEPTIONS, EgressGuard
from crm_api.core.egress.policy import EgressPolicy
from crm_api.core.egress.resolver import Resolver, SystemResolver, Unresolved
from crm_api.core.egress.urls import check_url

__all__ = [
    "NO_EXCEPTIONS",
    "Answer",
    "Egress",
    "EgressFailed",
    "EgressGuard",
    "EgressPolicy",
    "Limits",
    "Marks",
    "Resolver",
    "SystemResolver",
    "Timings",
    "Unresolved",
    "check_url",
]
