"""Instants in questions and answers: ISO 8601 outside, microseconds since the Unix epoch inside."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.events import SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# In a query an unescaped + arrives as a space; before the offset it can be nothing else.
_INSTANT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<time>\d\d:\d\d(:\d\d([.,]\d{1,6})?)?)(?P<offset>[Zz]|[-+ ]\d\d:?\d\d)?", re.ASCII
)

REMEDY = "write a date (2026-03-31) or an instant with its offset (2026-03-31T18:00:00+03:30, or Z for UTC)"


def parse(text: str, zone: ZoneInfo, day: Literal["start", "end"] = "end") -> int:
    """The instant, inclusive, that a text names; a date means the first or the last microsecond of that day in `zone`.

    Raises ValueError that says what is wrong and what to write.
    """
    text = text.strip()
    try:
        if _DATE.fullmatch(text):
            return _bound(date.fromisoformat(text), zone, day)
        if (found := _INSTANT.fullmatch(text)) is None:
            raise ValueError(f"{text[:60]!r} is not an instant: {REMEDY}")
        if found["offset"] is None:
            raise ValueError(f"{text!r} has no offset from UTC: {REMEDY}")
        offset = found["offset"].upper().replace(" ", "+")
        return micros(datetime.fromisoformat(f"{found['day']}T{found['time'].replace(',', '.')}{offset}"))
    except OverflowError:
        raise ValueError(f"{text!r} is beyond what can be counted: name a year from 2 to 9998") from None
    except ValueError as error:
        if REMEDY in str(error):
            raise
        raise ValueError(f"{text!r} is in no calendar ({error}): {REMEDY}") from None


def _bound(day: date, zone: ZoneInfo, which: Literal["start", "end"]) -> int:
    # Where a clock is put forward at midnight, 00:00 does not exist: read with the offset before, as `combine` does, it
    # is the very instant of the change, at which the new day begins.
    if which == "start":
        return micros(datetime.combine(day, time(), zone))
    return micros(datetime.combine(day + timedelta(days=1), time(), zone)) - 1


def micros(moment: datetime) -> int:
    """A moment with an offset as microseconds since the epoch. Raises OverflowError near the calendar's ends."""
    return (moment.astimezone(UTC) - _EPOCH) // _MICROSECOND


def spell(at: int) -> str:
    """Microseconds since the epoch as ISO 8601 in UTC, with as many digits as it takes."""
    moment = _EPOCH + at * _MICROSECOND
    return moment.replace(tzinfo=None).isoformat(timespec="auto" if at % SECOND else "seconds") + "Z"
