"""The entry point of an ASGI server: `uvicorn crm_api.main:build --factory`."""

from fastapi import FastAPI

from crm_api.core.clock import SystemClock
from crm_api.http.app import create_app
from crm_api.http.logging import AccessLog, configure_logging
from crm_api.settings import Settings


def build(settings: Settings | None = None) -> FastAPI:
    """The application, set up from the environment unless settings are given; logs go to standard output."""
    settings = settings or Settings()
    clock = SystemClock()
    configure_logging(settings, clock)
    access_log = AccessLog(clock) if settings.log_level in ("debug", "info") else None
    return create_app(settings, clock=clock, access_log=access_log)
