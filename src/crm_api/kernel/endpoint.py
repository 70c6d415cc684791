"""What an ordinary FastAPI route needs of the kernel: the caller's context, handed over by the route class of `http/routing.py`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from crm_api.kernel.context import Context
from crm_api.kernel.engine import Engine


async def current_context(request: Request) -> Context:
    """The authenticated caller's context, in the request's unit of work."""
    context: Context = request.state.context
    return context


async def current_engine(request: Request) -> Engine:
    """The record engine of this application."""
    engine: Engine = request.app.state.services.engine
    return engine


ContextDep = Annotated[Context, Depends(current_context, scope="function")]
EngineDep = Annotated[Engine, Depends(current_engine, scope="function")]
