"""Durations as a definition writes them, `90s` to `4w`, and as a sentence reads them."""

import re

from shared.events import DAY, SECOND

_UNITS = {
    "s": ("second", SECOND),
    "m": ("minute", 60 * SECOND),
    "h": ("hour", 3600 * SECOND),
    "d": ("day", DAY),
    "w": ("week", 7 * DAY),
}
_WRITTEN = re.compile(r"([0-9]{1,12})([smhdw])", re.ASCII)

#: A hundred years: sums of an instant and a duration stay far inside 64 bits.
LONGEST = 36_525 * DAY


def parse(text: str) -> int | None:
    """Microseconds of a duration such as `30d`; None if it is not one, is zero or is longer than a hundred years."""
    if (written := _WRITTEN.fullmatch(text)) is None:
        return None
    duration = int(written[1]) * _UNITS[written[2]][1]
    return duration if 0 < duration <= LONGEST else None


def spell(duration: int) -> str:
    """`30 days`, `1 hour 30 minutes`: microseconds in their two largest units, what is smaller left out."""
    parts = []
    for letter in "dhms":
        word, size = _UNITS[letter]
        number, duration = divmod(duration, size)
        if number:
            parts.append(f"{number:,} {word}{'' if number == 1 else 's'}")
    return " ".join(parts[:2]) or "less than a second"
