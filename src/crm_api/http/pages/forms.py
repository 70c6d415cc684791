"""Forms: read whole and small, and only if they came from a page of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from crm_api.core.errors import BadRequest, FieldError, Forbidden, PayloadTooLarge, UnsupportedMediaType
from crm_api.http.pages.cookies import csrf_holds

Form = Mapping[str, str]

MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
CSRF_FIELD: Final = "csrf"
MAX_BYTES: Final = 65_536
MAX_FIELDS: Final = 100


class FormExpired(Forbidden):
    """The form was not sent by a page that this browser got from us, or that was before it signed in."""

    def __init__(self) -> None:
        super().__init__("This form is no longer valid. Go back, load the page again, and send it once more.")


async def read_form(request: Request, *, check: bool = True) -> Form:
    """The fields of a form, each at most once. Raises FormExpired unless it carries the token that its page was given.

    Raises UnsupportedMediaType, PayloadTooLarge beyond 64 KB, and BadRequest for what is no form or repeats a field.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise UnsupportedMediaType((MEDIA_TYPE,))
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > MAX_BYTES:
        raise PayloadTooLarge("form", MAX_BYTES)
    body = await request.body()
    if len(body) > MAX_BYTES:
        raise PayloadTooLarge("form", MAX_BYTES)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:  # also what is not UTF-8 once decoded
        raise BadRequest("The form can't be read.") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            raise BadRequest(errors=[FieldError("repeated_parameter", parameter=name)])
        if "\x00" in value:
            raise BadRequest(errors=[FieldError("invalid_characters", parameter=name)])
        fields[name] = value
    # Browsers say where a request comes from; ours never sends forms across sites (Fetch metadata, W3C).
    if check and (request.headers.get("sec-fetch-site") == "cross-site" or not csrf_holds(request, fields.pop(CSRF_FIELD, ""))):
        raise FormExpired
    return fields
