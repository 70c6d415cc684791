"""Every route of the API, put together once."""

from __future__ import annotations

from fastapi import APIRouter

from crm_api.http.records import build_record_router
from crm_api.kernel.registry import Registry
from crm_api.resources import RESOURCES

REGISTRY = Registry(RESOURCES)


def build_router() -> APIRouter:
    """The routes under /v1."""
    router = APIRouter()
    router.include_router(build_record_router(REGISTRY))
    return router
