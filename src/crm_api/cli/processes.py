"""The two long-running processes, each refusing a database role that row-level security would not bind, and missing keys."""

import asyncio
import os
from types import FrameType

from crm_api.core import failpoints
from crm_api.db.roles import refuse_unsafe_role
from crm_api.settings import Settings, driver_url

_GRACE_S = 2
"""Seconds that open requests get to finish after SIGTERM; streams and long-polls end at once."""


async def _refuse(settings: Settings) -> None:
    """Raises UnsafeRole or KeysMissing rather than to serve with the wrong role, or without the keys to what is in the database."""
    await refuse_unsafe_role(driver_url(settings.database_url))

    from crm_api.core.clock import SystemClock
    from crm_api.db.engine import Database
    from crm_api.flows.keys import refuse_missing_keys

    database = Database(settings.database_url, pool_size=1)
    try:
        await refuse_missing_keys(database, SystemClock(), settings.keyring)
    finally:
        await database.close()


def run_api(settings: Settings, host: str, port: int) -> None:
    """Serve HTTP until SIGTERM or SIGINT."""
    failpoints.arm(os.environ)
    asyncio.run(_refuse(settings))

    import uvicorn

    from crm_api.http.feed import Feeds
    from crm_api.http.protocol import Protocol
    from crm_api.main import build

    app = build(settings)

    class Server(uvicorn.Server):
        """Ends event streams and long-polls as soon as it is asked to stop; they would outlast its patience."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            feeds: Feeds | None = getattr(app.state, "feeds", None)
            if feeds is not None:
                feeds.end()
            super().handle_exit(sig, frame)

    server = Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=Protocol,
            lifespan="on",
            log_config=None,  # logging is set up by the application
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=[str(network) for network in settings.trusted_proxies],
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
    failpoints.arm(os.environ)
    asyncio.run(_refuse(settings))

    from crm_api.worker import run

    run(settings)
