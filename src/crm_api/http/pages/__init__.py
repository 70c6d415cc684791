"""Pages for people: plain HTML without scripts, for signing in and for giving apps access. Everything else here is an API.

`PageRoute` turns problems into pages, `page` renders a template with the headers that all of them have, `read_form` reads a
form that only our own page can have sent, `current_session` tells who is signed in.
"""

from crm_api.http.pages.forms import Form, read_form
from crm_api.http.pages.paths import address, public_path, safe_return
from crm_api.http.pages.render import page
from crm_api.http.pages.routing import PageRoute
from crm_api.http.pages.sessions import current_session, login_redirect, see_other, sign_in, sign_out

__all__ = [
    "Form",
    "PageRoute",
    "address",
    "current_session",
    "login_redirect",
    "page",
    "public_path",
    "read_form",
    "safe_return",
    "see_other",
    "sign_in",
    "sign_out",
]
