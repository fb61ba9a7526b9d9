"""Instants and durations: whole microseconds, and the corrected time of rule 2."""

import re
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND, "w": 7 * 86_400 * SECOND}
DAY = UNITS["d"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(duration: str) -> int:
    """The length of a duration such as `90s`, `15m`, `12h`, `30d` or `4w`; anything else is a ValueError."""
    written = re.fullmatch(r"([0-9]+)([smhdw])", duration)
    if written is None:
        raise ValueError(f"{duration!r} is not a duration")
    return int(written[1]) * UNITS[written[2]]


def instant_of(moment: datetime) -> int:
    """The microseconds of a datetime that has a zone."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment_of(instant: int) -> datetime:
    """The datetime, in UTC, of an instant."""
    return EPOCH + timedelta(microseconds=instant)


def written_instant(text: str) -> int | None:
    """Rule 45: the instant that a text writes as a date or by RFC 3339, None if it is neither."""
    form = r"(\d{4}-\d\d-\d\d)(?:(T\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d))?"
    written = re.fullmatch(form, text, re.ASCII)
    if written is None:
        return None
    day, clock, fraction, offset = written.groups(default="")
    try:
        moment = datetime.fromisoformat(f"{day}{clock or 'T00:00:00'}{offset.replace('Z', '') or '+00:00'}")
    except ValueError:
        return None
    return instant_of(moment) + int(f"{fraction[:6]:0<6}")


def corrected(received: int, sent: int | None, timestamp: int | None) -> tuple[int, bool]:
    """Rule 2: the corrected time and whether it was clamped."""
    if timestamp is None:
        t = received
    elif sent is None:
        t = timestamp
    else:
        t = received - (sent - timestamp)
    latest = received + DAY
    return (latest, True) if t > latest else (t, False)
