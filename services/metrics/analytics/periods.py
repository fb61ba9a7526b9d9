"""Instants by local calendar periods, many at once."""

from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from services.metrics.analytics.columns import Ints
from shared.journeys.calendar import Period

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


def periods(period: Period, first: int, last: int, zone: ZoneInfo) -> Periods:
    """The periods from that of `first` to that of `last`, inclusive. Raises ValueError if there are more than MOST."""
    start, end = period.bounds(first, zone)
    starts = [start, end]
    while end <= last:
        end = period.bounds(end, zone)[1]
        starts.append(end)
        if len(starts) > MOST:
            raise ValueError(f"that is more than {MOST:,} periods: ask for a shorter time or longer periods")
    return Periods(np.array(starts, dtype=np.int64))
