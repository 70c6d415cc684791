"""One request and its answer: what `Edge` does for each, with the state it needs."""

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from starlette.types import Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from crm_api.core.errors import BadRequest, FieldError, PayloadTooLarge, Problem, RequestTimeout, UriTooLong
from crm_api.core.ids import uuid7
from crm_api.core.messages import DEFAULT_LANGUAGE
from crm_api.http.middleware import compression, cors, headers
from crm_api.http.middleware.errors import IncompleteAnswer, log_incomplete, problem_of
from crm_api.http.middleware.headers import NOTED, WANTED, RawHeaders
from crm_api.http.middleware.request_id import request_id
from crm_api.http.origin import origin_of
from crm_api.http.problems import render_problem
from crm_api.http.state import LANGUAGE, RATE, REQUEST_ID, VERSION, VERSION_HEADER

if TYPE_CHECKING:
    from crm_api.http.middleware.edge import Edge

#: A request shorter than this costs no watching of its client: nobody hangs up on it usefully.
WATCH_AFTER_S: Final = 0.05
_GONE_STATUS: Final = 499
#: Headers that a route may set itself.
OVERRIDABLE: Final = frozenset({b"cache-control", b"content-security-policy", b"vary"})


class Exchange:
    """One request and its answer."""

    __slots__ = (
        "_api",
        "_body_bytes",
        "_body_done",
        "_coding",
        "_edge",
        "_encoder",
        "_failure",
        "_finished",
        "_given",
        "_gone",
        "_head",
        "_head_done",
        "_held",
        "_pending",
        "_receive",
        "_scope",
        "_send",
        "_sent",
        "_shared",
        "_started",
        "_state",
        "_status",
        "_streaming",
        "_task",
        "_timed_out",
        "_timer",
        "_watch_due",
        "_watcher",
    )

    def __init__(self, edge: "Edge", scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        self._edge = edge
        self._scope = scope
        self._receive = receive
        self._send = send
        self._given = given = headers.pick(scope["headers"], WANTED)
        self._state: dict[str, Any] = scope.setdefault("state", {})
        self._api = headers.is_api(path)
        self._shared = cors.is_shared(path)
        self._head = scope["method"] == "HEAD"
        encoding = given.get(b"accept-encoding")
        self._coding = None if encoding is None else compression.choose(encoding)
        self._task: asyncio.Task[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._failure: Problem | None = None
        self._held: Message | None = None
        self._pending: Message | None = None
        self._encoder: compression.Encoder | None = None
        self._body_bytes = 0
        self._body_done = b"transfer-encoding" not in given and given.get(b"content-length", b"0") == b"0"
        self._started = self._streaming = self._finished = False
        self._gone = self._timed_out = self._head_done = self._watch_due = False
        self._status = 500
        self._sent = 0

    async def run(self) -> None:
        """Serves the request. Raises nothing but a cancellation from outside."""
        edge, scope = self._edge, self._scope
        began = perf_counter()
        clear_contextvars()
        identity = request_id(self._given.get(b"x-request-id"), self._new_id)
        self._state[REQUEST_ID] = identity
        bind_contextvars(request_id=identity)
        try:
            refused = self._admit()
            if refused is not None:
                await self._answer(refused)
            elif self._is_preflight():
                await self._preflight()
            else:
                await self._serve()
        finally:
            if edge.observe is not None:
                edge.observe(scope, self._status, perf_counter() - began, self._sent)

    def _new_id(self) -> object:
        return uuid7(self._edge.config.clock)

    # --- before the route ---

    def _admit(self) -> Problem | None:
        """Chooses the API version; returns a problem if the request's own head already rules it out."""
        edge, scope, given = self._edge, self._scope, self._given
        self._state[VERSION] = edge.default_version
        limit = edge.config.max_url_bytes
        raw_path = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
        query: bytes = scope["query_string"]
        if len(raw_path) + len(query) + bool(query) > limit:
            return UriTooLong(limit)
        asked = given.get(b"crm-version")
        if asked is not None and self._api:
            version = edge.versions.get(asked)
            if version is None:
                return BadRequest(errors=[FieldError("enum", header="CRM-Version", allowed=list(edge.config.api_versions))])
            self._state[VERSION] = version
            self._state[VERSION_HEADER] = version
        length = given.get(b"content-length")
        if length is not None:
            if not length.isdigit():
                return BadRequest(errors=[FieldError("invalid_number", header="Content-Length")])
            if int(length) > edge.config.max_body_bytes:
                return PayloadTooLarge("body", edge.config.max_body_bytes)
        return None

    def _is_preflight(self) -> bool:
        given = self._given
        return self._scope["method"] == "OPTIONS" and self._shared and b"origin" in given and b"access-control-request-method" in given

    async def _preflight(self) -> None:
        answer = self._edge.cors.preflight(self._given[b"origin"])
        await self.send({"type": "http.response.start", "status": 204, "headers": answer})
        await self.send({"type": "http.response.body", "body": b""})

    # --- the route ---

    async def _serve(self) -> None:
        edge = self._edge
        loop = asyncio.get_running_loop()
        self._task = task = asyncio.current_task()
        self._timer = loop.call_later(min(WATCH_AFTER_S, edge.config.timeout_s), self._still_running, loop)
        failure: BaseException | None = None
        try:
            await edge.app(self._scope, self.receive, self.send)
        except asyncio.CancelledError as exc:
            if not (self._gone or self._timed_out or self._head_done):
                raise  # the server is shutting down
            if task is not None:
                task.uncancel()
            failure = exc
        except Exception as exc:
            failure = exc
        finally:
            self._finished = True
            self._timer.cancel()
            if self._watcher is not None:
                self._watcher.cancel()
        if failure is not None and not self._head_done:
            await self._fail(failure)

    async def _fail(self, failure: BaseException) -> None:
        if self._gone:
            self._status = _GONE_STATUS
        elif self._started:
            # Too late for a status: the server cuts the connection, so that the client sees that the answer is incomplete.
            log_incomplete(failure, method=self._scope["method"], path=self._scope["path"])
            raise IncompleteAnswer from None
        elif self._timed_out:
            await self._answer(RequestTimeout())
        else:
            await self._answer(self._failure or problem_of(failure, method=self._scope["method"], path=self._scope["path"]))

    def _still_running(self, loop: asyncio.AbstractEventLoop) -> None:
        """The request is not one of the quick ones: see whether its client stays, and set the time limit."""
        config = self._edge.config
        if self._scope["path"] not in config.untimed_paths:
            self._timer = loop.call_later(max(0.0, config.timeout_s - WATCH_AFTER_S), self._give_up)
        self._watch_due = True
        if self._body_done:
            self._watch()

    def _give_up(self) -> None:
        if self._started or self._finished or self._task is None:
            return  # a long download is not a hanging request
        self._timed_out = True
        self._task.cancel()

    def _watch(self) -> None:
        if self._watcher is None and not self._started:
            self._watcher = asyncio.get_running_loop().create_task(self._await_disconnect())

    async def _await_disconnect(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                break
            self._pending = message  # the empty body of a request whose route has not asked for it yet
            await asyncio.sleep(0.05)  # callers in the same process may answer at once, again and again
        if not self._finished and not self._started and self._task is not None:
            self._gone = True
            self._task.cancel()

    async def receive(self) -> Message:
        """The server's next message, while the body stays within its limit."""
        if self._pending is not None:
            message, self._pending = self._pending, None
            return message
        message = await self._receive()
        if message["type"] == "http.request":
            self._body_bytes += len(message.get("body", b""))
            limit = self._edge.config.max_body_bytes
            if self._body_bytes > limit:
                # Kept, because what reads the body may wrap the exception in one of its own.
                self._failure = PayloadTooLarge("body", limit)
                raise self._failure
            if not message.get("more_body", False):
                self._body_done = True
                if self._watch_due:
                    self._watch()
        return message

    # --- the answer ---

    async def _answer(self, problem: Problem) -> None:
        language = self._given.get(b"accept-language")
        status, raw, body = render_problem(
            problem,
            self._state[REQUEST_ID],
            self._edge.config.base_url,
            None if language is None else language.decode("latin-1"),
            self._state.get(LANGUAGE, DEFAULT_LANGUAGE),
            origin_of(self._scope, self._edge.config.public_url, self._edge.config.base_url),
        )
        if status == 413:
            raw.append((b"connection", b"close"))  # the rest of the body is not read
        self._held = None
        await self.send({"type": "http.response.start", "status": status, "headers": raw})
        await self.send({"type": "http.response.body", "body": body})

    async def send(self, message: Message) -> None:
        """Passes one message of the answer on, headers completed and body compressed where the client wants it."""
        kind = message["type"]
        if kind == "http.response.start":
            await self._start(message)
        elif kind == "http.response.body":
            await self._body(message)
        else:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        self._status = status = message["status"]
        raw: RawHeaders = list(message.get("headers", ()))
        noted = headers.pick(raw, NOTED)
        squeezable = compression.worthwhile(status, noted)
        self._complete(raw, noted, squeezable)
        started = {"type": "http.response.start", "status": status, "headers": raw}
        if squeezable and self._coding is not None and not self._head:
            self._held = started  # until the first piece of the body tells whether there is more than one
            return
        self._started = True
        await self._send(started)

    def _complete(self, raw: RawHeaders, noted: dict[bytes, bytes], squeezable: bool) -> None:
        """Adds to the answer's own headers those that every answer carries."""
        edge, state = self._edge, self._state
        raw.append((b"x-request-id", state[REQUEST_ID].encode("ascii")))
        raw.append(edge.version_headers.get(state[VERSION], edge.version_headers[edge.default_version]))
        rate = state.get(RATE)
        if rate is not None:
            raw.extend(rate.headers())
        elif self._api:
            raw.extend(edge.config.rate_headers)
        block = edge.block(self._api, self._shared, squeezable, self._given.get(b"origin") if self._shared else None)
        if noted.keys().isdisjoint(OVERRIDABLE):
            raw.extend(block)
            return
        for name, value in block:
            if name not in noted:
                raw.append((name, value))
            elif name == b"vary":
                merged = headers.merge_vary(noted[name], *value.split(b", "))
                raw[:] = [header for header in raw if header[0] != name]
                raw.append((name, merged))

    async def _body(self, message: Message) -> None:
        body: bytes = message.get("body", b"")
        more: bool = message.get("more_body", False)
        if self._head:
            await self._end_head(more)
            return
        if self._held is not None:
            body = await self._release(body, more)
        elif self._encoder is not None:
            body = self._encoder.compress(body) if body else b""
            if not more:
                body += self._encoder.flush()
        if more:
            self._streaming = True
        self._sent += len(body)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _end_head(self, more: bool) -> None:
        """HEAD has no body; a route that goes on streaming one is stopped, or it would run for nobody."""
        if self._head_done:
            return
        self._head_done = True
        await self._send({"type": "http.response.body", "body": b""})
        if more and self._task is not None:
            self._task.cancel()

    async def _release(self, body: bytes, more: bool) -> bytes:
        """Sends the answer's head that was held back, and returns the first piece of the body compressed."""
        held, self._held = self._held, None
        assert held is not None
        assert self._coding is not None
        raw: RawHeaders = [header for header in held["headers"] if header[0] != b"content-length"]
        if more:
            self._encoder = compression.CODINGS[self._coding]()
            body = self._encoder.compress(body)
        elif len(body) >= compression.MINIMUM_BYTES:
            body = await compression.compress(self._coding, body)
            raw.append((b"content-length", b"%d" % len(body)))
        else:
            self._started = True
            await self._send(held)
            return body
        raw.append((b"content-encoding", self._coding.encode("ascii")))
        held["headers"] = raw
        self._started = True
        await self._send(held)
        return body
