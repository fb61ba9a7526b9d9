"""What the store knows, as metrics: read at a scrape, in one short look, so that every replica shows the same."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from prometheus_client.metrics_core import Metric as Family
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.service import Service, stage_name
from services.metrics.signals import signals
from shared import telemetry
from shared.events import SECOND
from shared.journeys.engine import NONE
from shared.journeys.fit import unread_names
from shared.log.port import LogUnavailable
from shared.metric import Metric
from shared.store import dead_letters, naming, reads, vitals
from shared.store.engine import reading
from shared.store.port import StoreUnavailable
from shared.store.reads import Backlog, Position, Project
from shared.store.rows import CAUSES, FlowKey, JourneyRow
from shared.store.versions import answering, progress
from shared.store.vitals import unaccounted

#: Seconds that a look serves all who scrape, and that it may take; seconds that a look at what is slow serves.
FRESH, PATIENCE, SLOW_FRESH = 1.0, 8.0, 60.0

#: The metrics of what `signals` finds, in its order; and all that tell of moves.
SIGNALS = (telemetry.CONVERSIONS, telemetry.CHURN, telemetry.WIN_BACKS, telemetry.LEAKS)
MOVES = (telemetry.TRANSITIONS, telemetry.REVERSALS, *SIGNALS, telemetry.STAGE_DIFFERENCE)

_logger = logging.getLogger(__name__)

Samples = dict[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Look:
    """What was in the store at one moment."""

    clock: int
    stages: Samples
    answers: Samples
    filled: Samples
    moves: dict[str, Samples]  #: what moved, by the name of the metric that tells of it
    positions: list[Position]
    waiting: int  #: of the dead letters
    backlogs: dict[str, Backlog]
    dead: dict[int, int]  #: dead letters by partition
    unread: Samples  #: names that no rule of a journey reads
    size: int  #: of the database, in bytes


class Collector:
    """Looks at the store at most once in FRESH seconds, however many ask. `now` tells the time in microseconds."""

    def __init__(self, service: Service, now: Callable[[], int]) -> None:
        self._service, self._now = service, now
        self._lock = asyncio.Lock()
        self._until = self._slow_until = 0.0
        self._unread: Samples = {}
        self._size = 0
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
        return [telemetry.STORE_UP.family([((), 1)]), *self._told(look), *await self._log(look.positions)]

    async def _look(self, db: AsyncConnection) -> Look:
        projects = await reads.projects(db)
        rows = {project: await _folded(db, project.project) for project in projects}
        await self._slow(db, rows)
        return Look(
            clock=await reads.freshness(db),
            stages=await self._stages(db, rows),
            answers=_answers(rows),
            filled=await _filled(db, rows),
            moves=await self._moves(db, rows),
            positions=await reads.positions(db),
            dead=await vitals.dead_letters(db),
            waiting=await dead_letters.waiting(db),
            backlogs={project.name: await reads.backlog(db, project.project) for project in projects},
            unread=self._unread,
            size=self._size,
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

    async def _moves(self, db: AsyncConnection, rows: dict[Project, list[JourneyRow]]) -> dict[str, Samples]:
        """Each version's own, so that a new version lets no counter fall and moves nobody twice."""
        flows: dict[int, dict[FlowKey, int]] = defaultdict(dict)
        for key, n in (await reads.flows(db)).items():
            flows[key[1]][key] = n
        told: dict[str, Samples] = defaultdict(dict)
        for project, versions in rows.items():
            for row in versions:
                of, definition = (project.name, row.name, str(row.number)), self._service.definition(row)
                entered: dict[tuple[int, int, int], int] = {}
                stand: dict[tuple[int, int], int] = defaultdict(int)
                for (_, _, source, target, cause, sign), n in flows[row.version].items():
                    stand[source, target] += sign * n
                    if sign > 0:
                        entered[source, target, cause] = n
                    moved = (stage_name(definition, stage) or "absent" for stage in (source, target))
                    metric = telemetry.TRANSITIONS if sign > 0 else telemetry.REVERSALS
                    told[metric.name][*of, *moved, CAUSES[cause]] = n
                for metric, counts in zip(SIGNALS, signals(definition, entered), strict=True):
                    told[metric.name] |= {(*of, *key): n for key, n in counts.items()}
                differ = await vitals.difference(db, project.project, row.version, stand)
                told[telemetry.STAGE_DIFFERENCE.name][of] = differ
        return told

    async def _slow(self, db: AsyncConnection, rows: dict[Project, list[JourneyRow]]) -> None:
        """What is looked at once a minute: names, and the size of the database."""
        if time.monotonic() < self._slow_until:
            return
        unread: Samples = {}
        for project, versions in rows.items():
            met = await naming.met(db, project.project)
            for row in answering(versions):
                unread[project.name, row.name] = await asyncio.to_thread(
                    unread_names, self._service.definition(row), met
                )
        self._unread, self._size = unread, await vitals.size(db)
        self._slow_until = time.monotonic() + SLOW_FRESH

    def _told(self, look: Look) -> list[Family]:
        positions, backlogs = look.positions, look.backlogs.items()
        events = {
            "staged": sum(position.staged for position in positions),
            "duplicate": sum(position.duplicates for position in positions),
            "dead_letter": sum(look.dead.values()),
            "lost": sum(position.lost for position in positions),
        }
        most, now = self._service.settings.metric_series, self._now()
        wide: list[tuple[Metric, Samples]] = [(telemetry.STAGE_CUSTOMERS, look.stages)]
        wide += [(metric, look.moves[metric.name]) for metric in MOVES]
        return [
            *(metric.family(islice(samples.items(), most)) for metric, samples in wide),
            telemetry.LEFT_OUT.family([((), sum(max(0, len(samples) - most) for _, samples in wide))]),
            telemetry.JOURNEY_VERSION.family(look.answers.items()),
            telemetry.BACKFILL.family(look.filled.items()),
            telemetry.EVENTS.family(((result,), events[result]) for result in telemetry.EVENTS.stored),
            telemetry.FRESHNESS.family([((), _age(look.clock, now))]),
            telemetry.LOG_LAG_SECONDS.family(((str(one.partition),), _age(one.clock, now)) for one in positions),
            telemetry.UNACCOUNTED.family(((str(one.partition),), unaccounted(one, look.dead)) for one in positions),
            telemetry.STORE_BYTES.family([((), look.size)]),
            telemetry.UNREAD_NAMES.family(look.unread.items()),
            telemetry.DEAD_LETTERS.family([((), look.waiting)]),
            telemetry.QUARANTINED.family(((project,), backlog.quarantined) for project, backlog in backlogs),
            telemetry.DERIVER_QUEUE.family(((project,), backlog.queued) for project, backlog in backlogs),
            telemetry.EXCLUSIONS.family(((project,), backlog.exclusions) for project, backlog in backlogs),
            telemetry.AMENDING.family(((project,), backlog.amending) for project, backlog in backlogs),
            telemetry.TIMERS_DUE.family(((project,), backlog.due) for project, backlog in backlogs),
        ]

    async def _log(self, positions: list[Position]) -> list[Family]:
        """How far the log's ends are ahead, and how much it keeps; nothing while the log does not say."""
        log, spans = self._service.log, list[tuple[Position, int, int]]()
        try:
            async with asyncio.timeout(PATIENCE):
                if log is not None:
                    for one in positions:
                        spans.append((one, await log.start(one.partition), await log.end(one.partition)))
        except (LogUnavailable, TimeoutError) as error:
            _logger.warning("the log did not answer a scrape: %s", error or "it took too long")
            spans = []
        return [
            telemetry.LOG_LAG.family(((str(one.partition),), max(0, end - one.position)) for one, _, end in spans),
            telemetry.LOG_RECORDS.family(((str(one.partition),), end - start) for one, start, end in spans),
        ]


def _age(instant: int, now: int) -> float:
    """Seconds since an instant in microseconds; infinite since 0, which has never been."""
    return max(0.0, (now - instant) / SECOND) if instant else float("inf")


async def _folded(db: AsyncConnection, project: int) -> list[JourneyRow]:
    """The versions that are kept up to date, the newest first: if series are left out, they are the oldest ones'."""
    return [row for row in reversed(await reads.journeys(db, project)) if row.retired_at is None]


def _answers(rows: dict[Project, list[JourneyRow]]) -> Samples:
    """1 of each version that answers, 0 of the others that are folded."""
    return {
        (project.name, row.name, str(row.number)): float(row in answering(versions))
        for project, versions in rows.items()
        for row in versions
    }


async def _filled(db: AsyncConnection, rows: dict[Project, list[JourneyRow]]) -> Samples:
    """How far the back-fill of each version that is folded has come."""
    samples: Samples = {}
    for project, versions in rows.items():
        done = await progress(db, project.project)
        for row in versions:
            share = done[row.version].share if row.version in done else 1.0
            samples[project.name, row.name, str(row.number)] = share
    return samples
