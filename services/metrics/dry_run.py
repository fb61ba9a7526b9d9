"""A dry run: every customer, or a sample, derived by a definition that is not published. Nothing is written."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.exclusion import Exclusions
from shared.journeys.dry_run import Tally
from shared.journeys.touchpoint import Touchpoint
from shared.store import amendments, people, walking
from shared.store.engine import reading
from shared.store.walking import History, Sample, Walked

#: Customers and touchpoints that are read and derived at once.
CUSTOMERS, TOUCHPOINTS = 200, 5_000
#: A customer with more is skipped: so much is held in memory at once. No person does so much.
LONGEST = 100_000
#: Customers' numbers read at once while a sample is taken.
NUMBERS = 20_000

Progress = Callable[[int, int], Awaitable[None]]
"""Told how many customers have been looked at, of how many. It may raise to end the run."""


@dataclass
class Run:
    """What is known of a dry run beside its tally.

    Of `customers` in the project it was to look at `chosen`; `skipped` have histories too long to look at; `behind`
    are those among them who wait to be derived anew. Unless it is `whole`, its time was over before the end.
    """

    tally: Tally
    customers: int = 0
    chosen: int = 0
    skipped: int = 0
    behind: int = 0
    whole: bool = True
    names: dict[int, tuple[int, str]] = field(default_factory=dict)


async def dry_run(
    database: AsyncEngine,
    project: int,
    tally: Tally,
    sample: int | None = None,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> Run:
    """Walks over all customers, or a sample of this size, for that many seconds at most."""
    run, until = Run(tally), None if seconds is None else time.monotonic() + seconds
    async with reading(database) as db:
        run.customers = await walking.count(db, project)
    run.chosen = run.customers if sample is None else min(sample, run.customers)
    members = _all(database, project) if sample is None else _sampled(database, project, sample, until)
    done = 0
    async for batch in members:
        if _over(until):
            run.whole = False
            break
        await _look(database, project, run, batch)
        done += len(batch)
        if progress is not None:
            await progress(done, run.chosen)
    run.whole &= done > 0 or not run.chosen  # time may have been over before a sample was drawn
    shown = [one.customer for some in tally.shown.values() for one in some]
    async with reading(database) as db:
        run.names = await people.names(db, project, shown)
    return run


def _over(until: float | None) -> bool:
    return until is not None and time.monotonic() > until


async def _look(database: AsyncEngine, project: int, run: Run, batch: Sequence[Walked]) -> None:
    run.behind += sum(one.behind for one in batch)
    near = [one.customer for one in batch if one.touchpoints <= LONGEST]
    run.skipped += len(batch) - len(near)
    async with reading(database) as db:
        histories = await walking.histories(db, project, near)
        hidden = await amendments.exclusions(db, project)
    await asyncio.to_thread(_count, run.tally, histories, hidden)  # others are served meanwhile


def _count(tally: Tally, histories: dict[int, History], hidden: Exclusions) -> None:
    for customer, told in histories.items():
        touchpoints = [Touchpoint.of(record, recorded) for recorded, record in told if not hidden.hidden(record)]
        tally.add(customer, touchpoints)


async def _all(database: AsyncEngine, project: int) -> AsyncIterator[list[Walked]]:
    after = 0
    while True:
        async with reading(database) as db:
            found = await walking.following(db, project, after, CUSTOMERS)
        if not found:
            return
        for batch in batches(found):
            yield batch
        after = found[-1].customer


async def _sampled(database: AsyncEngine, project: int, size: int, until: float | None) -> AsyncIterator[list[Walked]]:
    sample, after = Sample(size), 0
    while not _over(until):
        async with reading(database) as db:
            found = await walking.following(db, project, after, NUMBERS)
        if not found:
            break
        sample.add(one.customer for one in found)
        after = found[-1].customer
    chosen = sample.customers()
    for start in range(0, len(chosen), CUSTOMERS):
        async with reading(database) as db:
            found = await walking.those(db, project, chosen[start : start + CUSTOMERS])
        for batch in batches(found):
            yield batch


def batches(members: Sequence[Walked]) -> list[list[Walked]]:
    """Members in groups of a bounded number of touchpoints; who alone has more is alone."""
    found: list[list[Walked]] = []
    held = TOUCHPOINTS + 1
    for one in members:
        size = one.touchpoints if one.touchpoints <= LONGEST else 0  # what is skipped is not read
        if held + size > TOUCHPOINTS:
            found.append([])
            held = 0
        found[-1].append(one)
        held += size
    return found
