"""The store's clock and the timers behind it: nobody's are fired early, twice or not at all."""

import sqlite3
import time
from pathlib import Path

import pytest

from shared.events import DAY, SECOND, Record
from shared.log.port import partition_of
from shared.store.rows import LATE, LIVE, TIMER
from shared.store.schema import setup
from tests.support.ledgers import sqlite_books
from tests.support.processes import eventually
from tests.support.small import HOUR, JOURNEY, START
from tests.support.staging import PARTITIONS, staging


def page(number: int, at: int, user: str = "ann", received: int | None = None) -> Record:
    """A page view, received when it happened unless told."""
    return Record(project=1, id=f"page-{number}", type="page", at=at, received=received or at, user=user)


def everywhere(at: int) -> list[Record]:
    """A page view of somebody in each partition, in order of partition."""
    people = {partition_of(f"user-{number}".encode(), PARTITIONS): f"user-{number}" for number in range(50)}
    return [page(100 + partition, at, people[partition]) for partition in range(PARTITIONS)]


async def test_an_idle_partition_that_was_claimed_meanwhile(tmp_path: Path) -> None:
    """Who gets a partition back before noticing that it was another's claims it again, though nothing arrives in it."""
    async with staging(tmp_path, [JOURNEY]) as world:
        first, second = await world.stager(), await world.stager()
        await first.settle()
        await second.round()
        before = second.clock

        async def rises() -> bool:
            await first.round()
            return first.clock > before + SECOND

        await eventually(rises, within=10)


def rows(folder: Path) -> list[tuple[str, int, int, int, int, int]]:
    """The ledger: whose, at, to which stage, cause, recorded, sign; as it was written."""
    with sqlite3.connect(folder / "store.db") as db:
        return db.execute(
            "SELECT value, at, target, cause, recorded, sign FROM ledger JOIN identifiers USING (project, customer)"
            " ORDER BY writer, seq"
        ).fetchall()


SEEN, QUIET, GONE = 0, 4, 5


async def test_timers_after_a_long_downtime(tmp_path: Path) -> None:
    """Stagers that come back after months enter each timer once, as of and as recorded at the moment it was due."""
    async with staging(tmp_path, [JOURNEY]) as world:
        await world.append([page(1, START)])
        await (await world.stager()).catch_up()
        assert rows(tmp_path) == [("ann", START, SEEN, LIVE, START, 1)]
        for _ in range(2):
            await (await world.stager()).settle()
        timers = [(START + DAY, QUIET), (START + 4 * DAY, GONE)]
        assert rows(tmp_path)[1:] == [("ann", due, stage, TIMER, due, 1) for due, stage in timers]


async def test_a_late_event_after_a_fired_timer(tmp_path: Path) -> None:
    """The timers that it makes untrue are taken back when it is recorded; those then due are entered as due then."""
    noon, told = START + 12 * HOUR, START + 30 * HOUR
    async with staging(tmp_path, [JOURNEY]) as world:
        stager = await world.stager()
        await world.append([page(1, START), *everywhere(START + 26 * HOUR)])
        await stager.catch_up()
        assert ("ann", START + DAY, QUIET, TIMER, START + DAY, 1) in rows(tmp_path)
        await world.append([page(4, noon, received=told)])
        await stager.catch_up()
        assert ("ann", START + DAY, QUIET, LATE, told, -1) in rows(tmp_path)
        await stager.settle()
        mine = [row[1:] for row in rows(tmp_path) if row[0] == "ann"]
        assert mine[-2:] == [
            (noon + DAY, QUIET, TIMER, noon + DAY, 1),
            (noon + 4 * DAY, GONE, TIMER, noon + 4 * DAY, 1),
        ]
        books = sqlite_books(tmp_path / "store.db", stager.fired_until)
        assert [at for at, _, to in books.moves[frozenset({("user", "ann")})] if to == "quiet"] == [noon + DAY]


@pytest.mark.parametrize("years", [-50, 10])
async def test_a_wild_clock_fires_nobodys_timers(years: int, tmp_path: Path) -> None:
    """The time that a sender claims moves the clock for nobody: it follows what was received."""
    async with staging(tmp_path, [JOURNEY]) as world:
        stager = await world.stager()
        await world.append(everywhere(START))
        wild = START + years * 365 * DAY
        await world.append([page(number, wild, f"wild-{number}", received=START + HOUR) for number in range(9)])
        assert await stager.catch_up() == START + HOUR
        assert [row for row in rows(tmp_path) if not row[0].startswith("wild") and row[3] == TIMER] == []


async def test_a_record_received_in_the_future_moves_no_clock_past_now(tmp_path: Path) -> None:
    """An ingest whose own clock runs years ahead does not make everybody's timers fire."""
    now = time.time_ns() // 1000
    async with staging(tmp_path, [JOURNEY]) as world:
        stager = await world.stager()
        await world.append(everywhere(now - HOUR))
        await world.append([page(number, now + 3650 * DAY, f"wild-{number}") for number in range(9)])
        assert await stager.catch_up() <= time.time_ns() // 1000
        await stager.settle()
        assert [row for row in rows(tmp_path) if not row[0].startswith("wild") and row[3] == TIMER] == []


async def test_a_partition_without_an_owner_holds_the_clock(tmp_path: Path) -> None:
    """What lies unread in it may be anybody's, so timers wait; with an owner, an empty partition holds nobody up."""
    async with staging(tmp_path, [JOURNEY]) as world:
        await world.append(everywhere(START)[:1])
        stager = await world.stager()
        stager.owned = frozenset({0})
        await stager.settle()
        assert stager.clock == 0
        assert TIMER not in {row[3] for row in rows(tmp_path)}
        stager.owned = frozenset(range(PARTITIONS))
        await stager.stage_all()
        await stager.settle()
        assert TIMER in {row[3] for row in rows(tmp_path)}


async def test_more_partitions_do_not_set_the_clock_back(tmp_path: Path) -> None:
    """A partition that setup adds stands where the others' least clock stands: answers stay as fresh as they were."""
    async with staging(tmp_path, [JOURNEY]) as world:
        stager = await world.stager()
        await stager.settle()
        await setup(tmp_path / "store.db", PARTITIONS + 2, "UTC")
        with sqlite3.connect(tmp_path / "store.db") as db:
            assert db.execute("SELECT count(*), min(clock) FROM positions").fetchone() == (PARTITIONS + 2, stager.clock)
