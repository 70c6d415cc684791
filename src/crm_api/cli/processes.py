"""The two long-running processes, each refusing a database role that row-level security would not bind."""

import asyncio

from crm_api.db.roles import refuse_unsafe_role
from crm_api.settings import Settings, driver_url

_GRACE_S = 3
"""Seconds that open requests (and streams) get to finish after SIGTERM."""


def run_api(settings: Settings, host: str, port: int) -> None:
    """Serve HTTP until SIGTERM or SIGINT."""
    asyncio.run(refuse_unsafe_role(driver_url(settings.database_url)))

    import uvicorn

    from crm_api.main import build

    server = uvicorn.Server(
        uvicorn.Config(
            build(settings),
            host=host,
            port=port,
            lifespan="on",
            log_config=None,  # logging is set up by the application
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_graceful_shutdown=_GRACE_S,
            h11_max_incomplete_event_size=settings.max_url_bytes + 64_000,
        )
    )
    server.run()
    if not server.started:
        raise SystemExit(3)


def run_worker(settings: Settings) -> None:
    """Run the relay and the jobs until SIGTERM or SIGINT."""
    asyncio.run(refuse_unsafe_role(driver_url(settings.database_url)))

    from crm_api.worker import run

    run(settings)
