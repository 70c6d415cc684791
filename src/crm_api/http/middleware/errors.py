"""From an exception that reached the top to the answer it deserves; faults of ours are logged, never shown."""

import structlog

from crm_api.core.errors import InternalError, Problem
from crm_api.http.problems import to_problem

_log = structlog.stdlib.get_logger("crm_api.http")


def problem_of(exc: BaseException, *, method: str, path: str) -> Problem:
    """The problem to answer with. What has no problem of its own is logged with its traceback and becomes a bare 500.

    The log line carries the request id (bound for the whole request), and so does the answer: that is the only thing
    the two have in common. No text of the exception reaches the client: it may hold SQL, values or secrets.
    """
    problem = to_problem(exc)
    if problem is not None:
        return problem
    _log.error("unhandled_exception", method=method, path=path, exc_info=exc)
    return InternalError()


class IncompleteAnswer(Exception):
    """Tells the server to cut the connection: the answer broke off after its head was sent."""


def log_incomplete(exc: BaseException, *, method: str, path: str) -> None:
    """Logs why an answer could not be finished; the client can no longer be told."""
    _log.error("incomplete_answer", method=method, path=path, exc_info=exc)
