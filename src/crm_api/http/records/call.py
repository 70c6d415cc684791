"""One call of a record route: the request with everything an endpoint asks of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.clock import parse_timestamp
from crm_api.core.errors import BadRequest, InvalidValue, NotFound, UnknownParameter, UnsupportedMediaType
from crm_api.core.etag import ETagCondition, parse_etags
from crm_api.core.ids import parse_uuid
from crm_api.core.json import loads_limited
from crm_api.core.messages import negotiate
from crm_api.core.relative import parse_zone
from crm_api.http.routing import JOINED
from crm_api.kernel.context import Context
from crm_api.kernel.engine import Engine
from crm_api.kernel.journal import decode_events_cursor
from crm_api.kernel.labels import Labeller
from crm_api.kernel.policy import Policy
from crm_api.kernel.preferences import best_locale, preferences_of
from crm_api.kernel.query.digest import touched
from crm_api.kernel.query.parse import QueryParser
from crm_api.kernel.query.plan import Expansion, Path, Plan
from crm_api.kernel.query.request import included, split_query
from crm_api.kernel.query.shape import EXPAND_PARAMETER, check_expanded_rows, expansions_of, parse_fields, sign_expansions
from crm_api.kernel.query.values import Locale
from crm_api.kernel.resource import AnyResource

ChoiceT = TypeVar("ChoiceT", bound=str)
Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]
ANSWER_PARAMETERS: Final = ("fields", "expand", "include")
JSON_TYPES: Final = ("application/json", "application/merge-patch+json")


FLAGS: Final = ("dry_run", "allow_duplicates", "purge")


def raw(endpoint: Endpoint) -> Endpoint:
    """Marks an endpoint that reads the request itself, so that no parameters are solved for it."""
    setattr(endpoint, "raw", True)  # noqa: B010
    return endpoint


@dataclass(slots=True)
class AnswerOptions:
    """How records are shown in an answer: `fields`, `expand`, with labels and abilities, and as they were at the instant of `as_of`."""

    fields: tuple[Path, ...] | None = None
    expand: tuple[Expansion, ...] = ()
    values: list[Any] = field(default_factory=list)
    as_of: datetime | None = None
    labels: Labeller | None = None
    abilities: bool = False
    others: dict[str, str] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether the record is shown as it is stored, whole."""
        return self.fields is None and not self.expand and self.labels is None and not self.abilities


@dataclass(slots=True)
class Call:
    """The request, its caller's context and the engine."""

    request: Request
    context: Context
    engine: Engine

    @classmethod
    def of(cls, request: Request) -> Call:
        """The call that a request makes."""
        return cls(request, request.state.context, request.app.state.services.engine)

    @property
    def policy(self) -> Policy:
        """What the caller may do."""
        return self.context.policy

    @property
    def query(self) -> str:
        """The query string as it was sent."""
        return str(self.request.scope["query_string"].decode("latin-1"))

    def path_id(self, name: str = "id") -> UUID:
        """An id in the path; what is no UUID names nothing."""
        found = parse_uuid(self.request.path_params[name])
        if found is None:
            raise NotFound()
        return found

    def locale(self) -> Locale:
        """The zone of the `Time-Zone` header, else the user's, else the organisation's; region and fiscal year of the organisation.

        Telephone numbers are read with the organisation's region, as they are when they are stored.
        """
        principal = self.context.principal
        preferences = preferences_of(principal)
        header = self.request.headers.get("time-zone")
        try:
            zone = preferences.zone if header is None else parse_zone(header)
        except InvalidValue as error:
            raise BadRequest(errors=[error.at(header="Time-Zone")]) from None
        return Locale(self.context.uow.now, zone, principal.organization.region, preferences.fiscal, preferences.week_start)

    def language(self) -> str:
        """The language of texts: what `Accept-Language` asks for, else the user's."""
        return negotiate(self.request.headers.get("accept-language"), preferences_of(self.context.principal).language)

    def labels(self) -> Labeller:
        """What writes labels in the language, zone and formats of this call."""
        principal = self.context.principal
        asked = best_locale(self.request.headers.get("accept-language"))
        zone, own = self.locale().zone, principal.organization.currency
        return Labeller.of(self.context.registry, preferences_of(principal), zone, own, asked)

    def events_seq(self, text: str) -> int:
        """The number in a journal cursor given as `since`."""
        return decode_events_cursor(self.context.principal.org_id, text, parameter="since")

    async def json(self) -> Any:
        """The body. Raises BadRequest for what is no JSON, UnsupportedMediaType for another content type."""
        kind = self.request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        body = await self.request.body()
        if kind not in JSON_TYPES:
            raise UnsupportedMediaType(list(JSON_TYPES))
        if not body:
            raise BadRequest(errors=[InvalidValue("invalid_body", expected="object").at(pointer="")])
        return loads_limited(body, self.request.app.state.services.settings.max_json_depth)

    def if_match(self) -> ETagCondition | None:
        """The `If-Match` header; only versions count."""
        header = self.request.headers.get("if-match")
        return None if header is None else self._tags("If-Match", header)

    def if_none_match(self) -> ETagCondition | None:
        """The `If-None-Match` header."""
        header = self.request.headers.get("if-none-match")
        return None if header is None else self._tags("If-None-Match", header)

    def _tags(self, name: str, header: str) -> ETagCondition:
        try:
            return parse_etags(header)
        except InvalidValue as error:
            raise BadRequest(errors=[error.at(header=name)]) from None

    def expected_version(self) -> int | None:
        """The version that `If-Match` asks for; None without the header or for `*`."""
        condition = self.if_match()
        return None if condition is None else condition.version

    def minimal(self) -> bool:
        """Whether `Prefer: return=minimal` was sent (RFC 7240)."""
        return "return=minimal" in self.request.headers.get("prefer", "").replace(" ", "").lower()

    def answer_options(self, resource: AnyResource, allowed: Sequence[str] = (), *, as_of: bool = False) -> AnswerOptions:
        """`fields`, `expand` and the other parameters of a call that answers with a record; refuses all others."""
        if not self.query:
            return AnswerOptions()
        names = (*ANSWER_PARAMETERS, *(("as_of",) if as_of else ()), *allowed)
        parser = QueryParser(self.context.registry, self.locale(), "query")
        options = AnswerOptions(values=parser.values)
        given: dict[str, list[str]] = {}
        for name, items in split_query(self.query):
            if name not in names and EXPAND_PARAMETER.match(name) is None:
                parser.unknown.append(InvalidValue("unknown_parameter", allowed=names).at(parameter=name))
            given.setdefault(name, []).extend(items)
        if "fields" in given:
            named = given["fields"] if given["fields"] != [""] else []
            options.fields = parse_fields(parser, named, resource, {"parameter": "fields"})
        options.expand = expansions_of(parser, given, resource)
        include = included(parser, given.get("include", ()), {"parameter": "include"})
        options.abilities = "abilities" in include
        if "labels" in include:
            options.labels = self.labels()
        if as_of and "as_of" in given:
            try:
                options.as_of = parse_timestamp(given["as_of"][0])
            except InvalidValue as error:
                parser.wrong(error, {"parameter": "as_of"})
        options.others = {name: ",".join(items) for name, items in given.items() if name in allowed}
        parser.finish()
        self._check_flags(options.others)
        check_expanded_rows(1, options.expand)
        options.expand = sign_expansions(self.context.registry, resource, options.expand, parser)
        plan = Plan(resource.name, fields=options.fields, expand=options.expand)
        self.policy.require_read(touched(self.context.registry, resource, plan) - {resource.name})
        return options

    def flag(self, options: AnswerOptions, name: str) -> bool:
        """A parameter that is `true` or `false`."""
        text = options.others.get(name, "false")
        if text not in ("true", "false"):
            raise BadRequest(errors=[InvalidValue("invalid_boolean").at(parameter=name)])
        return text == "true"

    def choice(self, options: AnswerOptions, name: str, allowed: Sequence[ChoiceT]) -> ChoiceT:
        """A parameter with a fixed set of values, the first of which is the default."""
        text = options.others.get(name, allowed[0])
        for choice in allowed:
            if choice == text:
                return choice
        raise BadRequest(errors=[InvalidValue("enum", allowed=list(allowed)).at(parameter=name)])

    def refuse_parameters(self, allowed: Sequence[str] = ()) -> dict[str, str]:
        """The parameters of a route that knows only these; any other is an error."""
        lists: dict[str, list[str]] = {}
        for name, items in split_query(self.query):
            lists.setdefault(name, []).extend(items)
        for name in lists:
            if name not in allowed:
                raise UnknownParameter(name, list(allowed))
        given = {name: ",".join(items) for name, items in lists.items()}
        self._check_flags(given)
        return given

    def _check_flags(self, given: Mapping[str, str]) -> None:
        """Refuses what is neither `true` nor `false`; a write that was only to be tried must not happen for a slip of the pen."""
        for name in FLAGS:
            if given.get(name, "true") not in ("true", "false"):
                raise BadRequest(errors=[InvalidValue("invalid_boolean").at(parameter=name)])
        if given.get("dry_run") == "true":
            if JOINED in self.request.scope:
                raise BadRequest(errors=[InvalidValue("invalid_combination", other="composite").at(parameter="dry_run")])
            self.context.uow.dry_run = True
