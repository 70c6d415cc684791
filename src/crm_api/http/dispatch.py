"""Finding the route of a request by walking the segments of its path, not by trying every route in turn.

FastAPI asks each route whether its pattern matches, and asks an included router's routes twice. With 400 routes that
costs more than the answer itself. `SegmentRouter` builds a tree of path segments from the very routes that
`include_router` registered, so `app.openapi()` and `app.routes` see what they always saw, and looks a request up in
one step per segment.

Rules that differ from trying routes in order, all of them on purpose:

* A literal segment wins over a parameter wherever both fit, whatever the order of registration.
* A path that exists but not with this method is 405 with `Allow`; HEAD is answered by the route of GET.
* Parameters are cut from the path *before* percent-decoding, so `%2F` stays part of its value.
* `/x` and `/x/` are two paths; nobody is redirected.
* A path that is not UTF-8 when decoded, or holds a NUL character, names nothing: 404.
* Custom route classes take part through `get_route_handler`; an overridden `matches` or `handle` is not consulted.
* A route with a method `plain_app` that returns an ASGI application is that application, without FastAPI's wrapping
  (exit stacks for dependencies, handlers of exceptions), which costs more than finding the route.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from fastapi import APIRouter
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

_PARAMETER = re.compile(r"{([a-zA-Z_][a-zA-Z0-9_]*)(?::[a-zA-Z_][a-zA-Z0-9_]*)?}")
_Pattern = re.Pattern[str] | None

TEMPLATE_KEY = "crm.route"
"""Scope key under which the path template of the chosen route is left for logs and metrics."""


@dataclass(slots=True)
class _Target:
    """One route for one method at one place of the tree."""

    app: ASGIApp
    template: str
    names: tuple[str, ...]
    convertors: tuple[Any, ...]
    plain: bool
    endpoint: Any
    route: BaseRoute


@dataclass(slots=True)
class _Leaf:
    methods: dict[str, _Target] = field(default_factory=dict)
    any_method: _Target | None = None
    allow: str = ""

    def add(self, methods: Sequence[str] | None, target: _Target) -> None:
        if methods is None:
            self.any_method = self.any_method or target
            return
        for method in methods:
            self.methods.setdefault(method, target)  # the first registration wins, as in FastAPI
        if "GET" in self.methods:
            self.methods.setdefault("HEAD", self.methods["GET"])
        self.allow = ", ".join(sorted({*self.methods, "OPTIONS"}))


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameters: list[tuple[_Pattern, "_Node"]] = field(default_factory=list)
    rest: _Leaf | None = None
    leaf: _Leaf | None = None

    def parameter(self, pattern: _Pattern) -> "_Node":
        for known, node in self.parameters:
            if known == pattern:
                return node
        node = _Node()
        self.parameters.append((pattern, node))
        # Parameters with a pattern (`{id:uuid}`, `{name}.json`) are narrower, so they are tried first.
        self.parameters.sort(key=lambda entry: entry[0] is None)
        return node


def _compile(segment: str, convertors: dict[str, Any]) -> tuple[_Pattern, tuple[str, ...]]:
    """The pattern of one path segment with parameters, and their names; None for a bare `{name}`."""
    names = tuple(match.group(1) for match in _PARAMETER.finditer(segment))
    whole = _PARAMETER.fullmatch(segment)
    if whole and convertors[names[0]].regex == "[^/]+":
        return None, names
    text, last = "", 0
    for number, match in enumerate(_PARAMETER.finditer(segment)):
        # Groups are numbered by place, not named by parameter, so that equal shapes share one node whatever their names.
        text += re.escape(segment[last : match.start()]) + f"(?P<p{number}>{convertors[match.group(1)].regex})"
        last = match.end()
    return re.compile(text + re.escape(segment[last:])), names


class SegmentRouter(APIRouter):
    """An `APIRouter` for the top of an application that finds routes by path segment.

    The tree is built on the first request and again when a route is added to this router; routers included here must
    be complete by then.
    """

    _root: _Node | None = None
    _built_for = -1
    _others = False

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Dispatches one connection; what is not plain HTTP goes FastAPI's own way."""
        if scope["type"] != "http":
            await AsyncExitStackMiddleware(super().app)(scope, receive, send)
            return
        found = self.find(scope)
        if found is None:
            if self._others:  # mounts and front ends are matched by prefix
                await AsyncExitStackMiddleware(super().app)(scope, receive, send)
                return
            raise HTTPException(status_code=404)
        leaf, values = found
        method = scope["method"]
        target = leaf.methods.get(method) or leaf.any_method
        if target is None:
            if method == "OPTIONS":
                await _no_content(leaf.allow, send)
                return
            raise HTTPException(status_code=405, headers={"Allow": leaf.allow})
        if target.plain:
            scope["path_params"] = dict(zip(target.names, values, strict=True))
        else:
            converted = zip(target.names, target.convertors, values, strict=True)
            scope["path_params"] = {name: convertor.convert(value) for name, convertor, value in converted}
        scope["router"] = self
        scope["endpoint"] = target.endpoint
        scope["route"] = target.route
        scope[TEMPLATE_KEY] = target.template
        await target.app(scope, receive, send)

    def find(self, scope: Scope) -> tuple[_Leaf, list[str]] | None:
        """The place of the scope's path in the tree and the values of its parameters, or None."""
        root = self._root
        if root is None or self._built_for != len(self.routes):
            root = self._build()
        segments = _segments(scope)
        if segments is None:
            return None
        values: list[str] = []
        leaf = _walk(root, segments, 1, values)
        return None if leaf is None else (leaf, values)

    def _build(self) -> _Node:
        root, others = _Node(), False
        for context in iter_route_contexts(self.routes):
            if not _insert(root, context):
                others = True
        self._root, self._built_for, self._others = root, len(self.routes), others
        return root


def _insert(root: _Node, context: RouteContext) -> bool:
    """Puts one route into the tree; False if it is of a kind that only its own matching understands."""
    template, app = context.path_format, getattr(context, "app", None)
    original = context.original_route
    if template is None or app is None or not isinstance(original, Route):
        return False
    convertors: dict[str, Any] = context.param_convertors
    path: str = context.path or template
    names: list[str] = []
    node = root
    leaf: _Leaf | None = None
    for segment in path.split("/")[1:]:
        if leaf is not None:
            raise ValueError(f"{path}: nothing may follow a parameter that takes the rest of the path")
        if "{" not in segment:
            node = node.literals.setdefault(unquote(segment), _Node())
            continue
        match = _PARAMETER.fullmatch(segment)
        if match and convertors[match.group(1)].regex == ".*":
            names.append(match.group(1))
            leaf = node.rest = node.rest or _Leaf()
            continue
        pattern, found = _compile(segment, convertors)
        names.extend(found)
        node = node.parameter(pattern)
    if leaf is None:
        leaf = node.leaf = node.leaf or _Leaf()
    plain: ASGIApp | None = getattr(original, "plain_app", _no_plain_app)()
    in_order = tuple(convertors[name] for name in names)
    target = _Target(
        app=plain or AsyncExitStackMiddleware(app),
        template=template,
        names=tuple(names),
        convertors=in_order,
        plain=all(convertor.regex in ("[^/]+", ".*") for convertor in in_order),
        endpoint=context.endpoint,
        route=original,
    )
    leaf.add(None if context.methods is None else sorted(context.methods), target)
    return True


def _no_plain_app() -> None:
    return None


def _segments(scope: Scope) -> list[str] | None:
    """The decoded segments of the path below `root_path`, the first one empty; None if they cannot be decoded."""
    raw: bytes | None = scope.get("raw_path")
    encoded = raw is not None and b"%" in raw
    try:
        path: str = raw.decode("utf-8") if encoded and raw is not None else scope["path"]
    except UnicodeDecodeError:
        return None
    root_path: str = scope.get("root_path", "")
    if root_path and path.startswith(root_path):
        path = path[len(root_path) :]
    segments = path.split("/")
    if encoded:
        try:
            segments = [unquote(segment, errors="strict") if "%" in segment else segment for segment in segments]
        except UnicodeDecodeError:
            return None
        if any("\x00" in segment for segment in segments):
            return None
    return segments


def _walk(node: _Node, segments: list[str], index: int, values: list[str]) -> _Leaf | None:
    """Depth first, literals before parameters, going back where a branch ends nowhere."""
    if index == len(segments):
        return node.leaf
    segment = segments[index]
    child = node.literals.get(segment)
    if child is not None:
        leaf = _walk(child, segments, index + 1, values)
        if leaf is not None:
            return leaf
    if segment:
        kept = len(values)
        for pattern, child in node.parameters:
            if pattern is None:
                values.append(segment)
            else:
                match = pattern.fullmatch(segment)
                if match is None:
                    continue
                values.extend(match.groupdict().values())
            leaf = _walk(child, segments, index + 1, values)
            if leaf is not None:
                return leaf
            del values[kept:]
    if node.rest is not None:
        values.append("/".join(segments[index:]))
        return node.rest
    return None


async def _no_content(allow: str, send: Send) -> None:
    """RFC 9110 9.3.7: OPTIONS tells which methods a resource has."""
    await send({"type": "http.response.start", "status": 204, "headers": [(b"allow", allow.encode("ascii"))]})
    await send({"type": "http.response.body", "body": b""})
