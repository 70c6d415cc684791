"""Bodies of notes, comments, mails and articles: `{"format": "markdown|html|text", "content": "…"}`.

HTML is sanitised on the way in, so that every reader, however careless, gets harmless markup. Markdown and text are kept
as written: what is dangerous in them depends on the renderer, which must escape or sanitise its own output.
"""

from collections.abc import Mapping
from html import unescape
from typing import Any, Final

import nh3

from crm_api.core.errors import FieldError, InvalidValue, ValidationFailed, join_pointer
from crm_api.core.text import check_text

FORMATS: Final = ("markdown", "html", "text")
MAX_LENGTH: Final = 200_000

_SCHEMES: Final = {"http", "https", "mailto", "tel"}
_TAGS: Final = nh3.ALLOWED_TAGS - {"area", "map"}
_SPACED_TAGS: Final = ("<br", "<p", "</p", "<li", "<div", "</div", "<td", "<th", "<tr", "<h")


def clean_body(value: object, pointer: str = "/body", max_length: int = MAX_LENGTH) -> dict[str, str]:
    """Checks a body and returns what is stored; HTML comes back sanitised (scripts, handlers, styles, odd schemes gone).

    Raises ValidationFailed with pointers below `pointer`: `type`, `required`, `unknown_field`, `enum`, `max_length`
    (characters), `invalid_characters`.
    """
    if not isinstance(value, Mapping):
        raise ValidationFailed([FieldError("type", pointer=pointer, params={"expected": "object"})])
    errors = [
        FieldError("unknown_field", pointer=pointer + join_pointer(str(key)), allowed=["format", "content"])
        for key in value
        if key not in ("format", "content")
    ]
    form, content = value.get("format"), value.get("content")
    for key, part in (("format", form), ("content", content)):
        if key not in value:
            errors.append(FieldError("required", pointer=f"{pointer}/{key}"))
        elif not isinstance(part, str):
            errors.append(FieldError("type", pointer=f"{pointer}/{key}", params={"expected": "string"}))
    if isinstance(form, str) and form not in FORMATS:
        errors.append(FieldError("enum", pointer=f"{pointer}/format", allowed=FORMATS))
    if isinstance(content, str):
        errors += _content_errors(content, f"{pointer}/content", max_length)
    if errors:
        raise ValidationFailed(errors)
    text = str(content)
    return {"format": str(form), "content": sanitize_html(text) if form == "html" else text}


def sanitize_html(content: str) -> str:
    """Harmless HTML: a fixed set of elements and attributes, links only to http, https, mailto and tel."""
    return nh3.clean(content, tags=_TAGS, url_schemes=_SCHEMES, link_rel="noopener noreferrer nofollow")


def plain_text(body: Mapping[str, Any]) -> str:
    """The words of a body, for full-text search and previews; Markdown keeps its marks."""
    content = str(body["content"])
    if body["format"] != "html":
        return content
    for tag in _SPACED_TAGS:  # else the words of neighbouring paragraphs would grow together
        content = content.replace(tag, " " + tag)
    return " ".join(unescape(nh3.clean(content, tags=set())).split())


def _content_errors(content: str, pointer: str, max_length: int) -> list[FieldError]:
    if len(content) > max_length:
        return [FieldError("max_length", pointer=pointer, params={"max_length": max_length})]
    try:
        check_text(content)
    except InvalidValue as error:
        return [error.at(pointer=pointer)]
    return []
