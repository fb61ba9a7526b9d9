"""Whether every event and every customer is accounted for, counted from rows: for `milepost check`."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.service import stage_name
from services.stager.people import unpack_tracks
from shared.journeys.definition import load
from shared.journeys.engine import ABSENT
from shared.log.port import Log
from shared.store import reads, recount
from shared.store.recount import StageKey
from shared.store.rows import JourneyRow


class Partition(NamedTuple):
    """What became of a partition's records; `pending` are those that are not staged yet."""

    partition: int
    end: int
    staged: int
    duplicates: int
    dead_letters: int
    lost: int
    pending: int

    @property
    def difference(self) -> int:
        """Records that nobody can account for; 0 if all is well."""
        return self.end - self.staged - self.duplicates - self.dead_letters - self.lost - self.pending


class Stage(NamedTuple):
    """A stage's customers: by ledger entries, by the roll-ups of each level, by the customers' own states.

    `version` is the definition's number, counted from 1 in each journey. `states` is None of a version that is retired:
    customers lose theirs when they are next written.
    """

    journey: str
    version: int
    stage: str
    ledger: int
    total: int
    by_day: int
    by_hour: int
    states: int | None


@dataclass
class Report:
    """What was counted. `walked` are the records that were looked for one by one, None: that was not asked for, and
    `excluded` those of the stored touchpoints that count for nothing (semantics 44, 57).
    `spooled` wait on this machine's disk and are not on the log yet. `faults` says in words what does not come out
    even; none: it holds.
    """

    partitions: list[Partition] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    touchpoints: int = 0
    customers: int = 0
    queued: int = 0
    quarantined: int = 0
    walked: int | None = None
    excluded: int = 0
    spooled: int = 0
    faults: list[str] = field(default_factory=list)


async def count(db: AsyncConnection, log: Log) -> Report:
    """Counts the store's rows as of one moment, against the log as it is a moment later."""
    report = Report()
    await _partitions(db, log, report)
    report.touchpoints = sum((await recount.touchpoints(db)).values())
    report.customers = sum((await recount.customers(db)).values())
    staged = sum(one.staged for one in report.partitions)
    if report.touchpoints != staged:
        report.faults.append(f"{report.touchpoints:,} touchpoints are stored, {staged:,} were counted as staged")
    journeys = await _journeys(db, report)
    if await recount.flows(db) != await reads.flows(db):
        report.faults.append("the counts of moves differ from the ledger's entries")
    for project, version, customer in await recount.misplaced(db):
        row = journeys[version]
        report.faults.append(
            f"customer {customer} of project {project} stands twice, or is gone, in {row.name} version {row.number}"
        )
    return report


async def _partitions(db: AsyncConnection, log: Log, report: Report) -> None:
    dead = await recount.dead_letters(db)
    positions = await reads.positions(db)
    for row in positions:
        end = await log.end(row.partition) if row.partition < log.partitions else 0
        counts = (row.staged, row.duplicates, dead.get(row.partition, 0), row.lost)
        one = Partition(row.partition, end, *counts, pending=max(0, end - row.position))
        report.partitions.append(one)
        if one.difference:
            where = "are not in the store" if one.difference > 0 else "are in the store and were never on this log"
            report.faults.append(f"partition {one.partition}: {abs(one.difference):,} records {where}")
    if len(positions) < log.partitions:
        report.faults.append(
            f"the log has {log.partitions} partitions, the store knows {len(positions)}: run `milepost setup`"
        )


async def _journeys(db: AsyncConnection, report: Report) -> dict[int, JourneyRow]:
    populations = await recount.populations(db)
    states = await _states(db)
    journeys: dict[int, JourneyRow] = {}
    for project in await reads.projects(db):
        journeys |= {row.version: row for row in await reads.journeys(db, project.project)}
        backlog = await reads.backlog(db, project.project)
        report.queued += backlog.queued
        report.quarantined += backlog.quarantined
    definitions = {version: load(row.definition) for version, row in journeys.items()}
    for key in sorted(populations.keys() | states.keys()):
        row, stage = journeys[key[1]], stage_name(definitions[key[1]], key[2]) or ""
        held = states[key] if row.retired_at is None else None
        counted = Stage(row.name, row.number, stage, *populations.get(key, recount.Population()), held)
        report.stages.append(counted)
        ways = {counted.ledger, counted.total, counted.by_day, counted.by_hour, counted.states}
        if len(ways - {None}) > 1:
            report.faults.append(f"{row.name} version {row.number}: stage {stage} is counted differently")
    return journeys


async def _states(db: AsyncConnection) -> Counter[StageKey]:
    """Customers by where their own states say that they stand; where one has none, as the ledger has left it."""
    found, without = Counter[StageKey](), await recount.stateless(db)
    async for project, customer, packed in recount.states(db):
        for version, track in unpack_tracks(packed).items():
            without.pop((project, customer, version), None)
            stage = track.written[-1].target if track.written else track.state.stage
            if stage != ABSENT:
                found[project, version, stage] += 1
    for (project, _, version), stages in without.items():
        for stage, n in stages.items():
            found[project, version, stage] += n
    return found
