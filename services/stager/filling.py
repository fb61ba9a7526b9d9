"""Back-fills: a version's customers from before its publication are derived by it, one after another in order of
their numbers, beside live traffic.

Whoever is born later has the version from the start, and whoever was derived is folded by every batch, so one walk is
enough. How far it has come is written with what it derived, by the owner of the customers' home partition.
"""

import time
from collections.abc import Collection, Sequence

from services.stager.deriver import derive_missing
from services.stager.people import Person
from services.stager.work import Work
from shared.store.rows import BACKFILL, CURRENT, Fill


class Filler:
    """What is left to fill on the partitions held, and when: at most for a `share` of the time while there is more to
    do than that."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._fills: Sequence[Fill] = ()
        self._not_before = 0.0

    def learn(self, fills: Sequence[Fill]) -> None:
        """What is left, the first to be done first."""
        self._fills = fills

    def turn(self, busy: bool) -> Fill | None:
        """What to go on with now, if anything."""
        if not self._fills or (busy and time.monotonic() < self._not_before):
            return None
        return self._fills[0]

    def versions(self, project: int) -> set[int]:
        """All versions of the project that are being filled: who is derived is derived by all of them at once."""
        return {fill.version for fill in self._fills if fill.project == project}

    def done(self, before: Fill, after: Fill, seconds: float) -> None:
        """A step was made, in this time."""
        rest = () if after.finished is not None else (after,)
        self._fills = (*rest, *(fill for fill in self._fills if fill is not before))
        self._not_before = time.monotonic() + seconds * (1 / self._share - 1)


async def fill(work: Work, begun: Fill, versions: Collection[int], clock: int, customers: int, limit: int) -> Fill:
    """One step of a back-fill: at most so many customers, and touchpoints of theirs, but at least one customer.

    Timers due before `clock` are written. A customer who is behind is left to the deriver's queue, which derives it by
    every version. Of a version that was retired meanwhile nothing is left to do.
    """
    folded = work.plans.versions(begun.project)
    if begun.version not in folded:
        return begun._replace(finished=_now())
    found = await work.session.to_fill(begun.project, begun.next, begun.until, customers)
    await work.load_people((begun.project, customer) for customer in found)
    missing, touchpoints, place = dict[int, Person](), 0, begun.until if len(found) < customers else found[-1] + 1
    for customer in found:
        person = work.people[customer]
        if person.status != CURRENT or not folded.intersection(versions) - person.tracks.keys():
            continue
        touchpoints += person.count
        if missing and touchpoints > limit:
            place = customer
            break
        missing[customer] = person
    await derive_missing(work, missing, dict.fromkeys(missing, BACKFILL), clock, versions)
    finished = _now() if place >= begun.until else None
    after = begun._replace(next=place, filled=begun.filled + len(missing), finished=finished)
    work.changes.fills.append(after)
    return after


def _now() -> int:
    return time.time_ns() // 1000
