"""Days, weeks, months, quarters and years of any zone and either calendar."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events import DAY, SECOND
from shared.journeys.calendar import KINDS, PERIODS, WEEKDAYS, Calendar, Period
from shared.journeys.definition import DefinitionError
from tests.support.journeys import journey

ZONES = ["UTC", "Asia/Tehran", "America/Sao_Paulo", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"]
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
YEARS = st.integers(-200 * 365, 600 * 365)

zones = st.sampled_from(ZONES).map(ZoneInfo)
periods = st.builds(
    Period,
    st.sampled_from(PERIODS),
    st.builds(Calendar, st.sampled_from(WEEKDAYS), st.sampled_from(KINDS)),
)


def micros(written: str) -> int:
    """Microseconds of an instant."""
    return (datetime.fromisoformat(written) - EPOCH) // timedelta(microseconds=1)


def jalali(unit: str, week: str = "monday") -> Period:
    """A Solar Hijri period."""
    return Period(unit, Calendar(week, "jalali"))


def gregorian(unit: str, week: str = "monday") -> Period:
    """A Gregorian period."""
    return Period(unit, Calendar(week))


TEHRAN, SAO_PAULO = "Asia/Tehran", "America/Sao_Paulo"


@pytest.mark.parametrize(
    ("zone", "period", "at", "start", "end"),
    [
        (TEHRAN, gregorian("day"), "2026-03-21T20:29:59Z", "2026-03-21T00:00:00+03:30", "2026-03-22T00:00:00+03:30"),
        (TEHRAN, gregorian("day"), "2022-03-22T09:00:00Z", "2022-03-22T01:00:00+04:30", "2022-03-23T00:00:00+04:30"),
        (TEHRAN, jalali("month"), "2025-03-20T12:00:00Z", "2025-02-19T00:00:00+03:30", "2025-03-21T00:00:00+03:30"),
        (TEHRAN, jalali("quarter"), "2025-03-20T12:00:00Z", "2024-12-21T00:00:00+03:30", "2025-03-21T00:00:00+03:30"),
        (TEHRAN, jalali("year"), "2025-03-20T12:00:00Z", "2024-03-20T00:00:00+03:30", "2025-03-21T00:00:00+03:30"),
        (TEHRAN, jalali("week", "saturday"), "2026-11-22T12:00:00Z", "2026-11-21T00:00:00+03:30",
         "2026-11-28T00:00:00+03:30"),
        (SAO_PAULO, gregorian("day"), "2017-10-15T12:00:00Z", "2017-10-15T03:00:00Z", "2017-10-16T02:00:00Z"),
        (SAO_PAULO, gregorian("day"), "2017-10-15T02:59:59Z", "2017-10-14T03:00:00Z", "2017-10-15T03:00:00Z"),
        ("Europe/Berlin", gregorian("day"), "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        ("Europe/Berlin", gregorian("month"), "2026-03-05T12:00:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"),
        ("Europe/Berlin", gregorian("quarter"), "2026-12-31T23:30:00Z", "2026-12-31T23:00:00Z", "2027-03-31T22:00:00Z"),
        ("UTC", gregorian("year"), "2024-02-29T12:00:00Z", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
        ("UTC", gregorian("week"), "1969-12-31T12:00:00Z", "1969-12-29T00:00:00Z", "1970-01-05T00:00:00Z"),
        # The clock skipped from 23:30 to 00:30, and a day later from the 29th to the 31st.
        ("America/Toronto", gregorian("day"), "1919-03-31T12:00:00Z", "1919-03-31T04:30:00Z", "1919-04-01T04:00:00Z"),
        ("Pacific/Apia", gregorian("day"), "2011-12-30T09:00:00Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"),
        # At 00:01 the clock went back to 23:01: the day had begun by then.
        ("America/St_Johns", gregorian("day"), "1988-10-30T02:40:00Z", "1988-10-30T01:30:00Z", "1988-10-31T03:30:00Z"),
    ],
)  # fmt: skip
def test_bounds(zone: str, period: Period, at: str, start: str, end: str) -> None:
    """A period is the one that its calendar and zone have."""
    assert period.bounds(micros(at), ZoneInfo(zone)) == (micros(start), micros(end))


#: When Solar Hijri years began, and will begin.
NOWRUZ = {
    1342: "1963-03-21",
    1343: "1964-03-21",
    1354: "1975-03-21",
    1355: "1976-03-21",
    1357: "1978-03-21",
    1370: "1991-03-21",
    1371: "1992-03-21",
    1375: "1996-03-20",
    1376: "1997-03-21",
    1395: "2016-03-20",
    1396: "2017-03-21",
    1399: "2020-03-20",
    1400: "2021-03-21",
    1403: "2024-03-20",
    1404: "2025-03-21",
    1405: "2026-03-21",
    1408: "2029-03-20",
    1409: "2030-03-21",
}


@pytest.mark.parametrize("begins", [pytest.param(begins, id=str(year)) for year, begins in NOWRUZ.items()])
def test_nowruz(begins: str) -> None:
    """Solar Hijri years begin with the official ones, and with a month of 31 days."""
    day = micros(f"{begins}T00:00:00+00:00") // DAY
    assert jalali("year").days(day)[0] == day
    assert jalali("year").days(day - 1)[1] == day
    assert jalali("month").days(day) == (day, day + 31)


@given(periods, YEARS)
def test_days_follow_one_another(period: Period, day: int) -> None:
    """Every day lies in one period, and where one ends the next begins."""
    first, following = period.days(day)
    assert first <= day < following
    assert {period.days(one) for one in (first, following - 1)} == {(first, following)}
    assert period.days(following)[0] == following


@given(YEARS)
def test_jalali_months(day: int) -> None:
    """Six months have 31 days, five have 30 and the last has 29 or 30; a year's months are the year."""
    first, following = jalali("year").days(day)
    lengths, start = list[int](), first
    while start < following:
        lengths.append(jalali("month").days(start)[1] - start)
        start = jalali("month").days(start)[1]
    assert lengths == [31] * 6 + [30] * 5 + [following - first - 336]
    assert lengths[-1] in (29, 30)


@given(periods, zones, st.integers(-40 * 366, 60 * 366), st.integers(0, DAY - 1))
def test_bounds_are_of_the_zone(period: Period, zone: ZoneInfo, day: int, time: int) -> None:
    """An instant lies in the period of its local day, or the clock was put back over a midnight."""
    at = day * DAY + time
    start, end = period.bounds(at, zone)
    assert start <= at < end
    assert period.bounds(end, zone)[0] == end
    assert period.bounds(start, zone) == period.bounds(end - 1, zone) == (start, end)
    local = (EPOCH + timedelta(microseconds=start)).astimezone(zone)
    before = (EPOCH + timedelta(microseconds=start - 1)).astimezone(zone)
    assert before.date() < local.date()
    assert period.days((local.date() - EPOCH.date()).days)[0] == (local.date() - EPOCH.date()).days


@given(periods, zones, st.integers(-(2**62), 2**62))
def test_no_instant_is_too_far(period: Period, zone: ZoneInfo, at: int) -> None:
    """Every instant has a period, however absurd what was sent."""
    start, end = period.bounds(at, zone)
    assert start <= at < end
    assert end - start <= 367 * DAY
    assert (start % SECOND, end % SECOND) == (0, 0)


def test_a_calendar_is_checked() -> None:
    """A calendar's faults are all told."""
    with pytest.raises(DefinitionError) as refused:
        journey("calendar: {week: caturday, months: lunar}\nstages: [{stage: a, enter: {touchpoint: {}}}]")
    assert [problem.remedy for problem in refused.value.problems] == [
        "did you mean saturday?",
        "use one of gregorian, jalali",
    ]
