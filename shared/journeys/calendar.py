"""Calendar periods: the day, week, month, quarter or year that an instant lies in (rule 50).

Days here are numbered from 1970-01-01. Nothing raises, however far an instant is, since its sender made it up. So the
calendars are reckoned with whole numbers, and beyond the years that `datetime` knows, zones stay as at its ends.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from shared.events import DAY, SECOND

#: Months in a period; days and weeks are told apart by their names.
MONTHS = {"month": 1, "quarter": 3, "year": 12}
PERIODS = ("day", "week", *MONTHS)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KINDS = ("gregorian", "jalali")

_EPOCH = date(1970, 1, 1).toordinal()
_FIRST, _LAST = date(1, 1, 3).toordinal() - _EPOCH, date(9999, 12, 29).toordinal() - _EPOCH
_DAY = DAY // SECOND
_1970 = datetime(1970, 1, 1, tzinfo=UTC)

#: Gregorian years repeat after 400 of them.
_CENTURIES = 146_097
#: Solar Hijri leap years repeat after 33 years (K. M. Borkowski, “The Persian calendar for 3000 years”, 1996); the year
#: 1386, a multiple of 33, began on 2007-03-21.
_33_YEARS, _LEAP = 33 * 365 + 8, (1, 5, 9, 13, 17, 22, 26, 30)
_1386 = date(2007, 3, 21).toordinal() - _EPOCH


@dataclass(frozen=True, slots=True)
class Calendar:
    """What a journey's weeks begin on, and whose months it counts by."""

    week: str = "monday"
    months: str = "gregorian"


@dataclass(frozen=True, slots=True)
class Period:
    """A kind of period, such as the months of a calendar."""

    unit: str
    calendar: Calendar

    def bounds(self, at: int, zone: ZoneInfo) -> tuple[int, int]:
        """The start and the end, in microseconds, of the period that an instant lies in; at the end the next starts.

        Periods are remembered: an instant's is looked up from those of its day in UTC.
        """
        found = _bounds(self, at - at % DAY, zone)
        while at >= found[1]:
            found = _bounds(self, found[1], zone)
        return found

    def days(self, day: int) -> tuple[int, int]:
        """The first day of the period that a day lies in, and of the next."""
        if self.unit == "day":
            return day, day + 1
        if self.unit == "week":
            first = day - (day + 3 - WEEKDAYS.index(self.calendar.week)) % 7  # day 0 was a Thursday
            return first, first + 7
        month_of, first_of = (_jalali, _jalali_first) if self.calendar.months == "jalali" else (_gregorian, _first)
        number, month = MONTHS[self.unit], month_of(day)
        month -= month % number
        return first_of(month), first_of(month + number)


def civil(day: int, months: str) -> tuple[int, int, int]:
    """A day's year, month and day of the month in a calendar, counted from 1."""
    month_of, first_of = (_jalali, _jalali_first) if months == "jalali" else (_gregorian, _first)
    month = month_of(day)
    return month // 12, month % 12 + 1, day - first_of(month) + 1


@lru_cache(4096)
def _bounds(period: Period, at: int, zone: ZoneInfo) -> tuple[int, int]:
    second = at // SECOND
    inside = min(max(second, _FIRST * _DAY), _LAST * _DAY)
    day = (second + _offset(inside, zone)) // _DAY
    if at >= _begins(day + 1, zone) * SECOND:  # the clock was put back over a midnight that had been already
        day += 1
    first, following = period.days(day)
    return _begins(first, zone) * SECOND, _begins(following, zone) * SECOND


def _begins(day: int, zone: ZoneInfo) -> int:
    """The first second of a day in a zone: its first midnight, or what comes after it where there is none."""
    inside = min(max(day, _FIRST), _LAST)
    midnight = datetime.combine(date.fromordinal(inside + _EPOCH), time(), zone)
    before, after = _seconds(midnight.utcoffset()), _seconds(midnight.replace(fold=1).utcoffset())
    wall = inside * _DAY
    second = wall - before
    if before < after:  # midnight was skipped, somewhere between these two
        possible = range(wall - after, second)
        second = possible.start + bisect_left(possible, wall, key=lambda second: second + _offset(second, zone))
    return second + (day - inside) * _DAY


def _offset(second: int, zone: ZoneInfo) -> int:
    return _seconds((_1970 + timedelta(seconds=second)).astimezone(zone).utcoffset())


def _seconds(offset: timedelta | None) -> int:
    return 0 if offset is None else offset // timedelta(seconds=1)


def _gregorian(day: int) -> int:
    """The month, numbered from that of year 0, that a day lies in."""
    centuries, day = divmod(day, _CENTURIES)
    found = date.fromordinal(day + _EPOCH)
    return (centuries * 400 + found.year) * 12 + found.month - 1


def _first(month: int) -> int:
    """The first day of a month."""
    year, month = divmod(month, 12)
    centuries, year = divmod(year, 400)
    return date(year + 400, month + 1, 1).toordinal() - _EPOCH + (centuries - 1) * _CENTURIES


def _jalali(day: int) -> int:
    cycle, day = divmod(day - _1386, _33_YEARS)
    year = min(day // 365, 32)
    if day < _year(year):
        year -= 1
    day -= _year(year)
    month = day // 31 if day < 186 else 6 + (day - 186) // 30
    return (1386 + cycle * 33 + year) * 12 + month


def _jalali_first(month: int) -> int:
    year, month = divmod(month, 12)
    cycle, year = divmod(year - 1386, 33)
    return _1386 + cycle * _33_YEARS + _year(year) + month * 31 - max(0, month - 6)


def _year(year: int) -> int:
    """The days from the beginning of 33 Solar Hijri years to that of one of them."""
    return year * 365 + bisect_left(_LEAP, year)
