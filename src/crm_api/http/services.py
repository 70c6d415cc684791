"""What an application holds for its routes: built once by `create_app`, found in `request.app.state.services`."""

from dataclasses import dataclass, field

from starlette.requests import Request

from crm_api.core.clock import Clock
from crm_api.core.egress import Egress
from crm_api.db.engine import Database
from crm_api.flows.users.people import People
from crm_api.http.denials import Denials
from crm_api.http.metrics import Metrics
from crm_api.http.ratelimit import RateLimiter
from crm_api.http.token_use import TokenUse
from crm_api.http.valkey import Valkey
from crm_api.kernel.engine import Engine
from crm_api.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """The shared parts of one application. `valkey` is None where no `REDIS_URL` is set."""

    settings: Settings
    clock: Clock
    database: Database
    engine: Engine
    valkey: Valkey | None
    limiter: RateLimiter
    token_use: TokenUse
    people: People
    metrics: Metrics
    egress: Egress
    denials: Denials = field(default_factory=Denials)


def services_of(request: Request) -> Services:
    """The services of the application that a request came to; also usable as a FastAPI dependency."""
    services: Services = request.app.state.services
    return services
