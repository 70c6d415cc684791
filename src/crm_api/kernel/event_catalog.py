"""Every type of event that there can be: the one list that the journal's filters, the endpoints of webhooks, the description and
`GET /v1/event_types` are made from.

A type is `<object in the singular>.<verb>`. What can happen to the records of an object follows from its declaration; what is no record
(links, shares, the schema, jobs, apps, deliveries) is listed here, with the members that `changes` has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from crm_api.core.errors import InvalidValue
from crm_api.kernel.event_json import LINKS, SHARES
from crm_api.kernel.job_json import JOBS
from crm_api.kernel.memberships import ADDED, REMOVED, SEGMENTS
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource

PEOPLE: Final = ("contacts", "leads")
"""Objects whose records are people: these alone are erased."""

SCHEMA: Final = "schema"
APPS: Final = "oauth_apps"
GRANTS: Final = "oauth_grants"
ENDPOINTS: Final = "webhook_endpoints"
DELIVERIES: Final = "webhook_deliveries"

SYSTEM_OBJECTS: Final[Mapping[str, str]] = {
    LINKS: "link", SHARES: "share", SCHEMA: "schema", JOBS: "job", APPS: "app", GRANTS: "app", DELIVERIES: "webhook_delivery",
}  # fmt: skip
"""Objects of events that are not records of the registry, and what their types begin with."""

Carries = Literal["record", "link", "job", "nothing"]
"""What stands in `record`: the object's own record, a link, a job, or always null."""

Shape = Mapping[str, Any]
"""A JSON Schema."""


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of event of one object. `title` has `{A}` for the record with its article.

    `changes` has the members of that name that an event of the type has, with the schemas of their values; None where they are the
    fields of the record, an empty one where there are none. `open` says that there may be others. `version` rises when the shape
    changes in a way that is not an addition.
    """

    name: str
    object: str
    title: str
    description: str
    carries: Carries = "record"
    changes: Mapping[str, Shape] | None = None
    open: bool = False
    version: int = 1
    deprecated: bool = False

    @property
    def verb(self) -> str:
        """What happened."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class _Verb:
    """What can happen to a record of an object that has the verb `needs`."""

    needs: str
    title: str
    description: str
    gone: bool = False


_VERBS: Final[Mapping[str, _Verb]] = {
    "created": _Verb("create", "{A} was created", "`changes` lists every field with a value."),
    "updated": _Verb("update", "{A} was changed", "`changes` lists the changed fields."),
    "deleted": _Verb("delete", "{A} was deleted", "It can be restored."),
    "restored": _Verb("restore", "{A} was restored", "It is live again."),
    "purged": _Verb("purge", "{A} was removed for good", "`record` is null, and so are the values in its earlier events.", gone=True),
    "erased": _Verb(
        "purge", "{A} was erased", "Everything about the person is gone, everywhere; remove your copies. It tells the id alone.", gone=True
    ),
    "merged": _Verb(
        "merge", "{A} was merged", "One event for the winner, and one for each record that went into it, which is deleted with that."
    ),
    "hidden": _Verb(
        "get", "{A} went out of sight", "The reader saw the record before, and no longer does. It tells id and version.", gone=True
    ),
}
VERBS: Final = tuple(_VERBS)
"""What can happen to records."""

_TEXT: Final[Shape] = {"type": "string"}
_ID: Final[Shape] = {"type": "string", "format": "uuid"}
_INSTANT: Final[Shape] = {"type": "string", "format": "date-time"}
_NAMES: Final[Shape] = {"type": "array", "items": {"type": "string"}}
_END: Final[Shape] = {"type": "object", "properties": {"object": _TEXT, "id": _ID}, "required": ["object", "id"]}
_GRANTEE: Final[Shape] = {"type": "object", "properties": {"type": _TEXT, "id": _ID}, "required": ["type", "id"]}
_MEMBER: Final[Mapping[str, Shape]] = {"segment_id": _ID, "object": _TEXT, "record_id": _ID}
_SHARE: Final[Mapping[str, Shape]] = {
    "object": _TEXT, "record_id": _ID, "grantee": _GRANTEE, "access": _TEXT, "source": _TEXT, "expires_at": _INSTANT,
}  # fmt: skip
_LINK: Final[Mapping[str, Shape]] = {"relation": _TEXT, "from": _END, "to": _END}
_APP: Final[Mapping[str, Shape]] = {
    "name": _TEXT, "type": _TEXT, "redirect_uris": _NAMES, "scopes": _NAMES, "first_party": {"type": "boolean"}, "distribution": _TEXT,
    "install": _TEXT, "require_pushed_authorization_requests": {"type": "boolean"}, "logo_uri": _TEXT, "client_uri": _TEXT,
    "run_as_user_id": _ID, "active": {"type": "boolean"},
}  # fmt: skip
_GRANT: Final[Mapping[str, Shape]] = {"app_id": _ID, "user_id": _ID, "kind": _TEXT, "scopes": _NAMES}
_DELIVERY: Final[Mapping[str, Shape]] = {
    "endpoint_id": _ID, "event_id": _ID, "event_type": _TEXT, "status": _TEXT, "attempts": {"type": "integer"},
}  # fmt: skip
_ENDPOINT: Final[Mapping[str, Shape]] = {
    "failing": {"type": "boolean"},
    "status": _TEXT, "disabled_reason": _TEXT, "failing_since": _INSTANT, "old_secret_until": _INSTANT, "delivery_id": _ID,
    "event_id": _ID,
}  # fmt: skip

_SYSTEM: Final = (
    EventType("link.created", LINKS, "Two records were linked", "Found under both ends.", "link", _LINK, open=True),
    EventType("link.updated", LINKS, "A link's attributes were changed", "Found under both ends.", "link", _LINK, open=True),
    EventType("link.deleted", LINKS, "A link was taken away", "Found under both ends, which `changes` names.", "nothing", _LINK, open=True),
    EventType("share.created", SHARES, "A record was shared", "For those who gain by it, the owner and the giver.", "nothing", _SHARE),
    EventType("share.updated", SHARES, "A share was changed", "Read the record again: it is there, or it is 404.", "nothing", _SHARE),
    EventType("share.deleted", SHARES, "A share ended", "Read the record again: it is there, or it is 404.", "nothing", _SHARE),
    EventType(
        "schema.updated", SCHEMA, "The organisation's objects or fields were changed",
        "`version` is the schema's; `changes` has objects by their names, fields as `contacts.tier`.", "nothing", {}, open=True,
    ),
    EventType("job.finished", JOBS, "A job has ended", "`record` is the job without its `request`.", "job", {"status": _TEXT}),
    EventType("app.created", APPS, "An app was registered", "For administrators.", "nothing", _APP),
    EventType("app.updated", APPS, "An app was changed", "For administrators.", "nothing", _APP),
    EventType("app.deleted", APPS, "An app was removed", "All its tokens have ended. For administrators.", "nothing", _APP),
    EventType(
        "app.secret_rotated", APPS, "An app has a new secret", "It tells when the old one ends, never a secret. For administrators.",
        "nothing", {"secret_prefix": _TEXT, "old_secret_until": _INSTANT},
    ),
    EventType(
        "app.authorized", GRANTS, "An app was let in",
        "What it was allowed, and for whom; the grant's id is `record_id`. For that user and administrators; found under the app's id too.",
        "nothing", {**_GRANT, "app_name": _TEXT},
    ),
    EventType(
        "app.revoked", GRANTS, "An app lost its access",
        "A grant ended, with all its tokens. For its user and administrators; found under the app's id too.",
        "nothing", {**_GRANT, "revoked_because": _TEXT},
    ),
    EventType(
        "webhook_delivery.exhausted", DELIVERIES, "An event could not be delivered",
        "The last try has failed; it can be sent again on request.", "nothing", _DELIVERY, open=True,
    ),
)  # fmt: skip
_OF_OBJECTS: Final[Mapping[str, tuple[EventType, ...]]] = {
    SEGMENTS: (
        EventType(ADDED, SEGMENTS, "A record came into a segment", "Found under the segment and the record.", "nothing", _MEMBER),
        EventType(REMOVED, SEGMENTS, "A record left a segment", "Found under the segment and the record.", "nothing", _MEMBER),
    ),
    ENDPOINTS: (
        EventType("webhook_endpoint.disabled", ENDPOINTS, "An endpoint was disabled", "Nothing is sent; `disabled_reason` says why."),
        EventType("webhook_endpoint.enabled", ENDPOINTS, "An endpoint was enabled", "It is sent to again."),
        EventType(
            "webhook_endpoint.secret_rotated", ENDPOINTS, "An endpoint has a new secret",
            "It tells when the old one ends, never a secret.", "record", _ENDPOINT, open=True,
        ),
        EventType("webhook_endpoint.failing", ENDPOINTS, "An endpoint fails", "Four tries have failed.", "record", _ENDPOINT, open=True),
        EventType("webhook_endpoint.recovered", ENDPOINTS, "An endpoint works again", "It had failed.", "record", _ENDPOINT, open=True),
    ),
}  # fmt: skip
"""What records of single objects tell beside."""

GOVERNED: Final = frozenset({DELIVERIES})
"""Objects of events, beside those of the registry, that must be readable for the caller to be told."""

_ALL_VERBS: Final = frozenset([*VERBS, *(kind.verb for kind in _SYSTEM), *(kind.verb for found in _OF_OBJECTS.values() for kind in found)])


def verbs_told(resource: AnyResource) -> list[str]:
    """What can happen to records of an object; only people are erased, and only what somebody may not see can be hidden."""
    return [verb for verb, told in _VERBS.items() if _can_be(resource, verb, told.needs)]


def _can_be(resource: AnyResource, verb: str, needs: str) -> bool:
    if verb == "hidden":
        return resource.private is not None or resource.sharing != "none" or "applies_to" in resource.table.c
    if needs in resource.verbs:
        return verb != "erased" or resource.name in PEOPLE
    # What refers to records follows them, whatever callers may do with it: into the winner of a merge, and out of the world.
    references = resource.whole.references.values()
    if verb == "updated":
        return bool(references)
    return verb == "purged" and any(reference.spec.owned or not reference.nullable for reference in references)


def types_of(resource: AnyResource) -> Iterator[EventType]:
    """The types of an object's events."""
    for verb in verbs_told(resource):
        told = _VERBS[verb]
        carries: Carries = "nothing" if told.gone else "record"
        yield EventType(f"{resource.singular}.{verb}", resource.name, told.title, told.description, carries, {} if told.gone else None)
    yield from _OF_OBJECTS.get(resource.name, ())


def system_types(registry: Registry) -> Iterator[EventType]:
    """The types that are about no record. Of deliveries those alone are told who know of endpoints."""
    for kind in _SYSTEM:
        if kind.object not in GOVERNED or ENDPOINTS in registry:
            yield kind


def event_types(registry: Registry) -> dict[str, EventType]:
    """All types of an organisation, or of the part of it that somebody may know of, by name."""
    found = {kind.name: kind for resource in registry for kind in types_of(resource)}
    found.update((kind.name, kind) for kind in system_types(registry))
    return found


def patterns(registry: Registry, names: Sequence[str]) -> tuple[str, ...]:
    """Event types with wildcards (`deal.*`, `*.deleted`, `*`) as LIKE patterns. Raises InvalidValue for those that there can't be."""
    known: dict[str, list[str]] = {}
    for kind in system_types(registry):
        known.setdefault(kind.name.partition(".")[0], []).append(kind.name)
    resources = {resource.singular: resource for resource in registry}
    found = []
    for name in names:
        head, _, verb = name.partition(".")
        own = [kind.name for kind in types_of(resources[head])] if head in resources else known.get(head, [])
        every = name == "*" or (head == "*" and verb in _ALL_VERBS)
        if not every and not (own and (verb == "*" or name in own)):
            raise InvalidValue("enum", allowed=[f"{head}.*", *own] if own else _wildcards([*resources, *known]))
        found.append(name.replace("_", "\\_").replace("*", "%"))
    return tuple(dict.fromkeys(found))


def _wildcards(singulars: Sequence[str]) -> list[str]:
    return ["*", *(f"{singular}.*" for singular in sorted(set(singulars))), *(f"*.{verb}" for verb in VERBS)]


__all__ = [
    "APPS", "DELIVERIES", "ENDPOINTS", "GOVERNED", "GRANTS", "PEOPLE", "SYSTEM_OBJECTS", "VERBS", "Carries", "EventType", "event_types",
    "patterns", "system_types", "types_of", "verbs_told",
]  # fmt: skip
