"""Instants as texts have them (rule 45): a date, or RFC 3339."""

import re
from datetime import datetime

_WRITTEN = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|([-+])([01]\d|2[0-3]):([0-5]\d)))?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 — offsets are reckoned here, beyond the first and the last year, too


def parse(text: str) -> int | None:
    """Microseconds since the epoch of a date (its first one, in UTC) or an instant; None if the text is neither."""
    if len(text) < 10 or (written := _WRITTEN.fullmatch(text)) is None:
        return None
    day, time, fraction, sign, hours, minutes = written.groups()
    try:
        since = datetime.fromisoformat(f"{day}T{time or '00:00:00'}") - _EPOCH
    except ValueError:
        return None
    offset = 60 * int(hours) + int(minutes) if sign else 0
    seconds = 86_400 * since.days + since.seconds - 60 * (offset if sign == "+" else -offset)
    return 1_000_000 * seconds + int((fraction or "")[:6].ljust(6, "0"))
