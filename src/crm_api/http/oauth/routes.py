"""All routes of the authorization server."""

from __future__ import annotations

from fastapi import APIRouter

from crm_api.http.oauth import authorize, device, endpoints, metadata, register, token


def build_oauth_router() -> APIRouter:
    """The routes beside /v1; those under it are included there."""
    router = APIRouter()
    for found in (token, endpoints, register, authorize, device, metadata):
        router.include_router(found.router)
    return router
