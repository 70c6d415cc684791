"""Probes and metrics."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI

from crm_api.embedded import DatabaseUrls
from crm_api.settings import driver_url
from tests.http.support import ValkeyProcess, client_of, make_app, served

pytestmark = pytest.mark.anyio


def _app(**changes: Any) -> FastAPI:
    return make_app(APIRouter(), **changes)


async def _ready(app: FastAPI) -> httpx.Response:
    async with served(app) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        return await client.get("/readyz")


async def test_alive_without_any_server() -> None:
    async with client_of(_app()) as client:
        answer = await client.get("/healthz")
    assert answer.json() == {"status": "ok"}
    assert answer.headers["cache-control"] == "no-store"


async def test_ready(database_urls: DatabaseUrls, valkey_process: ValkeyProcess) -> None:
    answer = await _ready(_app(database_url=database_urls.database_url, redis_url=valkey_process.url))
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": {"database": {"status": "ok"}, "migrations": {"status": "ok"}, "queue": {"status": "ok"}},
    }


async def test_degraded_without_valkey(database_urls: DatabaseUrls, valkey_process: ValkeyProcess) -> None:
    valkey_process.stop()
    answer = await _ready(_app(database_url=database_urls.database_url, redis_url=valkey_process.url))
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["checks"]["queue"]["status"] == "unavailable"


async def test_no_valkey_configured_is_fine(database_urls: DatabaseUrls) -> None:
    answer = await _ready(_app(database_url=database_urls.database_url))
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["checks"]["queue"]["status"] == "off"


async def test_not_ready_without_database() -> None:
    answer = await _ready(_app())
    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
    assert "nobody" not in answer.text


async def test_not_ready_as_a_role_that_the_second_wall_does_not_hold(database_urls: DatabaseUrls) -> None:
    answer = await _ready(_app(database_url=database_urls.database_owner_url))
    assert answer.status_code == 503
    assert "row-level security" in answer.json()["checks"]["database"]["detail"]


async def test_not_ready_before_the_migrations(database_urls: DatabaseUrls) -> None:
    owner = await asyncpg.connect(driver_url(database_urls.database_owner_url))
    try:
        before = await owner.fetchval("SELECT version_num FROM alembic_version")
        await owner.execute("UPDATE alembic_version SET version_num = 'another'")
        try:
            answer = await _ready(_app(database_url=database_urls.database_url))
        finally:
            await owner.execute("UPDATE alembic_version SET version_num = $1", before)
    finally:
        await owner.close()
    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"]["status"] == "failed"
    assert "crm-api migrate" in answer.json()["checks"]["migrations"]["detail"]


async def test_many_probes_ask_the_database_once(database_urls: DatabaseUrls) -> None:
    async with client_of(_app(database_url=database_urls.database_url)) as client:
        answers = await asyncio.gather(*(client.get("/readyz") for _ in range(30)))
    assert {answer.status_code for answer in answers} == {200}


async def test_metrics_are_by_template_and_bounded() -> None:
    router = APIRouter(prefix="/v1")

    @router.get("/things/{id}")
    async def get(id: str) -> None: ...

    async with client_of(make_app(router)) as client:
        for number in range(20):
            await client.get(f"/v1/things/{number}")
            await client.get(f"/scan/{number}.php")
            await client.request(f"METHOD{number}", "/v1/things/1")
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'crm_http_requests_total{method="GET",route="/v1/things/{id}",status="200"} 20.0' in lines
    assert 'crm_http_requests_total{method="GET",route="unmatched",status="404"} 20.0' in lines
    assert 'crm_http_requests_total{method="OTHER",route="unmatched",status="405"} 20.0' in lines
    assert 'crm_http_request_duration_seconds_count{method="GET",route="/v1/things/{id}"} 20.0' in lines
    assert "crm_http_requests_in_flight 1.0" in lines
    assert any(line.startswith("crm_db_connections_in_use ") for line in lines)
    assert any(line.startswith("process_resident_memory_bytes ") for line in lines)


async def test_the_probes_are_in_the_description() -> None:
    paths = _app().openapi()["paths"]
    assert {"/healthz", "/readyz", "/metrics", "/problems", "/problems/{code}"} <= set(paths)
    assert "/docs" not in paths
    for path in ("/healthz", "/readyz", "/metrics", "/problems", "/problems/{code}"):
        assert paths[path]["get"]["summary"]
        assert paths[path]["get"]["description"]
