"""Probes for whatever runs the process: is it alive, can it serve, and how is it doing."""

import asyncio
from time import monotonic
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from crm_api.db.migrate import database_revision, head_revision
from crm_api.db.roles import UnsafeRole, refuse_unsafe_role
from crm_api.http import metrics
from crm_api.http.services import Services, services_of
from crm_api.settings import driver_url

_PATIENCE_S: Final = 3.0
#: Probes come often and from many places; the database is asked at most this often.
_KEEP_S: Final = 1.0


class Health(BaseModel):
    """The process is up."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"] = Field(description="Always `ok`: a process that is not alive does not answer.")


class Check(BaseModel):
    """One thing that the service stands on."""

    status: Literal["ok", "failed", "unavailable", "off"] = Field(
        description="`failed` stops the service, `unavailable` only narrows it, `off` means that it is not configured."
    )
    detail: str | None = Field(default=None, description="What is wrong and what to do, where something is.")


class Checks(BaseModel):
    """The parts that readiness looks at."""

    database: Check = Field(description="PostgreSQL answers, and the role that the API uses is bound by row-level security.")
    migrations: Check = Field(description="The database is at the newest revision that this program knows.")
    queue: Check = Field(description="Valkey answers. Without it reads and writes go on; limits and wake-ups do not.")


class Readiness(BaseModel):
    """Whether requests should be sent here."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"status": "ok", "checks": {name: {"status": "ok"} for name in ("database", "migrations", "queue")}}],
        }
    )

    status: Literal["ok", "degraded", "unavailable"] = Field(
        description="`degraded` is still served (200): Valkey is away. `unavailable` comes with 503."
    )
    checks: Checks = Field(description="The result for each part.")


class _Readiness:
    """Runs the checks, one at a time, and keeps their result for a moment."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._found: tuple[Check, Check] | None = None
        self._until = 0.0

    async def ask(self, services: Services) -> Readiness:
        async with self._lock:
            if self._found is None or monotonic() >= self._until:
                self._found = await _ask_database(driver_url(services.settings.database_url))
                self._until = monotonic() + _KEEP_S
        database, migrations = self._found
        queue = _queue(services)
        if database.status == "failed" or migrations.status == "failed":
            status: Literal["ok", "degraded", "unavailable"] = "unavailable"
        else:
            status = "degraded" if queue.status == "unavailable" else "ok"
        return Readiness(status=status, checks=Checks(database=database, migrations=migrations, queue=queue))


def _queue(services: Services) -> Check:
    if services.valkey is None:
        return Check(status="off", detail="REDIS_URL is not set.")
    if services.valkey.up:
        return Check(status="ok")
    return Check(status="unavailable", detail="Valkey does not answer; requests are served without limits until it does.")


async def _ask_database(url: str) -> tuple[Check, Check]:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            revision = await database_revision(url)
            await refuse_unsafe_role(url)
    except UnsafeRole as error:
        return Check(status="failed", detail=str(error)), Check(status="failed", detail="Not looked at.")
    except Exception as error:
        # The driver's message may name hosts and roles; its kind is enough here, the log has the rest.
        return Check(status="failed", detail=f"The database cannot be reached ({type(error).__name__})."), Check(status="failed")
    if revision == head_revision():
        return Check(status="ok"), Check(status="ok")
    return Check(status="ok"), Check(
        status="failed", detail=f"The database is at revision {revision}, this program needs {head_revision()}: run `crm-api migrate`."
    )


def build_health_router() -> APIRouter:
    """The routes `/healthz`, `/readyz` and `/metrics`. None of them needs a token or counts against a limit."""
    router = APIRouter(tags=["Operation"])
    readiness = _Readiness()

    @router.get("/healthz", operation_id="get_health", summary="Is the process alive?", response_model=Health)
    async def get_health() -> Response:
        """Answers as long as the process runs, without touching the database. Use it to decide about restarts."""
        return Response(b'{"status":"ok"}', media_type="application/json", headers={"Cache-Control": "no-store"})

    @router.get(
        "/readyz",
        operation_id="get_readiness",
        summary="Can the process serve requests?",
        response_model=Readiness,
        response_model_exclude_none=True,
        responses={503: {"model": Readiness, "description": "The database is away, not migrated, or its role is unsafe."}},
    )
    async def get_readiness(response: Response, services: Annotated[Services, Depends(services_of)]) -> Readiness:
        """Checks the database, its migrations and Valkey. Use it to decide whether to send traffic here."""
        result = await readiness.ask(services)
        response.headers["Cache-Control"] = "no-store"
        if result.status == "unavailable":
            response.status_code = 503
        return result

    @router.get(
        "/metrics",
        operation_id="get_metrics",
        summary="Metrics for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus' text format 0.0.4."}},
    )
    async def get_metrics(request: Request) -> Response:
        """Requests and latencies by route, the database pool, Valkey, the rate limiter, and the process itself."""
        text = services_of(request).metrics.text()
        return Response(text, headers={"Content-Type": metrics.CONTENT_TYPE, "Cache-Control": "no-store"})

    return router
