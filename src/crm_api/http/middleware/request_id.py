"""The id under which one request can be found in answers, logs and error reports."""

import re
from collections.abc import Callable

_SANE = re.compile(rb"[!-~]{1,128}").fullmatch


def request_id(given: bytes | None, make: Callable[[], object]) -> str:
    """The client's `X-Request-Id` if it is at most 128 visible ASCII characters, otherwise a new one.

    Anything else (spaces, control characters, kilobytes) is replaced rather than refused: the header is often added
    by proxies, and a value that could split a log line must not get into one.
    """
    if given is not None and _SANE(given):
        return given.decode("ascii")
    return str(make())
