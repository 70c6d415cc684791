"""Places in an order that people change by hand: texts that sort byte by byte, with room between any two of them.

A place between two others is a new text; no other record has to move. Digits are those of base 62 in the order of ASCII,
and no place ends in the smallest digit, so there is always something below it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from crm_api.core.clock import EPOCH

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUE: Final = {digit: value for value, digit in enumerate(_DIGITS)}
_MIDDLE: Final = _DIGITS[31]
_TIME_DIGITS: Final = 9  # 62**9 microseconds are 429 years
_COUNT_DIGITS: Final = 3


def place_at_end(now: datetime, count: int) -> str:
    """A place behind all that were made before `now`; `count` tells those of one instant apart."""
    elapsed = now - EPOCH
    micros = (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds
    return _base62(max(micros, 0), _TIME_DIGITS) + _base62(count, _COUNT_DIGITS) + _MIDDLE


def place_between(before: str, after: str | None) -> str:
    """A place behind `before` ("" for the very front) and in front of `after` (None for the open end).

    Raises ValueError unless `before` < `after`.
    """
    if after is not None and before >= after:
        raise ValueError("there is no place between these two")
    return _midpoint(before, after)


def place_after(last: str | None, now: datetime) -> str:
    """A place behind `last`, the last of a column (None for an empty one), that does not grow longer with each use."""
    place = place_at_end(now, 0)
    if last is None or place > last:
        return place
    width = _TIME_DIGITS + _COUNT_DIGITS
    number = 0
    for digit in last[:width].ljust(width, _DIGITS[0]):
        number = number * len(_DIGITS) + _VALUE[digit]
    if number + 1 >= len(_DIGITS) ** width:
        return place_between(last, None)
    return _base62(number + 1, width) + _MIDDLE


def _midpoint(low: str, high: str | None) -> str:
    if high is not None:
        same = 0
        while same < len(high) and (low[same] if same < len(low) else _DIGITS[0]) == high[same]:
            same += 1
        if same:
            return high[:same] + _midpoint(low[same:], high[same:])
    first = _VALUE[low[0]] if low else 0
    last = _VALUE[high[0]] if high else len(_DIGITS)
    if last - first > 1:
        return _DIGITS[(first + last) // 2]
    if high is not None and len(high) > 1:
        return high[0]
    return _DIGITS[first] + _midpoint(low[1:], None)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
