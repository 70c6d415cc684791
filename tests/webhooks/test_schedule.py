"""When deliveries are tried again and when an endpoint is left alone, by the numbers alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.flows.webhooks.schedule import LONGEST_HINT_S, Circuit, delay, hint

BASES = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
NOW = datetime(2026, 11, 22, 3, 31, tzinfo=UTC)


@pytest.mark.parametrize(("tries", "base"), list(enumerate(BASES, 1)))
def test_each_delay_is_the_base_and_at_most_a_fifth_more(tries: int, base: int) -> None:
    found = [delay(tries) for _ in range(300)]
    assert all(wait is not None and base <= wait <= base * 1.2 for wait in found)
    assert max(filter(None, found)) - min(filter(None, found)) > base * 0.1  # not all at one time


def test_the_tenth_try_is_the_last() -> None:
    assert delay(10) is None
    assert delay(400) is None


def test_an_ordered_endpoint_is_tried_for_ever() -> None:
    wait = delay(400, forever=True)
    assert wait is not None
    assert 86_400 <= wait <= 86_400 * 1.2


@pytest.mark.parametrize(
    ("status", "value", "seconds"),
    [
        (429, "120", 120),
        (503, " 7 ", 7),
        (429, "0", 0),
        (503, "99999999999999999999", LONGEST_HINT_S),
        (429, "Sun, 22 Nov 2026 03:33:00 GMT", 120),
        (503, "Sunday, 22-Nov-26 03:33:00 GMT", 120),
        (503, "Sun Nov 22 03:33:00 2026", 120),
        (503, "Sun, 22 Nov 2026 03:30:00 GMT", 0),
        (429, "Sun, 22 Nov 2099 03:30:00 GMT", LONGEST_HINT_S),
        (500, "120", None),
        (200, "120", None),
        (None, "120", None),
        (429, None, None),
        (429, "soon", None),
        (429, "-5", None),
        (429, "٣", None),
        (429, "Mon, 99999999999999999999 Jan 2024 00:00:00 GMT", None),
    ],
)
def test_retry_after(status: int | None, value: str | None, seconds: float | None) -> None:
    assert hint(status, value, NOW) == seconds


@given(
    st.text(max_size=60) | st.from_regex(r"[A-Z][a-z]{2}, \d{1,30} [A-Z][a-z]{2} \d{1,30} \d{1,9}:\d\d:\d\d [+-]?\w{1,9}", fullmatch=True)
)
def test_whatever_a_receiver_writes_there_is_no_reason_to_stumble(value: str) -> None:
    found = hint(429, value, NOW)
    assert found is None or 0 <= found <= LONGEST_HINT_S


def after(circuit: Circuit, *outcomes: bool, at: datetime = NOW) -> Circuit:
    for outcome in outcomes:
        circuit = circuit.after(outcome, at)
    return circuit


def test_a_circuit_opens_at_seven_of_ten() -> None:
    assert after(Circuit(), *[False] * 9).state == "closed"
    assert after(Circuit(), *[True] * 3, *[False] * 7).state == "open"
    assert after(Circuit(), *[True] * 4, *[False] * 6).state == "closed"
    assert after(Circuit(), *[True] * 4, *[False] * 9).state == "closed"  # 69 %
    assert after(Circuit(), *[True] * 4, *[False] * 10).state == "open"  # 71 %


def test_what_is_older_than_five_minutes_does_not_count() -> None:
    circuit = after(Circuit(), *[False] * 9)
    assert after(circuit, False, at=NOW + timedelta(minutes=5)).state == "open"
    assert after(circuit, False, at=NOW + timedelta(minutes=5, seconds=1)).state == "closed"


def test_an_open_circuit_tries_once_and_waits_longer_each_time() -> None:
    circuit, at = after(Circuit(), *[False] * 10), NOW
    for seconds in (30, 60, 120, 240, 480, 600, 600):
        assert (circuit.state, circuit.open_until) == ("open", at + timedelta(seconds=seconds))
        assert circuit.ready(at + timedelta(seconds=seconds - 1)).state == "open"
        assert after(circuit, False, at=at).open_until == circuit.open_until  # what was under way opens nothing again
        at += timedelta(seconds=seconds)
        circuit = circuit.ready(at)
        assert circuit.state == "half_open"
        closed = after(circuit, True, at=at)
        assert (closed.state, closed.openings, closed.failed) == ("closed", 0, 0)
        circuit = after(circuit, False, at=at)
