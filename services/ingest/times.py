"""A sender's clock and ours: instants as text, and what time an event gets (docs/semantics.md, rule 2)."""

from datetime import UTC, datetime

from services.ingest.refusals import Refused
from shared.events import DAY, SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The first and last instants that have a date: years 1 to 9999.
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999


def instant(text: str, field: str) -> int:
    """Microseconds of an ISO 8601 text; without an offset it is UTC. Raises Refused."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        since = moment - _EPOCH
        return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds
    except (ValueError, OverflowError):
        raise Refused(
            "invalid_timestamp", field, f"{field} must be an ISO 8601 time such as 2026-03-31T12:00:00.000Z."
        ) from None


def corrected(said: int, sent: int | None, received: int) -> tuple[int, bool]:
    """The time of an event that its sender says happened at `said`, and whether it was clamped.

    The sender's clock is put right by when it says it sent. The future ends a day from now. Raises Refused.
    """
    at = said if sent is None else received - (sent - said)
    if at > received + DAY:
        return received + DAY, True
    if not FIRST <= at <= LAST:
        raise Refused(
            "invalid_timestamp",
            "timestamp",
            "timestamp and sentAt are so far apart that no date is left: send real ones.",
        )
    return at, False
