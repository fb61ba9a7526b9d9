"""What the store knows, as metrics: read at a scrape, in one short look, so that every replica shows the same."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric as Family
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.service import Service, stage_name
from shared import telemetry
from shared.events import SECOND
from shared.journeys.engine import NONE
from shared.journeys.fit import unread_names
from shared.log.port import LogUnavailable
from shared.store import dead_letters, naming, reads
from shared.store.engine import reading
from shared.store.port import StoreUnavailable
from shared.store.reads import Backlog, Position, Project
from shared.store.rows import CAUSES, JourneyRow
from shared.store.versions import answering, progress

#: Seconds that a look serves all who scrape, and seconds that it may take; seconds that a look at names serves.
FRESH, PATIENCE, NAMES_FRESH = 1.0, 8.0, 60.0

_logger = logging.getLogger(__name__)

Samples = dict[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Look:
    """What was in the store at one moment."""

    clock: int
    stages: Samples
    answers: Samples
    filled: Samples
    flows: tuple[Samples, Samples]  #: entered and reversed
    positions: list[Position]
    dead_letters: int
    waiting: int  #: of the dead letters
    backlogs: dict[str, Backlog]
    unread: Samples  #: names that no rule of a journey reads


class Collector:
    """Looks at the store at most once in FRESH seconds, however many ask. `now` tells the time in microseconds."""

    def __init__(self, service: Service, now: Callable[[], int]) -> None:
        self._service, self._now = service, now
        self._lock = asyncio.Lock()
        self._until = self._names_until = 0.0
        self._unread: Samples = {}
        self._families: list[Family] = []

    async def families(self) -> list[Family]:
        """The metrics that the store knows. If it does not answer, only that: old numbers are never shown."""
        async with self._lock:
            if time.monotonic() >= self._until:
                self._families = await self._collect()
                self._until = time.monotonic() + FRESH
            return self._families

    async def _collect(self) -> list[Family]:
        try:
            async with asyncio.timeout(PATIENCE):
                async with reading(self._service.database) as db:
                    look = await self._look(db)
        except (StoreUnavailable, TimeoutError) as error:
            _logger.warning("the store did not answer a scrape: %s", error or "it took too long")
            return [telemetry.STORE_UP.family([((), 0)])]
        return [telemetry.STORE_UP.family([((), 1)]), *self._told(look), await self._lag(look.positions)]

    async def _look(self, db: AsyncConnection) -> Look:
        projects = await reads.projects(db)
        rows = {project: await reads.journeys(db, project.project) for project in projects}
        return Look(
            clock=await reads.freshness(db),
            stages=await self._stages(db, rows),
            answers=_answers(rows),
            filled=await _filled(db, rows),
            flows=await self._flows(db, rows),
            positions=await reads.positions(db),
            dead_letters=await reads.dead_letter_count(db),
            waiting=await dead_letters.waiting(db),
            backlogs={project.name: await reads.backlog(db, project.project) for project in projects},
            unread=await self._unread_names(db, rows),
        )

    async def _stages(self, db: AsyncConnection, rows: dict[Project, list[JourneyRow]]) -> Samples:
        samples: Samples = {}
        for project, versions in rows.items():
            for row in answering(versions):
                population = await reads.population(db, project.project, row.version)
                definition = self._service.definition(row)
                for number in (*range(len(definition.stages)), NONE):
                    stage = stage_name(definition, number) or ""
                    samples[project.name, row.name, stage] = population.get(number, 0)
        return samples

    async def _flows(self, db: AsyncConnection, rows: dict[Project, list[JourneyRow]]) -> tuple[Samples, Samples]:
        """Each version's own, so that a new version lets no counter fall and moves nobody twice."""
        known = {row.version: (project, row) for project, versions in rows.items() for row in versions}
        entered: Samples = defaultdict(float)
        taken_back: Samples = defaultdict(float)
        for (_, version, source, target, cause, sign), n in (await reads.flows(db)).items():
            project, row = known[version]
            definition = self._service.definition(row)
            moved = (stage_name(definition, stage) or "absent" for stage in (source, target))
            key = (project.name, row.name, str(row.number), *moved, CAUSES[cause])
            (entered if sign > 0 else taken_back)[key] += n
        return entered, taken_back

    async def _unread_names(self, db: AsyncConnection, rows: dict[Project, list[JourneyRow]]) -> Samples:
        if time.monotonic() >= self._names_until:
            self._unread = {}
            for project, versions in rows.items():
                met = await naming.met(db, project.project)
                for row in answering(versions):
                    definition = self._service.definition(row)
                    unread = await asyncio.to_thread(unread_names, definition, met)
                    self._unread[project.name, row.name] = unread
            self._names_until = time.monotonic() + NAMES_FRESH
        return self._unread

    def _told(self, look: Look) -> list[Family]:
        entered, taken_back = look.flows
        positions, backlogs = look.positions, look.backlogs.items()
        events = {
            "staged": sum(position.staged for position in positions),
            "duplicate": sum(position.duplicates for position in positions),
            "dead_letter": look.dead_letters,
            "lost": sum(position.lost for position in positions),
        }
        age = (self._now() - look.clock) / SECOND if look.clock else float("inf")
        return [
            telemetry.STAGE_CUSTOMERS.family(look.stages.items()),
            telemetry.JOURNEY_VERSION.family(look.answers.items()),
            telemetry.BACKFILL.family(look.filled.items()),
            telemetry.TRANSITIONS.family(entered.items()),
            telemetry.REVERSALS.family(taken_back.items()),
            telemetry.EVENTS.family(((result,), events[result]) for result in telemetry.EVENTS.stored),
            telemetry.FRESHNESS.family([((), max(0.0, age))]),
            telemetry.UNREAD_NAMES.family(look.unread.items()),
            telemetry.DEAD_LETTERS.family([((), look.waiting)]),
            telemetry.QUARANTINED.family(((project,), backlog.quarantined) for project, backlog in backlogs),
            telemetry.DERIVER_QUEUE.family(((project,), backlog.queued) for project, backlog in backlogs),
            telemetry.EXCLUSIONS.family(((project,), backlog.exclusions) for project, backlog in backlogs),
            telemetry.AMENDING.family(((project,), backlog.amending) for project, backlog in backlogs),
            telemetry.TIMERS_DUE.family(((project,), backlog.due) for project, backlog in backlogs),
        ]

    async def _lag(self, positions: list[Position]) -> Family:
        """How far the log's ends are ahead; nothing while the log does not say."""
        log = self._service.log
        if log is None:
            return telemetry.LOG_LAG.family([])
        try:
            async with asyncio.timeout(PATIENCE):
                ends = [await log.end(position.partition) for position in positions]
        except (LogUnavailable, TimeoutError) as error:
            _logger.warning("the log did not answer a scrape: %s", error or "it took too long")
            ends = []
        return telemetry.LOG_LAG.family(
            ((str(position.partition),), max(0, end - position.position))
            for position, end in zip(positions, ends, strict=False)
        )


def _answers(rows: dict[Project, list[JourneyRow]]) -> Samples:
    """1 of each version that answers, 0 of the others that are folded."""
    return {
        (project.name, row.name, str(row.number)): float(row in answering(versions))
        for project, versions in rows.items()
        for row in versions
        if row.retired_at is None
    }


async def _filled(db: AsyncConnection, rows: dict[Project, list[JourneyRow]]) -> Samples:
    """How far the back-fill of each version that is folded has come."""
    samples: Samples = {}
    for project, versions in rows.items():
        done = await progress(db, project.project)
        for row in versions:
            if row.retired_at is None:
                share = done[row.version].share if row.version in done else 1.0
                samples[project.name, row.name, str(row.number)] = share
    return samples
