"""The worker: relay, jobs, webhooks, queue and sweeps in one process. Any number of workers may run beside each other."""

from __future__ import annotations

import asyncio
import signal
from typing import Final
from uuid import UUID

import structlog

from crm_api.core.clock import Clock, SystemClock
from crm_api.core.egress import Egress
from crm_api.db.engine import Database
from crm_api.http.app import build_engine
from crm_api.http.logging import configure_logging
from crm_api.jobs.mail import Mailer
from crm_api.jobs.queue import Queue
from crm_api.jobs.relay import Relay
from crm_api.jobs.runner import Runner
from crm_api.jobs.sweeps import SWEEPS, Jobs
from crm_api.jobs.timers import Timers
from crm_api.jobs.wake import Wakeups
from crm_api.jobs.webhooks.dispatcher import Dispatcher
from crm_api.jobs.webhooks.sender import Sender
from crm_api.settings import Settings, driver_url

_CONNECTIONS: Final = 12
_SERVING: Final = 8
_STOP_S: Final = 4.0
_IDLE_MS: Final = 10_000
"""Shorter than the lease on an endpoint: a worker that froze within a transaction holds nobody up for longer than any other."""

log = structlog.get_logger("crm_api.worker")


def run(settings: Settings | None = None) -> None:
    """Works until SIGTERM or SIGINT."""
    settings = settings or Settings()
    clock = SystemClock()
    configure_logging(settings, clock)
    asyncio.run(_until_signal(settings, clock))


async def _until_signal(settings: Settings, clock: Clock) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await work(settings, clock, stop)


async def work(settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
    """Works until `stop` is set; then what runs is cancelled and rolls back, to be found again by the next worker."""
    database = Database(
        settings.database_url, pool_size=_CONNECTIONS, statement_timeout_ms=settings.statement_timeout_ms, idle_transaction_ms=_IDLE_MS
    )
    wakeups: Wakeups | None = None
    relay = Relay(database, clock)
    engine = build_engine(settings)
    runner = Runner(database, clock, engine, settings.data_dir)
    mailer = Mailer(database, clock, settings)
    timers = Timers(database, clock, engine, settings.data_dir)
    egress = Egress(settings.egress)
    # Its transactions are short, and hold the endpoint.
    serving = Database(
        settings.database_url, pool_size=_SERVING, statement_timeout_ms=settings.statement_timeout_ms, idle_transaction_ms=_IDLE_MS,
        transaction_ms=_IDLE_MS,
    )  # fmt: skip
    sender = Sender(serving, clock, engine, egress, settings.api_version)
    dispatcher = Dispatcher(database, clock, engine, settings.api_version, sender.wake)
    relay.consume = dispatcher.wake

    def wake(org_id: UUID | None) -> None:
        relay.wake(org_id)
        sender.wake()
        runner.wake(org_id)
        timers.wake(org_id)
        mailer.wake()

    if settings.redis_url is not None:
        wakeups = Wakeups(settings.redis_url, wake, everything=True)
        relay.publish = wakeups.publish
    owner = settings.database_owner_url
    jobs = Jobs(database, clock, None if owner is None else driver_url(owner), settings.data_dir, settings.signer)
    queue = Queue(settings.redis_url, jobs, SWEEPS)
    tasks = [
        asyncio.create_task(relay.run(), name="relay"),
        asyncio.create_task(runner.run(), name="jobs"),
        asyncio.create_task(timers.run(), name="timers"),
        asyncio.create_task(mailer.run(), name="mail"),
        asyncio.create_task(dispatcher.run(), name="dispatcher"),
        asyncio.create_task(sender.run(), name="webhooks"),
        asyncio.create_task(queue.run(), name="queue"),
    ]
    if wakeups is not None:
        wakeups.start()
    log.info("worker_started", valkey=wakeups is not None, partitions=owner is not None)
    stopped = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopped}:
            task.result()  # neither ends by itself; if one failed, the process ends and is started again
    finally:
        for task in (*tasks, stopped):
            task.cancel()
        await asyncio.wait(tasks, timeout=_STOP_S)
        if wakeups is not None:
            await wakeups.close()
        await egress.aclose()
        await serving.close()
        await database.close()
        log.info("worker_stopped")
