"""How the marketers' API reads and writes instants."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.instants import REMEDY, micros, parse, spell

TEHRAN = ZoneInfo("Asia/Tehran")
UTC_ZONE = ZoneInfo("UTC")


def at(text: str) -> int:
    """An instant by the standard library."""
    return micros(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2026-03-31T18:00:00+03:30", "2026-03-31T14:30:00+00:00"),
        ("2026-03-31T18:00:00 03:30", "2026-03-31T14:30:00+00:00"),
        ("2026-03-31 18:00Z", "2026-03-31T18:00:00+00:00"),
        ("2026-03-31t18:00:00.000001z", "2026-03-31T18:00:00.000001+00:00"),
        ("2026-03-31T18:00:00,5-0800", "2026-04-01T02:00:00.500000+00:00"),
        (" 1969-12-31T23:59:59.999999Z ", "1969-12-31T23:59:59.999999+00:00"),
    ],
)
def test_an_instant_is_read_with_its_offset(text: str, means: str) -> None:
    """An offset counts, and a plus that the query turned into a space is still a plus."""
    assert parse(text, TEHRAN) == at(means)


@pytest.mark.parametrize(
    ("day", "zone", "first", "last"),
    [
        ("2026-03-31", "UTC", "2026-03-31T00:00:00+00:00", "2026-03-31T23:59:59.999999+00:00"),
        ("2026-03-31", "Asia/Tehran", "2026-03-31T00:00:00+03:30", "2026-03-31T23:59:59.999999+03:30"),
        # Iran put its clocks forward at midnight: 22 March 2021 began at 01:00, and the day before ended at 00:00.
        ("2021-03-22", "Asia/Tehran", "2021-03-22T01:00:00+04:30", "2021-03-22T23:59:59.999999+04:30"),
        ("2021-03-21", "Asia/Tehran", "2021-03-21T00:00:00+03:30", "2021-03-21T23:59:59.999999+03:30"),
        # … and back at midnight: the last hour of 21 September came twice.
        ("2021-09-21", "Asia/Tehran", "2021-09-21T00:00:00+04:30", "2021-09-21T23:59:59.999999+03:30"),
        # The Azores put theirs back from 01:00 to 00:00: the first hour of the day comes twice.
        ("2026-10-25", "Atlantic/Azores", "2026-10-25T00:00:00+00:00", "2026-10-25T23:59:59.999999-01:00"),
        ("2026-10-24", "Atlantic/Azores", "2026-10-24T00:00:00+00:00", "2026-10-24T23:59:59.999999+00:00"),
        # Samoa had no 30 December 2011.
        ("2011-12-29", "Pacific/Apia", "2011-12-29T00:00:00-10:00", "2011-12-29T23:59:59.999999-10:00"),
    ],
)
def test_a_date_is_a_day_in_the_projects_time_zone(day: str, zone: str, first: str, last: str) -> None:
    """A date means the first or last microsecond of that local day, whatever the clocks do around it."""
    assert parse(day, ZoneInfo(zone), "start") == at(first)
    assert parse(day, ZoneInfo(zone)) == at(last)


@pytest.mark.parametrize("zone", ["Asia/Tehran", "Asia/Beirut", "America/Sao_Paulo", "Africa/Cairo", "Atlantic/Azores"])
def test_days_follow_each_other_without_gap_or_overlap(zone: str) -> None:
    """Over years of clock changes, each day ends one microsecond before the next begins."""
    days = [str((datetime(2015, 1, 1, tzinfo=UTC) + timedelta(days=n)).date()) for n in range(3000)]
    for day, following in pairwise(days):
        assert parse(day, ZoneInfo(zone)) + 1 == parse(following, ZoneInfo(zone), "start")
        assert parse(day, ZoneInfo(zone), "start") < parse(day, ZoneInfo(zone))


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026", "2026-W01-1", "20260331", "1774972800", "2026-02-30", "2026-13-01", "0000-01-01",
     "2026-03-31T18:00:00", "2026-03-31T25:00Z", "2026-03-31T18:00:00+99:00", "2026-03-31T18:00:00.1234567Z",
     "۲۰۲۶-۰۳-۳۱", "2026-03-31\0", "x" * 10_000],
)  # fmt: skip
def test_anything_else_is_refused_with_the_remedy(text: str) -> None:
    """What names no one instant is refused, and the message says what to write, without repeating a long text."""
    with pytest.raises(ValueError, match="write a date") as refused:
        parse(text, UTC_ZONE)
    assert REMEDY in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("text", ["9999-12-31", "9999-12-31T23:59:59-10:00", "0001-01-01T00:00+03:30"])
def test_what_lies_beyond_the_calendar_is_refused(text: str) -> None:
    """An instant beyond the calendar's ends in UTC is a plain refusal."""
    with pytest.raises(ValueError, match="beyond what can be counted"):
        parse(text, ZoneInfo("Pacific/Honolulu"))


@given(st.integers(-(10**16), 10**17))
def test_what_is_written_reads_back(instant: int) -> None:
    """Every instant survives being written and read, to the microsecond."""
    assert parse(spell(instant), TEHRAN) == instant
