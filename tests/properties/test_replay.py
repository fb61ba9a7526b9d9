"""A log replayed into an empty store gives the same ledger (docs/architecture.md tells what that means)."""

import asyncio
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.events import SECOND
from shared.log.port import partition_of
from shared.store.rows import LATE, LIVE, MANUAL, MERGE, TIMER
from tests.support.crowd import PEOPLE, touchpoint
from tests.support.ledgers import Books
from tests.support.postgres import Postgres
from tests.support.small import HOUR, START
from tests.support.staging import PARTITIONS, Staging, record_of
from tests.support.worlds import KINDS, ask, books_of, world

EVENTS = 400

#: All that the ledger holds but `seq`, in the order in which each customer's entries were written.
LEDGER = (
    "SELECT project, customer, version, at, source, target, cause, recorded, sign, writer"
    " FROM ledger ORDER BY project, customer, writer, seq"
)
#: What is summed up from it, and whose it is.
SUMS = (
    "SELECT * FROM populations WHERE customers <> 0 ORDER BY project, version, level, at, recorded, stage, writer",
    "SELECT * FROM flows ORDER BY project, version, source, target, cause, sign, writer",
    "SELECT project, kind, value, stream, customer FROM identifiers ORDER BY stream",
    "SELECT project, customer, count, at, id, recorded, status FROM customers ORDER BY customer",
)


def arriving(rng: random.Random, named: Callable[[str, int], str]) -> list[dict[str, Any]]:
    """A crowd's touchpoints as they arrive: some late by hours or days, some placements. `named` may rename the ids."""
    events = list[dict[str, Any]]()
    for number in range(EVENTS):
        village, received = rng.randrange(PARTITIONS), START + number * 180 * SECOND
        late = rng.randrange(1, 80) * HOUR if rng.random() < 0.05 else rng.randrange(3) * SECOND
        one = touchpoint(rng, number) | {"t": received - late, "recorded": received}
        if rng.random() < 0.03:
            one |= {"type": "placement", "name": None, "anonymous": None, "previous": None, "traits": {}}
            one |= {"user": f"user-{rng.randrange(PEOPLE)}", "journey": "small"}
            one |= {"stage": rng.choice(["seen", "fan", "none"])}
        ids = ("user", "anonymous", "previous")
        events.append(one | {key: named(one[key], village) for key in ids if one[key] is not None})
    return events


def at_home(name: str, village: int) -> str:
    """A name like this one that lies in the village's partition."""
    return next(f"{name}-{n}" for n in range(1000) if partition_of(f"{name}-{n}".encode(), PARTITIONS) == village)


def anywhere(name: str, _: int) -> str:
    """The name as it is."""
    return name


async def live(world: Staging, events: list[dict[str, Any]]) -> int:
    """Two stagers take turns, each with other cuts, while records come in; timers fire between them."""
    rng = random.Random(len(events))
    stagers = [await world.stager(batch=7, cache_bytes=20_000), await world.stager(batch=40)]
    done = clock = 0
    while done < len(events):
        some = rng.randrange(1, 80)
        await world.append([record_of(one) for one in events[done : done + some]])
        done += some
        clock = await rng.choice(stagers).catch_up()
    return clock


async def replay(world: Staging) -> int:
    """One stager reads the whole log at once."""
    return await (await world.stager()).catch_up()


async def both(
    kind: str, folder: Path, postgres: Postgres, events: list[dict[str, Any]], read: Callable[..., Any]
) -> list[Any]:
    """What `read(kind, folder, database, clock)` finds after the live run, and after its log was replayed."""
    found = list[Any]()
    for name in ("live", "replayed"):
        here = folder / f"{kind}-{name}"
        here.mkdir()
        database = postgres.create_database() if kind == "postgres" else ""
        if name == "replayed":
            shutil.copy(folder / f"{kind}-live" / "log.db", here)
        async with world(kind, here, database) as made:
            clock = await (live(made, events) if name == "live" else replay(made))
            found.append(await read(kind, here, database, clock))
        if database:
            postgres.drop_database(database)
    return found


def test_the_same_ledger(tmp_path: Path, postgres: Postgres) -> None:
    """Where a customer's identifiers lie in one partition, everything but `seq` is the same, on both databases.

    Whatever the cuts, the hand-overs and the moments at which timers fired: late events, merges, shared devices and
    placements have the same recorded times and causes, in the same order.
    """
    events = arriving(random.Random(1), at_home)

    async def read(kind: str, folder: Path, database: str, clock: int) -> list[Any]:
        return [clock, *[await ask(kind, folder, database, sql) for sql in (LEDGER, *SUMS)]]

    async def run() -> list[Any]:
        return [one for kind in KINDS for one in await both(kind, tmp_path, postgres, events, read)]

    first, *others = asyncio.run(run())
    assert {row[6] for row in first[1]} == {LIVE, TIMER, LATE, MERGE, MANUAL}, "the load has not every cause"
    for other in others:
        assert other == first


@pytest.mark.parametrize(("kind", "seed"), [("sqlite", 1), ("sqlite", 2), ("postgres", 3)])
def test_the_same_moves(kind: str, seed: int, tmp_path: Path, postgres: Postgres) -> None:
    """Where customers lie in several partitions, which are read in another order, the same moves stand in the end."""
    events = arriving(random.Random(seed), anywhere)

    async def run() -> list[Books]:
        return await both(kind, tmp_path, postgres, events, books_of)

    before, after = asyncio.run(run())
    assert after == before
