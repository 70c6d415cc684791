"""What there is about webhook endpoints beside their records: keys, tests, sending again, the log, and how they stand."""

from fastapi import APIRouter

from crm_api.http.routing import KernelRoute
from crm_api.http.webhooks import again, logs, signing, standing, trying

router = APIRouter(route_class=KernelRoute)
for part in (signing, trying, again, logs, standing):
    router.include_router(part.router)

__all__ = ["router"]
