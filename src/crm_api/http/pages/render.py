"""Rendering: templates of this package, with the headers that every page has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from crm_api.http.pages.cookies import cookie_for, csrf_token, set_cookie
from crm_api.http.pages.paths import public_path

STYLE: Final = "/pages/style.css"

_POLICY: Final = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"

_HEADERS: Final = {
    "X-Frame-Options": "DENY",  # for browsers that know nothing of frame-ancestors
    "Cache-Control": "no-store",
    "Vary": "Cookie",
    "X-Robots-Tag": "noindex",
}


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("crm_api.http.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _template(name: str) -> Template:
    return _environment().get_template(name)


@cache
def stylesheet() -> bytes:
    """The one style sheet of all pages."""
    return files("crm_api.http.pages").joinpath("templates", "style.css").read_bytes()


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    form_action: str | None = "'self'",
    **values: Any,
) -> Response:
    """A page from `templates/<template>`, not to be stored, framed, or reached by anything from elsewhere.

    `form_action` says where its forms may lead (CSP level 3, 6.2.3); browsers apply that to redirects after them too, so a form
    that ends at another site has to name it, or pass None for no restriction. Templates find their form's token as `csrf`, and
    `url(path)` for our own paths.
    """
    cookie, fresh = cookie_for(request)
    text = _template(template).render(csrf=csrf_token(request, cookie), url=lambda path: public_path(request, path), **values)
    policy = _POLICY if form_action is None else f"{_POLICY}; form-action {form_action}"
    response = HTMLResponse(text, status, {**_HEADERS, "Content-Security-Policy": policy, **(headers or {})})
    if fresh:
        set_cookie(request, response, cookie)
    return response
