"""The base of everything that is raised when a request can't be served (RFC 9457); the subclasses are in `core/errors.py`.

`Problem` subclasses end a request; `InvalidValue` is what parsers of single values raise, before anyone knows where in
the request the value stood. `InvalidValue.at(pointer=…)` joins the two.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from crm_api.core.messages import DEFAULT_LANGUAGE, field_message, title
from crm_api.core.problem_types import PROBLEMS, ProblemType


def join_pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901) of raw keys and indexes: `join_pointer("items", 1, "a/b") == "/items/1/a~1b"`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One mistake and its place: a JSON `pointer` into the body, or a query `parameter`, or a `header`.

    `message` overrides the text that `code` and `params` give; leave it out wherever a template exists, because only
    templates are translated. `allowed` lists what would have been right.
    """

    code: str
    message: str | None = None
    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None
    params: Mapping[str, Any] | None = None
    allowed: Sequence[Any] | None = None

    def under(self, prefix: str) -> "FieldError":
        """The same mistake in a body that is itself part of a larger one: `error.under("/items/1")`."""
        if self.pointer is None:
            return self
        return FieldError(self.code, self.message, prefix + self.pointer, None, None, self.params, self.allowed)

    def to_dict(self, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """The JSON object of `errors[]`; absent members are left out."""
        out: dict[str, Any] = {}
        for name in ("pointer", "parameter", "header"):
            place = getattr(self, name)
            if place is not None:
                out[name] = place
        out["code"] = self.code
        out["message"] = self.message or field_message(self.code, self.params, language)
        if self.params:
            out["params"] = dict(self.params)
        if self.allowed is not None:
            out["allowed"] = list(self.allowed)
        return out


class InvalidValue(ValueError):
    """A single value is wrong; raised by parsers that don't know the value's place."""

    def __init__(self, code: str, *, allowed: Sequence[Any] | None = None, **params: Any) -> None:
        super().__init__(field_message(code, params))
        self.code = code
        self.params = params
        self.allowed = allowed

    def at(self, *, pointer: str | None = None, parameter: str | None = None, header: str | None = None) -> FieldError:
        return FieldError(self.code, None, pointer, parameter, header, self.params or None, self.allowed)


class Problem(Exception):
    """Ends the request with an `application/problem+json` answer.

    Raise a subclass. `detail` is one English sentence for a developer; `errors` are single mistakes; `extra` holds the
    extension members (RFC 9457 §3.2); `headers` go onto the answer.
    """

    code: ClassVar[str]
    registry: Final[dict[str, type["Problem"]]] = {}

    def __init_subclass__(cls) -> None:
        code = cls.__dict__.get("code")
        if code is not None:
            if code not in PROBLEMS or code in Problem.registry:
                raise TypeError(f"{cls.__name__}: {code!r} is unknown or taken")
            Problem.registry[code] = cls

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Iterable[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or PROBLEMS[self.code].title)
        self.detail = detail
        self.errors = list(errors)
        self.extra: dict[str, Any] = dict(extra or {})
        self.headers: dict[str, str] = dict(headers or {})

    @property
    def type(self) -> ProblemType:
        return PROBLEMS[self.code]

    @property
    def status(self) -> int:
        return PROBLEMS[self.code].status

    @property
    def title(self) -> str:
        return PROBLEMS[self.code].title

    def under(self, prefix: str) -> "Problem":
        """Moves the pointers of all mistakes below `prefix`; for items of a batch. Returns itself."""
        self.errors = [error.under(prefix) for error in self.errors]
        return self

    def to_dict(self, *, type_base: str = "", instance: str | None = None, language: str = DEFAULT_LANGUAGE) -> dict[str, Any]:
        """The body of the answer. `type_base` is the URL in front of `/problems/…`, `instance` the request's id."""
        body: dict[str, Any] = {
            "type": f"{type_base}/problems/{self.code}",
            "title": title(self.code, language),
            "status": self.status,
            "code": self.code,
            "detail": self.detail or self._summary(language),
        }
        if instance is not None:
            body["instance"] = instance
        if self.errors:
            body["errors"] = [error.to_dict(language) for error in self.errors]
        for name, value in self.extra.items():
            body.setdefault(name, value)
        return body

    def _summary(self, language: str) -> str:
        if not self.errors:
            return title(self.code, language)
        first = self.errors[0]
        place = first.pointer or first.parameter or first.header or ""
        return f"{place}: {first.message or field_message(first.code, first.params, language)}".removeprefix(": ")
