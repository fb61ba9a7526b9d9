"""Rule 50: calendar periods.

The Solar Hijri year is found as its law defines it, by the sun, not by the cycle of 33 years that the page names: it
begins on the day by whose noon in Iran the vernal equinox has happened. The equinox is Meeus's (Astronomical
Algorithms, 2nd edition, chapter 27), right to a minute in these centuries.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from math import cos, radians
from zoneinfo import ZoneInfo

from tests.oracle.times import instant_of, moment_of

PERIODS = ("day", "week", "month", "quarter", "year")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ONE_DAY = timedelta(days=1)

#: Meeus's table 27.C: amplitude, phase and speed (degrees, degrees a Julian century) of what moves an equinox.
WAVES = (
    (485, 324.96, 1934.136),
    (203, 337.23, 32964.467),
    (199, 342.08, 20.186),
    (182, 27.85, 445267.112),
    (156, 73.14, 45036.886),
    (136, 171.52, 22518.443),
    (77, 222.54, 65928.934),
    (74, 296.72, 3034.906),
    (70, 243.58, 9037.513),
    (58, 119.81, 33718.147),
    (52, 297.17, 150.678),
    (50, 21.02, 2281.226),
    (45, 247.54, 29929.562),
    (44, 325.15, 31555.956),
    (29, 60.93, 4443.417),
    (18, 155.12, 67555.328),
    (17, 288.79, 4562.452),
    (16, 198.04, 62894.029),
    (14, 199.76, 31436.921),
    (12, 95.39, 14577.848),
    (12, 287.11, 31931.756),
    (12, 320.81, 34777.259),
    (9, 227.73, 1222.114),
    (8, 15.45, 16859.074),
)


def equinox(gregorian: int) -> datetime:
    """The vernal equinox of a Gregorian year, in UTC."""
    y = (gregorian - 2000) / 1000
    day = 2451623.80984 + 365242.37404 * y + 0.05169 * y**2 - 0.00411 * y**3 - 0.00057 * y**4
    t = (day - 2451545) / 36525
    w = radians(35999.373 * t - 2.47)
    stretched = 1 + 0.0334 * cos(w) + 0.0007 * cos(2 * w)
    waves = sum(size * cos(radians(phase + speed * t)) for size, phase, speed in WAVES)
    dynamical = day + 0.00001 * waves / stretched
    clock_behind = timedelta(seconds=70)  # of UTC on dynamical time in these decades
    return datetime(2000, 1, 1, 12, tzinfo=UTC) + timedelta(days=dynamical - 2451545) - clock_behind


@cache
def new_year(jalali: int) -> date:
    """The first day of a Solar Hijri year."""
    at = equinox(jalali + 621) + timedelta(hours=3, minutes=30)
    return at.date() + (ONE_DAY if at.hour >= 12 else timedelta())


@cache
def jalali_month_begins(jalali: int) -> list[date]:
    """The first day of each month of a Solar Hijri year: six of 31 days, then of 30."""
    return [new_year(jalali) + timedelta(days=31 * month - max(0, month - 6)) for month in range(12)]


def first_days(period: str, week: str, months: str, year: int) -> list[date]:
    """The first days of all periods that begin in a Gregorian year, in order, and some of the years beside it."""
    days = [date(year - 1, 1, 1) + number * ONE_DAY for number in range(3 * 366)]
    if period == "day":
        return days
    if period == "week":
        return [day for day in days if WEEKDAYS[day.weekday()] == week]
    step = {"month": 1, "quarter": 3, "year": 12}[period]
    if months == "jalali":
        return [day for one in range(year - 623, year - 619) for day in jalali_month_begins(one)[::step]]
    return [day for day in days if day.day == 1 and (day.month - 1) % step == 0]


@cache
def day_begins(day: date, zone: str) -> int:
    """The first instant of a local day: found by asking the zone from well before it, by minutes, then by seconds."""

    def first(start: datetime, step: timedelta) -> datetime:
        while start.astimezone(ZoneInfo(zone)).date() < day:
            start += step
        return start

    before = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=30)
    minute = timedelta(minutes=1)
    return instant_of(first(first(before, minute) - minute, timedelta(seconds=1)))


@cache
def period_of(instant: int, period: str, week: str, months: str, zone: str) -> tuple[int, int]:
    """The first instant of the period that an instant lies in, and of the one after."""
    local = moment_of(instant).astimezone(ZoneInfo(zone)).date()
    near = [day for day in first_days(period, week, months, local.year) if abs(day - local) < timedelta(days=400)]
    later = [day for day in near if day > local + ONE_DAY]
    recent = [day for day in near if day <= local + ONE_DAY][-3:]
    begins = [day_begins(day, zone) for day in [*recent, later[0]]]
    (found,) = [(one, other) for one, other in pairwise(begins) if one <= instant < other]
    return found
