"""The analytical copy: a project's touchpoints and ledger as sorted columns, made from the store and thrown away.

The store is the truth. A snapshot is read in one transaction, so it is of one moment, and says of which; whatever has
come late, was joined, taken apart or excluded until then is in it as it is known then.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from math import inf
from typing import NamedTuple

import numpy as np
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.analytics.columns import Columns
from services.metrics.analytics.feed import Entries, Gathered
from services.metrics.analytics.kernels.stays import Moves
from shared.events import SECOND
from shared.store import amendments, reads, scan
from shared.store.engine import reading
from shared.store.rows import EXCLUDES, Amendment
from shared.touch.told import Teller

#: A snapshot is fresh for so many seconds, or for so many times as long as it took to make, whichever is longer.
SERVES, TIMES = 5.0, 10


@dataclass(frozen=True)
class Snapshot:
    """A project at one moment.

    `touchpoints` are those that count, with the codes of `feed.DIMENSIONS`; `moves` the ledger's, by journey version,
    their owners as in `touchpoints`. Everything received before `freshness` (µs) is in it. `excluded` touchpoints are
    left out. `mark` differs from that of any other content.
    """

    touchpoints: Columns
    moves: Mapping[int, Moves]
    freshness: int
    excluded: int
    mark: str

    @property
    def acting(self) -> int:
        """Customers who have touchpoints that count."""
        owner = self.touchpoints.owner
        return int(np.count_nonzero(np.diff(owner))) + bool(len(owner))


class _Made(NamedTuple):
    """A snapshot, when it was made (by the monotonic clock) and how many seconds that took."""

    snapshot: Snapshot
    when: float
    took: float


class _Kept(NamedTuple):
    """What has been read, how far, and by which exclusions: the next snapshot goes on from here."""

    read: scan.Read | None
    ruled: list[Amendment]
    gathered: Gathered
    entries: Entries


class Copy:
    """Snapshots of all projects, made when somebody asks."""

    def __init__(self, database: AsyncEngine, teller: Teller) -> None:
        self._database, self._teller = database, teller
        self._made: dict[int, _Made] = {}
        self._making: dict[int, asyncio.Task[Snapshot]] = {}
        self._kept: dict[int, _Kept] = {}

    async def asked(self, project: int) -> Snapshot:
        """The newest snapshot. One that is no longer fresh still answers once more, while a new one is made.

        Raises StoreUnavailable.
        """
        made = self._made.get(project)
        age = inf if made is None else time.monotonic() - made.when
        serves = 0.0 if made is None else max(SERVES, TIMES * made.took)
        if age > serves and project not in self._making:
            task = asyncio.create_task(self._make(project), name=f"the analytical copy of project {project}")
            self._making[project] = task
            task.add_done_callback(lambda _: self._making.pop(project, None))
        if made is None or age > 2 * serves:
            return await asyncio.shield(self._making[project])
        return made.snapshot

    async def close(self) -> None:
        """Ends what is being made."""
        making = list(self._making.values())
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)

    async def _make(self, project: int) -> Snapshot:
        began = time.monotonic()
        async with reading(self._database) as db:
            now, freshness = await scan.now(db), await reads.freshness(db)
            ruled = await amendments.listed(db, project, EXCLUDES)
            kept = self._kept.pop(project, None)
            if kept is None or kept.ruled != ruled:  # what is excluded is told when a touchpoint is read
                exclusions = amendments.exclusions_of(ruled)
                kept = _Kept(None, ruled, Gathered(self._teller, exclusions), Entries())
            owners = await scan.owners(db, project)
            async for rows in scan.touchpoints(db, project, kept.read, now):
                await asyncio.to_thread(kept.gathered.add, rows)
            async for moves in scan.ledger(db, project, kept.read, now):
                await asyncio.to_thread(kept.entries.add, moves)
        self._kept[project] = kept._replace(read=now)
        touchpoints = await asyncio.to_thread(kept.gathered.columns, owners, kept.entries.customers())
        until = min(time.time_ns() // 1000, freshness + SECOND)
        made = await asyncio.to_thread(kept.entries.moves, touchpoints.customers, until)
        mark = blake2b(repr((now, freshness, ruled, until)).encode(), digest_size=12).hexdigest()
        snapshot = Snapshot(touchpoints, made, freshness, kept.gathered.excluded, mark)
        self._made[project] = _Made(snapshot, time.monotonic(), time.monotonic() - began)
        return snapshot
