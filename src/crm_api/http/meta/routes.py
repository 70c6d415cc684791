"""Routes under /v1/meta that tell of the schema and change it."""

from __future__ import annotations

from fastapi import APIRouter

import crm_api.flows.metadata.pipelines  # noqa: F401  registers what prepares objects for pipelines
from crm_api.http.meta import fields, objects, options

router = APIRouter()
router.include_router(objects.router)
router.include_router(fields.router)
router.include_router(options.router)
