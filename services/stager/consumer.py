"""The stager's loop: claim what is assigned, stage it batch by batch, fire timers, derive what is queued.

One process works on its partitions in turn, one transaction at a time; more processes share the partitions. Whatever
goes wrong, nothing half-made is kept: memory is forgotten, the position read again, the work repeated.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from zoneinfo import ZoneInfo

from services.stager.deriver import derive
from services.stager.filling import Filler, fill
from services.stager.garbage import Collector
from services.stager.hiding import walk
from services.stager.people import Cache, Person
from services.stager.retracting import carry_out
from services.stager.stage import stage
from services.stager.sweep import sweep
from services.stager.telemetry import Telemetry
from services.stager.work import Plans, Work
from shared.journeys.compile import compile_journey
from shared.journeys.definition import load
from shared.journeys.engine import Journey
from shared.journeys.setting import Setting
from shared.log.port import LogUnavailable, PositionLost, Reader
from shared.settings import Settings
from shared.store.amendments import EXCLUDING, exclusions_of
from shared.store.port import Conflict, Fenced, Session, StoreUnavailable
from shared.store.rows import RETRACTS, UNTOLD, Catalog, Claim
from shared.touch.told import Teller

logger = logging.getLogger(__name__)

#: Seconds between looks at the clock, the timers and the queue while there is nothing to read.
TICK = 1.0
#: Seconds before a partition is claimed again after it was lost or could not be worked on.
PAUSE = 0.5
#: Customers whose timers fire in one transaction, customers derived in one, and touchpoints after which that one ends.
SWEEP, DERIVE, DERIVE_TOUCHPOINTS = 500, 200, 5_000
#: Streams in which one transaction looks for what an exclusion meets.
WALK = 500
#: The same of a back-fill: fewer touchpoints, for a live record may have to wait until it ends.
FILL, FILL_TOUCHPOINTS = 200, 2_000


def plans_of(catalog: Catalog, merge_limit: int, compiled: dict[int, Journey], teller: Teller) -> Plans:
    """The plans of a catalog. `compiled` are the journeys known already, by version; new ones are added to it."""
    of: dict[int, list[tuple[int, Journey]]] = {}
    for row in catalog.journeys:
        if row.version not in compiled:
            setting = Setting(ZoneInfo(catalog.zones[row.project]), teller)
            compiled[row.version] = compile_journey(load(row.definition), setting)
        of.setdefault(row.project, []).append((row.version, compiled[row.version]))
    journeys = {project: tuple(pairs) for project, pairs in of.items()}
    projects = {row.project for row in catalog.amendments if row.kind in EXCLUDING}
    exclusions = {one: exclusions_of([row for row in catalog.amendments if row.project == one]) for one in projects}
    retractions = tuple(row for row in catalog.amendments if row.kind == RETRACTS)
    return Plans(catalog.generation, journeys, catalog.joined, merge_limit, exclusions, retractions)


class Stager:
    """Works for one member of the stager's group, through one session."""

    def __init__(
        self, session: Session, reader: Reader, settings: Settings, telemetry: Telemetry, teller: Teller, name: str
    ) -> None:
        self._session, self._reader, self._settings, self._telemetry, self._teller, self._name = (
            session,
            reader,
            settings,
            telemetry,
            teller,
            name,
        )
        self._cache = Cache(settings.cache_bytes)
        self._plans: Plans | None = None
        self._compiled: dict[int, Journey] = {}
        self.claims: dict[int, Claim] = {}
        self.stopped: dict[int, PositionLost] = {}
        self.clock = 0
        self._not_before: dict[int, float] = {}
        self._next_tick = 0.0
        self._filler, self._may_fill = Filler(settings.backfill_share), False
        self._ends: dict[int, int] = {}

    async def run(self, stop: asyncio.Event, garbage: Collector) -> None:
        """Works until told to stop; the transaction at hand is finished first."""
        while not stop.is_set():
            try:
                busy = await self.round()
                garbage.turn(busy)
                if not busy:
                    await self._reader.wait(TICK)
            except (StoreUnavailable, LogUnavailable) as error:
                logger.warning("waiting: %s", error, extra={"action": "unavailable"})
                self._telemetry.retries.labels("unavailable").inc()
                self._forget(self.claims)
                await asyncio.sleep(PAUSE)

    async def round(self) -> bool:
        """One turn over all partitions held; True if there was something to do."""
        await self._assign()
        busy = False
        for partition in sorted(self.claims):
            busy |= await self._read(partition)
        if not busy or time.monotonic() >= self._next_tick:
            busy |= await self._tick()
        return await self._fill(busy) or busy

    async def _assign(self) -> None:
        assigned = self._reader.assigned()
        gone = self.claims.keys() - assigned
        if gone:
            self._forget(gone)
        for partition in sorted(assigned - self.claims.keys()):
            if self._not_before.get(partition, 0.0) <= time.monotonic():
                self.claims[partition] = await self._session.claim(partition, self._name)
        self._telemetry.held.set(len(self.claims))
        self._telemetry.stopped.set(len(self.stopped))

    def _forget(self, partitions: Iterable[int]) -> None:
        for partition in list(partitions):
            self.claims.pop(partition, None)
            self._not_before[partition] = time.monotonic() + PAUSE
        self._cache.clear()
        self._plans = None
        self._may_fill = False

    async def _read(self, partition: int) -> bool:
        claim = self.claims[partition]
        try:
            chunk = await self._reader.read(partition, claim.position, self._settings.batch)
        except PositionLost as error:
            logger.error("%s; stopped", error, extra={"action": "position_lost", "partition": partition})
            self.stopped[partition] = error
            self._forget([partition])
            self._not_before[partition] = time.monotonic() + 20 * PAUSE
            return False
        self.stopped.pop(partition, None)
        if not chunk.values and chunk.next == claim.position:
            return False
        began = time.monotonic()
        newest = 0

        async def work_on(work: Work) -> tuple[int, int]:
            nonlocal newest
            newest = await stage(work, chunk.values, claim.position)
            # No clock is believed that runs ahead: timers of everybody would fire by it.
            return chunk.next, min(newest, time.time_ns() // 1000)

        if await self._work(partition, work_on):
            self._telemetry.staged(partition, len(chunk.values), newest, time.monotonic() - began)
        return True

    async def _work(self, partition: int, task: Callable[[Work], Awaitable[tuple[int, int]]]) -> bool:
        """Does a task in one transaction of the partition; the task returns the position and the clock to write.

        Repeats it after a conflict, the second time with the customers' rows locked. False if the partition was lost.
        """
        lock: set[tuple[int, int]] = set()
        conflicts = 0
        while True:
            plans, claim = await self._plan(), self.claims[partition]
            work = Work(self._session, self._cache, plans, claim, self._settings.rewind_limit)
            retraction = plans.retraction()
            try:
                if conflicts > 1:
                    await self._session.lock(sorted(lock))
                if retraction is None:
                    position, clock = await task(work)
                else:  # nothing is done while one waits: so nobody takes identifiers for whose they were before it
                    await carry_out(work, retraction)
                    position, clock = claim.position, claim.clock
                with self._telemetry.write_seconds.time():
                    self.claims[partition] = await work.write(position, clock)
                for refused in work.changes.rejections:
                    self._telemetry.unfollowed.labels(refused.code).inc()
            except Conflict:
                conflicts += 1
                lock |= {(person.project, person.customer) for person in work.people.values() if not person.new}
                self._telemetry.retries.labels("conflict").inc()
                self._cache.clear()
                self._plans = None
            except Fenced as error:
                self._fenced(error, partition)
                return False
            else:
                if retraction is None:
                    return True
                self._cache.clear()
                self._plans = None
            finally:
                await self._session.abandon()

    def _fenced(self, error: Fenced, *partitions: int) -> None:
        """Somebody else has claimed one of these partitions, or of all that are held."""
        logger.warning("taken over: %s", error, extra={"action": "fenced"})
        self._telemetry.retries.labels("fenced").inc()
        self._forget(partitions or self.claims)

    async def _plan(self) -> Plans:
        if self._plans is None:
            catalog = await self._session.catalog()
            plans = plans_of(catalog, self._settings.merge_limit, self._compiled, self._teller)
            self._plans = plans._replace(marking=self._settings.internal_link)
        return self._plans

    async def _tick(self) -> bool:
        """Looks at the clock, fires timers, derives; True if there is more of it to do."""
        self._next_tick = time.monotonic() + TICK
        self._may_fill = False
        if not self.claims:
            return False
        ends = await self._reader.ends(sorted(self.claims))
        current = [claim for claim in self.claims.values() if claim.position >= ends[claim.partition]]
        try:
            clock = self.clock = await self._session.clock(current, at_end=True)
        except Fenced as error:
            self._fenced(error)
            return False
        more = False
        for partition in sorted(self.claims):
            more |= await self._sweep(partition, clock)
            if partition in self.claims:
                more |= await self._derive(partition, clock)
        if not more:
            more = await self._amend()
        if more:
            self._next_tick = 0.0
        else:
            self._filler.learn(await self._session.fills(sorted(self.claims)))
            self._may_fill = True
        return more

    async def _sweep(self, partition: int, clock: int) -> bool:
        fired = 0

        async def fire_due(work: Work) -> tuple[int, int]:
            nonlocal fired
            fired = await sweep(work, clock - 1, SWEEP)
            return work.claim.position, work.claim.clock

        if not await self._session.due(partition, clock - 1, 1):
            return False
        await self._work(partition, fire_due)
        return fired == SWEEP

    async def _derive(self, partition: int, clock: int) -> bool:
        queued = await self._session.queue(partition, DERIVE)
        if not queued:
            return False

        async def derive_some(work: Work) -> tuple[int, int]:
            await derive(work, queued, clock, DERIVE_TOUCHPOINTS)
            return work.claim.position, work.claim.clock

        await self._work(partition, derive_some)
        return True

    async def _amend(self) -> bool:
        """Carries an amendment on by a step, once the queue is done with. Who holds partition 0 does so for all."""
        waiting = await self._session.amendments() if 0 in self.claims else []
        if not waiting:
            return False
        if any(row.place == UNTOLD for row in waiting):
            await self._session.announce()
            return True

        async def walk_some(work: Work) -> tuple[int, int]:
            told = [row for row in await self._session.amendments() if row.place != UNTOLD]
            if any(row.kind == RETRACTS for row in told):
                raise Conflict("a retraction was made meanwhile")
            for row in told[:1]:
                await walk(work, row, WALK)
            return work.claim.position, work.claim.clock

        await self._work(0, walk_some)
        return True

    async def _fill(self, busy: bool) -> bool:
        """Makes a step of a back-fill, once timers and queue are done with; True if it made one."""
        turn = self._filler.turn(busy) if self._may_fill else None
        if turn is None:
            return False
        began, after, people = time.monotonic(), turn, dict[int, Person]()

        async def fill_some(work: Work) -> tuple[int, int]:
            nonlocal after, people
            versions, people = self._filler.versions(turn.project), work.people
            after = await fill(work, turn, versions, self.clock, FILL, FILL_TOUCHPOINTS)
            return work.claim.position, work.claim.clock

        if turn.writer in self.claims and await self._work(turn.writer, fill_some):
            self._filler.done(turn, after, time.monotonic() - began)
        self._cache.drop(people)  # they come but once, and would drive out those who come often
        return True
