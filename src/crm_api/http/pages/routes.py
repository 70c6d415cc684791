"""The routes of all pages about signing in."""

from __future__ import annotations

from fastapi import APIRouter

from crm_api.http.pages import login, passwords
from crm_api.http.pages.assets import build_assets_router


def build_pages_router() -> APIRouter:
    """Pages are no operations of the API, so the description leaves them out."""
    router = APIRouter(include_in_schema=False)
    router.include_router(login.router)
    router.include_router(passwords.router)
    router.include_router(build_assets_router())
    return router
