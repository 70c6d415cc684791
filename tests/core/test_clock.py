from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.core.clock import FixedClock, SystemClock, format_timestamp, parse_date, parse_timestamp
from crm_api.core.errors import InvalidValue

INSTANTS = st.datetimes(timezones=st.just(UTC))


@given(INSTANTS)
def test_a_timestamp_survives_the_round_trip(at: datetime) -> None:
    assert parse_timestamp(format_timestamp(at)) == at


@given(INSTANTS, INSTANTS)
def test_texts_sort_as_instants_do(a: datetime, b: datetime) -> None:
    assert (a < b) == (format_timestamp(a) < format_timestamp(b))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T03:31:00Z", "2026-11-22T03:31:00.000000Z"),
        ("2026-11-22t03:31:00.5z", "2026-11-22T03:31:00.500000Z"),
        ("2026-11-22T03:31:00.123456789+05:30", "2026-11-21T22:01:00.123456Z"),
        ("0001-01-01T00:00:00-00:00", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("2024-02-29T12:00:00-23:59", "2024-03-01T11:59:00.000000Z"),
    ],
)
def test_every_offset_is_read(text: str, expected: str) -> None:
    assert format_timestamp(parse_timestamp(text)) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-11-22", "time is missing"),
        ("2026-11-22T03:31:00", "offset is missing"),
        ("2026-11-22T03:31:00 01:00", "%2B"),
        ("2026-11-22 03:31:00Z", "T separates"),
        ("2026-02-30T00:00:00Z", "day"),
        ("2026-01-01T24:00:00Z", "hour"),
        ("2026-01-01T23:59:60Z", "second"),
        ("0000-01-01T00:00:00Z", "year"),
        ("0001-01-01T00:00:00+01:00", "1..9999"),
        ("9999-12-31T23:59:59-01:00", "1..9999"),
        ("2026-01-01T00:00:00+24:00", "no offset"),
        ("2026-01-01T00:00:00+0100", "expected"),
        ("٢٠٢٦-01-01T00:00:00Z", "expected"),
        ("2026-01-01T00:00:00Z\n", "expected"),
        ("", "expected"),
    ],
)
def test_the_error_names_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_timestamp(text)
    assert caught.value.code == "invalid_timestamp"
    assert reason in caught.value.params["reason"]


@given(st.dates())
def test_dates_survive_the_round_trip(day: date) -> None:
    assert parse_date(day.isoformat()) == day


@pytest.mark.parametrize("text", ["2026-02-30", "2026-2-3", "20260203", "0000-01-01", "2026-01-01T00:00:00Z", " 2026-01-01", "٢٠٢٦-01-01"])
def test_other_dates_are_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="not a date"):
        parse_date(text)


def test_naive_datetimes_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        format_timestamp(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive datetime is the point
    with pytest.raises(ValueError, match="aware"):
        FixedClock(datetime(2026, 1, 1))  # noqa: DTZ001


def test_clocks() -> None:
    assert SystemClock().now().tzinfo is UTC
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1))))
    assert format_timestamp(clock.now()) == "2025-12-31T23:00:00.000000Z"
    assert clock.advance(timedelta(hours=1)) == clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
