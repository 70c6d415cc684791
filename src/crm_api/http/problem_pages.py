"""`/problems/{code}`: what the `type` of every problem leads to, for people and for programs.

The address in `type` must go on meaning the same (RFC 9457 3.1.1); a page behind it saves a search in the reference.
"""

from html import escape
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import PROBLEMS, NotFound, ProblemType
from crm_api.core.json import dumps
from crm_api.core.messages import negotiate, title

_HTML: Final = "text/html; charset=utf-8"
_CACHE: Final = "public, max-age=3600"


class ProblemDescription(BaseModel):
    """A kind of problem that the API can answer with."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "rate_limited",
                    "status": 429,
                    "title": "Too many requests",
                    "retryable": True,
                    "description": "Wait for `Retry-After` seconds.",
                }
            ]
        }
    )

    code: str = Field(description="The `code` of the problem; never changes its meaning.")
    status: int = Field(description="The HTTP status it comes with.")
    title: str = Field(description="One line for people, in the language of `Accept-Language`.")
    retryable: bool = Field(description="Whether the same request, sent again later, may succeed.")
    description: str = Field(description="When it occurs and what to do, in English.")


class ProblemList(BaseModel):
    """Every kind of problem."""

    data: list[ProblemDescription] = Field(description="All of them, by status.")


def _describe(problem: ProblemType, language: str) -> dict[str, Any]:
    return {
        "code": problem.code,
        "status": problem.status,
        "title": title(problem.code, language),
        "retryable": problem.retryable,
        "description": problem.description,
    }


def _page(heading: str, body: str) -> bytes:
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{heading}</title><h1>{heading}</h1>{body}</html>\n'.encode()


def _wants_page(request: Request) -> bool:
    """A browser names HTML in `Accept`; programs get JSON."""
    return "text/html" in request.headers.get("accept", "")


def _answer(body: bytes, media_type: str) -> Response:
    return Response(body, headers={"Content-Type": media_type, "Cache-Control": _CACHE, "Vary": "Accept, Accept-Language"})


def build_problem_router() -> APIRouter:
    """The routes `/problems` and `/problems/{code}`; they need no token."""
    router = APIRouter(tags=["Operation"])
    page_answer: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}

    @router.get(
        "/problems", operation_id="list_problems", summary="All kinds of problems", response_model=ProblemList, responses=page_answer
    )
    async def list_problems(request: Request) -> Response:
        """Every `code` that an error can have, with its status and whether a retry can help. HTML for browsers."""
        if _wants_page(request):
            items = "".join(
                f'<li><a href="problems/{problem.code}">{problem.status} {problem.code}</a>: {escape(problem.title)}'
                for problem in PROBLEMS.values()
            )
            return _answer(_page("Problems", f"<ul>{items}</ul>"), _HTML)
        language = negotiate(request.headers.get("accept-language"))
        return _answer(dumps({"data": [_describe(problem, language) for problem in PROBLEMS.values()]}), "application/json")

    @router.get(
        "/problems/{code}",
        operation_id="get_problem",
        summary="One kind of problem",
        response_model=ProblemDescription,
        responses=page_answer,
    )
    async def get_problem(request: Request, code: Annotated[str, Path(examples=["rate_limited"])]) -> Response:
        """What the `type` of a problem leads to: when it occurs and what to do. HTML for browsers."""
        problem = PROBLEMS.get(code)
        if problem is None:
            raise NotFound
        if _wants_page(request):
            retry = "The same request may succeed later." if problem.retryable else "The same request will fail again."
            heading = f"{problem.status} {problem.code}"
            return _answer(_page(heading, f"<p>{escape(problem.title)}.<p>{escape(problem.description)}<p>{retry}"), _HTML)
        return _answer(dumps(_describe(problem, negotiate(request.headers.get("accept-language")))), "application/json")

    return router
