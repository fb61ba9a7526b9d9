"""Durations as a definition writes them, `90s` to `4w`."""

import re

from shared.events import DAY, SECOND

_UNITS = {
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
    "d": DAY,
    "w": 7 * DAY,
}
_WRITTEN = re.compile(r"([0-9]{1,12})([smhdw])", re.ASCII)

#: A hundred years: sums of an instant and a duration stay far inside 64 bits.
LONGEST = 36_525 * DAY


def parse(text: str) -> int | None:
    """Microseconds of a duration such as `30d`; None if it is not one, is zero or is longer than a hundred years."""
    if (written := _WRITTEN.fullmatch(text)) is None:
        return None
    duration = int(written[1]) * _UNITS[written[2]]
    return duration if 0 < duration <= LONGEST else None
