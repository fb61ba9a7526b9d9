"""Who is active in each period: new, still there, back again; and on how many days (docs/definitions.md, 24)."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from services.metrics.analytics.columns import Ints, Mask
from services.metrics.analytics.members import changes, spread
from services.metrics.analytics.periods import Periods, labels
from shared.journeys.calendar import Period


@dataclass(frozen=True)
class Presence:
    """Who came in which period, each pair once, with on how many of its days; sorted by owner and period."""

    owner: Ints
    period: Ints
    days: Ints
    periods: Periods
    names: tuple[str, ...]
    lengths: Ints  #: how many days of each period have begun


@dataclass(frozen=True)
class Active:
    """A period and those who came in it: `new` never before, `kept` in the period before, too, `resurrected` before
    that, not in it. `days` is the mean number of days on which they came, `daily` the mean number who came on a day."""

    label: str
    start: int
    ended: bool
    active: int
    new: int
    kept: int
    resurrected: int
    days: float | None
    daily: float | None


def presence(owner: Ints, at: Ints, period: Period, zone: ZoneInfo, now: int) -> Presence:
    """Of acts, sorted by owner and time, all that there are up to `now`."""
    whole = spread(period, np.append(at, now), zone)
    daily = spread(Period("day", period.calendar), np.append(at, (now, whole.starts[0])), zone)
    of_day = whole.of(daily.starts[:-1])
    day = daily.of(at)
    kept = changes(owner, day)
    owner, number = owner[kept], of_day[day[kept]]
    begins = np.flatnonzero(changes(owner, number))
    days = np.diff(np.append(begins, len(owner)))
    lengths = np.bincount(of_day[daily.starts[:-1] <= now], minlength=len(whole))
    return Presence(owner[begins], number[begins], days, whole, labels(whole, period, zone), lengths)


def told(found: Presence, mine: Mask | None, since: int | None, until: int | None, now: int) -> list[Active]:
    """Each period of which a part lies between `since` and `until`, told whole; of some owners only, if `mine` says of
    each pair whether it is one of theirs."""
    keep = slice(None) if mine is None else np.flatnonzero(mine)
    owner, period, days = found.owner[keep], found.period[keep], found.days[keep]
    first = np.ones(len(owner), dtype=np.bool_)
    first[1:] = owner[1:] != owner[:-1]
    kept = np.zeros(len(owner), dtype=np.bool_)
    kept[1:] = ~first[1:] & (period[1:] == period[:-1] + 1)
    count = len(found.periods)
    active = np.bincount(period, minlength=count)
    new, again = np.bincount(period[first], minlength=count), np.bincount(period[kept], minlength=count)
    total = np.bincount(period, weights=days, minlength=count)
    starts = found.periods.starts
    return [
        Active(
            found.names[number],
            int(starts[number]),
            int(starts[number + 1]) <= now,
            int(active[number]),
            int(new[number]),
            int(again[number]),
            int(active[number] - new[number] - again[number]),
            float(total[number] / active[number]) if active[number] else None,
            float(total[number] / found.lengths[number]) if found.lengths[number] else None,
        )
        for number in range(count)
        if (since is None or starts[number + 1] > since) and (until is None or starts[number] <= until)
    ]
