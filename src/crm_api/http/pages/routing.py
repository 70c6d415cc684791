"""The route class of pages: what goes wrong is told on a page, not in JSON."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import Problem
from crm_api.core.messages import field_message
from crm_api.http.pages.render import page
from crm_api.http.session import answering

_PASSED_ON: Final = ("Retry-After", "Allow", "Accept")


class PageRoute(APIRoute):
    """A route whose problems are shown as pages, also when the database is away."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler in its wrapping."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                async with answering():
                    return await inner(request)
            except Problem as problem:
                return problem_page(request, problem)

        return handle


def problem_page(request: Request, problem: Problem) -> Response:
    """What went wrong, in words."""
    details = [field_message(error.code, error.params) for error in problem.errors]
    kept = {name: value for name, value in problem.headers.items() if name in _PASSED_ON}
    return page(request, "problem.html", status=problem.status, headers=kept, title=problem.title, detail=problem.detail, details=details)
