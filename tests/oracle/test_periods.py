"""The oracle's Solar Hijri years, found by the sun, are those of the cycle that the page names."""

from datetime import date, timedelta

from tests.oracle.periods import jalali_month_begins, new_year

LEAP = {1, 5, 9, 13, 17, 22, 26, 30}


def test_the_sun_keeps_to_the_cycle() -> None:
    """For 250 years the year begins by the vernal equinox where the cycle of 33 years lets it."""
    days = {1403: date(2024, 3, 20)}
    for year in range(1403, 1500):
        days[year + 1] = days[year] + timedelta(days=365 + (year % 33 in LEAP))
    for year in range(1402, 1249, -1):
        days[year] = days[year + 1] - timedelta(days=365 + (year % 33 in LEAP))
    assert {year: new_year(year) for year in days} == days


def test_months_are_those_of_the_calendar_on_the_wall() -> None:
    """Mehr begins on 22 September 2024, and Esfand on 19 February 2025."""
    months = jalali_month_begins(1403)
    assert (months[6], months[11]) == (date(2024, 9, 22), date(2025, 2, 19))
