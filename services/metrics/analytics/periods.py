"""Instants by local calendar periods, many at once."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from services.metrics.analytics.columns import Ints
from shared.events import SECOND
from shared.journeys.calendar import Period, civil

_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH = date(1970, 1, 1).toordinal()

#: Periods that one question may spread over.
MOST = 40_000


class Periods(NamedTuple):
    """Consecutive periods: `starts[i]` to just before `starts[i + 1]`; one start more than there are periods."""

    starts: Ints

    def __len__(self) -> int:
        return max(0, len(self.starts) - 1)

    def of(self, at: Ints) -> Ints:
        """The number of the period that each instant lies in; −1 before the first, `len` after the last."""
        return np.searchsorted(self.starts, at, side="right") - 1


def periods(period: Period, first: int, last: int, zone: ZoneInfo, most: int = MOST) -> Periods:
    """The periods from that of `first` to that of `last`, inclusive. Raises ValueError if they are more than `most`."""
    start, end = period.bounds(first, zone)
    starts = [start, end]
    while end <= last:
        end = period.bounds(end, zone)[1]
        starts.append(end)
        if len(starts) > most + 1:
            raise ValueError(f"that is more than {most:,} periods: ask for a shorter time or longer periods")
    return Periods(np.array(starts, dtype=np.int64))


def labels(spread: Periods, period: Period, zone: ZoneInfo) -> tuple[str, ...]:
    """What each period is called: a month 2026-03 or 1405-01, a day or a week by its first day in that calendar."""
    return tuple(_label(start, period, zone) for start in spread.starts[:-1].tolist())


def _label(start: int, period: Period, zone: ZoneInfo) -> str:
    local = (_1970 + timedelta(seconds=start // SECOND)).astimezone(zone)
    year, month, day = civil(local.toordinal() - _EPOCH, period.calendar.months)
    return f"{year:04}-{month:02}" if period.unit == "month" else f"{year:04}-{month:02}-{day:02}"
