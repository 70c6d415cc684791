from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.core.clock import FixedClock, SystemClock
from crm_api.core.ids import Uuid7Generator, is_uuid7, parse_uuid, uuid7, uuid7_floor, uuid7_time

START = datetime(2026, 11, 22, 3, 31, tzinfo=UTC)
INSTANTS = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.lists(st.integers(0, 9_999), min_size=2, max_size=50))
def test_ids_rise_while_the_clock_stands_or_steps_back_a_little(steps: list[int]) -> None:
    generator = Uuid7Generator()
    ids = [generator.next(START + timedelta(milliseconds=step)) for step in steps]
    assert ids == sorted(set(ids))
    assert all(is_uuid7(value) for value in ids)


def test_a_far_earlier_timeline_gets_its_own_times() -> None:
    generator = Uuid7Generator()
    generator.next(START + timedelta(days=365))
    assert uuid7_time(generator.next(START)) == START


def test_ids_of_threads_are_distinct_and_rise_in_each() -> None:
    clock = FixedClock(START)

    def make(_: int) -> list[UUID]:
        return [uuid7(clock) for _ in range(2_000)]

    with ThreadPoolExecutor(8) as pool:
        lists = list(pool.map(make, range(8)))
    assert all(ids == sorted(ids) for ids in lists)
    assert len({value for ids in lists for value in ids}) == 16_000


def test_the_counter_running_over_borrows_the_next_millisecond() -> None:
    generator = Uuid7Generator()
    first = generator.next(START)
    generator._tail = (1 << 74) - 1
    second = generator.next(START)
    assert second > first
    assert uuid7_time(second) == START + timedelta(milliseconds=1)


@given(INSTANTS)
def test_the_floor_is_at_or_below_every_id_of_its_millisecond(at: datetime) -> None:
    floor = uuid7_floor(at)
    assert is_uuid7(floor)
    assert floor <= Uuid7Generator().next(at)
    assert timedelta(0) <= at - uuid7_time(floor) < timedelta(milliseconds=1)
    if at < datetime(9999, 12, 30, tzinfo=UTC):
        assert Uuid7Generator().next(at) < uuid7_floor(at + timedelta(milliseconds=1))


def test_the_example_of_the_standard() -> None:
    example = UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")  # RFC 9562 appendix A.6
    assert is_uuid7(example)
    assert uuid7_time(example) == datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


def test_other_versions_have_no_time() -> None:
    assert not is_uuid7(uuid4())
    with pytest.raises(ValueError, match="not a UUIDv7"):
        uuid7_time(uuid4())
    with pytest.raises(ValueError, match="9999"):
        uuid7_time(UUID("ffffffff-ffff-7fff-bfff-ffffffffffff"))
    with pytest.raises(ValueError, match="can't be"):
        uuid7_floor(datetime(1969, 12, 31, tzinfo=UTC))


@given(st.uuids())
def test_canonical_spellings_are_read(value: UUID) -> None:
    assert parse_uuid(str(value)) == parse_uuid(str(value).upper()) == value


def test_other_spellings_are_not() -> None:
    text = str(uuid7(SystemClock()))
    odd = ["", text[:-1], text + "0", "{" + text[:-2] + "}", text.replace("-", ""), "urn:uuid:" + text, text[:-1] + "g", text[:-1] + "٣"]
    odd.append(text.replace("-", "")[:32] + "----")
    odd.append(text[:35] + "\n")
    assert [parse_uuid(item) for item in odd] == [None] * len(odd)
