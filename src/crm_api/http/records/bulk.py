"""POST /v1/{object}/bulk: one change for all records of a selection, as a job."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import FieldError, InvalidValue, SelectionChanged, TooExpensive, ValidationFailed
from crm_api.core.ids import parse_uuid
from crm_api.flows.bulk import ACTIONS, MAX_RECORDS, PERMISSIONS, Action, Bulk, check_values, counted, matching
from crm_api.http.accepted import accepted
from crm_api.http.records.answers import document
from crm_api.http.records.call import Call, Endpoint, raw
from crm_api.http.records.saved import view_of_body
from crm_api.http.records.writes import ON_CHILDREN
from crm_api.jobs.tasks import BULK
from crm_api.kernel.query.request import ReadRequest, SavedQuery, search_request
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.saved_views import SavedView

KEYS: Final = ("filter", "view_id", "ids", "except_ids", "expect_count", "action", "set", "dry_run")
PARAMETERS: Final = ("dry_run", "on_children")


def actions_of(resource: AnyResource) -> list[Action]:
    """The actions that an object allows."""
    verbs = resource.verbs
    return [action for action in ACTIONS if (action if action in ("delete", "restore") else "update") in verbs]


def bulk_endpoint(resource: AnyResource) -> Endpoint:
    """The endpoint of one object."""

    @raw
    async def bulk(request: Request) -> Response:
        call = Call.of(request)
        options = call.answer_options(resource, PARAMETERS)
        dry_run = call.flag(options, "dry_run")
        on_children = call.choice(options, "on_children", ON_CHILDREN)
        body = _body(await call.json(), resource)
        action: Action = body["action"]
        call.policy.require(resource.name, PERMISSIONS[action])
        call.policy.require(resource.name, "bulk")
        errors = check_values(call.context, resource, action, body.get("set"))
        if "on_children" in options.others and action != "delete":
            errors.append(InvalidValue("invalid_combination", other=f"action={action}").at(parameter="on_children"))
        selection = None if "ids" in body else _filter(call, resource, body, action, await view_of_body(call, resource, body))
        if errors:
            raise ValidationFailed(errors=errors)
        wanted = Bulk(resource.name, action, body.get("set") or {}, on_children)
        excepted = set(_ids(body.get("except_ids", ())))
        if selection is None:
            ids = [id_ for id_ in dict.fromkeys(_ids(body["ids"])) if id_ not in excepted]
        else:
            found = await matching(call.context, selection)
            if len(found) > MAX_RECORDS:
                raise TooExpensive("bulk_records", MAX_RECORDS, await counted(call.context, selection))
            ids = [id_ for id_ in found if id_ not in excepted]
        expected = body.get("expect_count")
        if expected is not None and expected != len(ids):
            raise SelectionChanged(expected, len(ids))
        if dry_run or body.get("dry_run", False):
            call.context.uow.dry_run = True
            return document({"dry_run": True, "object": resource.name, "action": action, "count": len(ids)})
        selected: dict[str, Any] = {name: body[name] for name in ("filter", "view_id") if name in body}
        return await accepted(request, call.context, BULK, {**wanted.json(), **selected, "count": len(ids)}, ids=ids)

    return bulk


def _body(body: Any, resource: AnyResource) -> dict[str, Any]:
    """The frame of the body. What is in `filter` and `set` is looked at later."""
    if not isinstance(body, dict):
        raise ValidationFailed(errors=[InvalidValue("invalid_body", expected="object").at(pointer="")])
    errors: list[FieldError] = []

    def wrong(pointer: str, code: str, allowed: Any = None, **params: Any) -> None:
        errors.append(InvalidValue(code, allowed=allowed, **params).at(pointer=pointer))

    for key in body:
        if key not in KEYS:
            wrong(f"/{key}", "unknown_field", list(KEYS))
    actions = actions_of(resource)
    if body.get("action") not in actions:
        wrong("/action", "required" if "action" not in body else "enum", actions)
    ways = [name for name in ("filter", "view_id", "ids") if name in body]
    if not ways:
        wrong("/filter", "required")
    elif "ids" in body and len(ways) > 1:
        wrong("/ids", "invalid_combination", other=ways[0])
    elif body.get("view_id", "") is None:
        wrong("/view_id", "null_not_allowed")
    for key in ("ids", "except_ids"):
        if key not in body:
            continue
        listed = body[key]
        if not isinstance(listed, list):
            wrong(f"/{key}", "type", expected="array")
        elif len(listed) > MAX_RECORDS:
            wrong(f"/{key}", "too_many_items", max_items=MAX_RECORDS)
        elif key == "ids" and not listed:
            wrong(f"/{key}", "min_items", min_items=1)
        else:
            for index, text in enumerate(listed):
                if not isinstance(text, str) or parse_uuid(text) is None:
                    wrong(f"/{key}/{index}", "invalid_uuid")
                    break
    expected = body.get("expect_count")
    if "expect_count" in body and (isinstance(expected, bool) or not isinstance(expected, int) or expected < 0):
        wrong("/expect_count", "type", expected="integer")
    if not isinstance(body.get("dry_run", False), bool):
        wrong("/dry_run", "invalid_boolean")
    if errors:
        raise ValidationFailed(errors=errors)
    return body


def _ids(texts: Any) -> list[UUID]:
    return [found for text in texts if (found := parse_uuid(text)) is not None]


def _filter(call: Call, resource: AnyResource, body: dict[str, Any], action: Action, view: SavedView | None) -> ReadRequest:
    """The selection's tree, and the view's; live records, for `restore` the deleted ones."""
    if body.get("filter", "") is None:
        raise ValidationFailed(errors=[InvalidValue("null_not_allowed").at(pointer="/filter")])
    asked = {"filter": body.get("filter"), "deleted": "only" if action == "restore" else "exclude"}
    saved = None if view is None else SavedQuery(view.query.filter)
    found = search_request(call.context.registry, resource, asked, call.locale(), saved=saved)
    call.policy.require_read(found.objects)
    return found
