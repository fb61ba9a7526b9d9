"""Instants and durations: whole microseconds, and the corrected time of rule 2."""

import re

SECOND = 1_000_000
UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND, "w": 7 * 86_400 * SECOND}
DAY = UNITS["d"]


def microseconds(duration: str) -> int:
    """The length of a duration such as `90s`, `15m`, `12h`, `30d` or `4w`; anything else is a ValueError."""
    written = re.fullmatch(r"([0-9]+)([smhdw])", duration)
    if written is None:
        raise ValueError(f"{duration!r} is not a duration")
    return int(written[1]) * UNITS[written[2]]


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
