"""What FastAPI's own validation of parameters and bodies found, in the words and with the statuses of the contract.

Query string and headers are 400, a path value that cannot be an id is 404, a parsed body is 422; unknown query
parameters are `unknown_parameter`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from crm_api.core import errors
from crm_api.core.errors import FieldError, Problem, invalid_input, join_pointer
from crm_api.kernel.mistakes import mistake


def request_problem(found: Sequence[Mapping[str, Any]]) -> Problem:
    """The one problem that answers all of FastAPI's findings; the gravest place decides the status."""
    places = {error["loc"][0] if error["loc"] else "body" for error in found}
    if "path" in places:
        return errors.NotFound()
    mistakes = [field_error(error) for error in found]
    if places & {"query", "header", "cookie"}:
        outside = [one for one, error in zip(mistakes, found, strict=True) if error["loc"][0] != "body"]
        if all(one.code == "unknown_parameter" for one in outside):
            problem = errors.UnknownParameter(outside[0].parameter or "", outside[0].allowed or ())
            problem.errors = outside
            return problem
        return errors.BadRequest(errors=outside)
    if any(one.code in ("invalid_json", "invalid_utf8") and one.pointer == "" for one in mistakes):
        return errors.BadRequest(errors=mistakes)
    return invalid_input(mistakes)


def field_error(error: Mapping[str, Any]) -> FieldError:
    """One finding with its place and code. `loc` begins with `query`, `header`, `path`, `cookie` or `body`."""
    where, *rest = error["loc"] or ("body",)
    found = mistake(error)
    if where == "query":
        code = "unknown_parameter" if found.code == "unknown_field" else found.code
        return replace(found, code=code, parameter=str(rest[0]) if rest else "")
    if where in ("header", "cookie"):
        return replace(found, header=str(rest[0]) if rest else "")
    if error["type"] == "json_invalid":
        rest = []  # the rest of `loc` is an offset, not a place in a document
    return replace(found, pointer=join_pointer(*rest))
