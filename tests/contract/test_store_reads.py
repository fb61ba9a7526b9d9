"""What is read from a store is what was written to it, on both databases."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.events import DAY, SECOND, Record, encode, pack
from shared.store import people, reads, recount
from shared.store.engine import engine, reading
from shared.store.port import Session, Store, StoreUnavailable
from shared.store.rows import (
    ANONYMOUS,
    HOUR,
    LATE,
    LIVE,
    MERGED,
    USER,
    Claim,
    DeadLetterRow,
    HistoryRow,
    LedgerRow,
    LinkRow,
    QuarantineRow,
    roll_up,
)
from shared.store.series import series
from tests.contract.store_backends import customer, random_ledger, write

NOW, FOREVER = 1_790_000_000 * SECOND, 1 << 62


@pytest.fixture
def versions() -> Iterator[int]:
    """Journey versions that no other example has used."""
    return count(1)


def microseconds() -> int:
    """Now."""
    return time.time_ns() // 1000


def counted(ledger: list[LedgerRow], at: int, known_at: int) -> dict[int, int]:
    """Customers by stage, summed entry by entry."""
    total = Counter[int]()
    for row in ledger:
        if row.at <= at and row.recorded <= known_at:
            total[row.target] += row.sign
            total[row.source] -= row.sign
    return {stage: n for stage, n in total.items() if n and stage != reads.ABSENT}


async def fill(session: Session, rng: random.Random, version: int, centre: int) -> tuple[list[LedgerRow], list[int]]:
    """A random ledger, written in some batches by two partitions, and the instants at which something changes."""
    spread = rng.choice((2 * HOUR, 3 * DAY, 90 * DAY))
    edges = [centre - centre % DAY, centre - centre % HOUR, centre - centre % DAY + DAY, centre]
    times = [rng.choice(edges) + rng.choice((0, 0, -1, 1, HOUR)) for _ in range(8)]
    times += [centre + rng.randrange(-spread, spread) for _ in range(12)]
    ledger = list[LedgerRow]()
    for partition in (0, 1, 0):
        claim = await session.claim(partition, "me")
        rows = random_ledger(rng, claim, version, times, rng.randrange(30))
        await write(session, claim, ledger=rows)
        ledger += rows
    return ledger, times


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 32), centre=st.sampled_from([NOW, 5 * DAY, -100 * DAY - 1]))
async def test_populations_are_sums_of_the_whole_ledger(
    session: Session, pool: AsyncEngine, versions: Iterator[int], seed: int, centre: int
) -> None:
    """As of any instant, as known at any other, few rows give what the whole ledger gives; before 1970 too."""
    rng, version = random.Random(seed), next(versions)
    ledger, times = await fill(session, rng, version, centre)
    async with reading(pool) as db:
        for _ in range(12):
            at, known = (rng.choice(times) + rng.choice((-1, 0, 1, HOUR, DAY)) for _ in range(2))
            assert await reads.population(db, 1, version, at, known) == counted(ledger, at, known)
            assert await reads.population(db, 1, version, at) == counted(ledger, at, FOREVER)
        ends, known = sorted(rng.choice(times) + rng.choice((-1, 0, 1, HOUR, DAY)) for _ in range(9)), rng.choice(times)
        assert await series(db, 1, version, ends) == [counted(ledger, end, FOREVER) for end in ends]
        assert await series(db, 1, version, ends, known) == [counted(ledger, end, known) for end in ends]
        assert await reads.population(db, 1, version, known_at=centre) == counted(ledger, microseconds(), centre)
        assert await reads.population(db, 1, version) == counted(ledger, microseconds(), FOREVER)
        standing = {key[2]: ways for key, ways in (await recount.populations(db)).items() if key[1] == version}
        assert {stage: ways.ledger for stage, ways in standing.items() if ways.ledger} == counted(
            ledger, FOREVER, FOREVER
        )
        assert all(len(set(ways)) == 1 for ways in standing.values())
        flows = {key: n for key, n in (await reads.flows(db)).items() if key[1] == version}
        assert flows == roll_up(ledger)[1]
        assert flows == {key: n for key, n in (await recount.flows(db)).items() if key[1] == version}


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 32), limit=st.integers(1, 8))
async def test_pages_of_transitions_are_what_stands(
    session: Session, pool: AsyncEngine, versions: Iterator[int], seed: int, limit: int
) -> None:
    """The pages together hold every move of the period that stands, the newest first; the counts count them."""
    rng, version = random.Random(seed), next(versions)
    ledger, times = await fill(session, rng, version, NOW)
    # A reversal takes back what was entered: random ones without an entry are left out.
    since, until = sorted(rng.choice(times) for _ in range(2))
    signs = Counter[tuple[int, int, int, int]]()
    for row in ledger:
        signs[row.customer, row.at, row.source, row.target] += row.sign
    expected = Counter({fact: n for fact, n in signs.items() if n > 0 and since <= fact[1] <= until})
    async with reading(pool) as db:
        pages, before = list[list[LedgerRow]](), None
        while not pages or before is not None:
            page, before = await reads.transitions(db, 1, version, since, until, before, limit)
            pages.append(page)
        moves = await reads.moves(db, 1, version, since, until)
        assert await reads.moves(db, 1, version) == await reads.moves(db, 1, version, until=microseconds())
    items = [row for page in pages for row in page]
    assert Counter((row.customer, row.at, row.source, row.target) for row in items) == expected
    assert [(row.at, row.customer) for row in items] == sorted(((row.at, row.customer) for row in items), reverse=True)
    net = Counter[tuple[int, int]]()
    for (_, at, source, target), n in signs.items():
        if since <= at <= until:
            net[source, target] += n
    assert moves == {key: n for key, n in net.items() if n}


def test_of_moves_entered_twice_the_last_stands() -> None:
    """An entry, its reversal and the same move again leave the last one, with its cause."""
    first = LedgerRow(1, 1, 5, 10, -1, 0, LIVE, 10, 1, 0, 1)
    again = first._replace(cause=LATE, recorded=30, writer=1)
    other = first._replace(at=11, source=0, target=1, seq=4)
    reversal = first._replace(sign=-1, recorded=20, seq=2)
    assert reads.net([first, again, reversal, other]) == [other, again]


def touchpoint(id_: str, at: int, recorded: int, stream: int) -> HistoryRow:
    """A stored touchpoint."""
    record = Record(project=1, id=id_, type="track", at=at, received=recorded, name=f"{stream}")
    return HistoryRow(1, stream, at, at, 1, b"12345678", pack([(recorded, encode(record))]), 1)


async def family(session: Session) -> tuple[Claim, int, int]:
    """Users u and v, a device of u's, one that both have used, and w who was merged into v; u's and v's numbers."""
    claim = await session.claim(0, "me")
    u, v, w = (customer(claim, offset) for offset in (0, 1, 2))
    mine, shared = claim.next_id + 3, claim.next_id + 4
    claim = await write(
        session,
        claim,
        new_customers=[u, v, w._replace(status=MERGED, into=v.customer)],
        identifiers=[
            (1, USER, "u", u.customer, u.customer),
            (1, USER, "v", v.customer, v.customer),
            (1, USER, "w", w.customer, v.customer),
            (1, ANONYMOUS, "mine", mine, u.customer),
            (1, ANONYMOUS, "shared", shared, 0),
        ],
        links=[LinkRow(1, shared, 100, "a", u.customer), LinkRow(1, shared, 200, "b", w.customer)],
        emails=[(1, "x@y.z", u.customer), (1, "x@y.z", v.customer), (1, "u@y.z", mine)],
        history=[
            touchpoint("b", 50, 50, u.customer),
            touchpoint("a", 50, 60, mine),
            touchpoint("before", 90, 90, shared),
            touchpoint("between", 199, 199, shared),
            touchpoint("after", 200, 200, shared),
            touchpoint("a", 40, 70, u.customer),
        ],
    )
    return claim, u.customer, v.customer


async def test_customers_are_found_by_their_identifiers(session: Session, pool: AsyncEngine) -> None:
    """A user or a device has one customer, a shared device and an e-mail address may have several."""
    _, u, v = await family(session)
    async with reading(pool) as db:
        assert await people.find(db, 1, USER, "u") == [u]
        assert await people.find(db, 1, USER, "w") == [v]
        assert await people.find(db, 1, ANONYMOUS, "mine") == [u]
        assert await people.find(db, 1, ANONYMOUS, "shared") == [u, v]
        assert await people.find(db, 1, ANONYMOUS, "u") == []
        assert await people.find(db, 2, USER, "u") == []
        assert await people.find_by_email(db, 1, "x@y.z") == [u, v]
        assert await people.find_by_email(db, 1, "u@y.z") == [u]
        assert await people.find_by_email(db, 1, "nobody@y.z") == []
        merged = await people.customer(db, 1, v + 1)
        assert merged is not None
        assert merged.customer == v
        assert await people.customer(db, 1, 999) is None


async def test_the_identifiers_of_a_customer(session: Session, pool: AsyncEngine) -> None:
    """Users first, then devices, then those that it shares; one name for each customer of a page."""
    _, u, v = await family(session)
    async with reading(pool) as db:
        found = await people.identifiers(db, 1, u)
        assert [(one.value, one.shared) for one in found] == [("u", False), ("mine", False), ("shared", True)]
        found = await people.identifiers(db, 1, v)
        assert [(one.value, one.shared) for one in found] == [("v", False), ("w", False), ("shared", True)]
        assert await people.names(db, 1, [u, v, 999]) == {u: (USER, "u"), v: (USER, "v")}


async def test_the_history_of_a_customer(session: Session, pool: AsyncEngine) -> None:
    """All streams and its time of shared devices, by (time, id); of two with one id the first recorded."""
    _, u, v = await family(session)
    async with reading(pool) as db:
        history = await people.history(db, 1, u)
        assert [(recorded, one.id, one.at) for recorded, one in history] == [
            (60, "a", 50),
            (50, "b", 50),
            (90, "before", 90),
            (199, "between", 199),
        ]
        assert [one.id for _, one in await people.history(db, 1, v)] == ["after"]


async def test_the_ledger_of_a_customer(session: Session, pool: AsyncEngine) -> None:
    """All its entries in one version, or in all."""
    claim, u, _ = await family(session)
    rows = [LedgerRow(1, version, u, 10, -2, 0, LIVE, 10, 1, 0, 10 + version) for version in (1, 2)]
    await write(session, claim, ledger=rows)
    async with reading(pool) as db:
        assert await people.ledger(db, 1, u) == rows
        assert await people.ledger(db, 1, u, version=2) == rows[1:]


async def test_counts_of_what_waits(store: Store, session: Session, pool: AsyncEngine) -> None:
    """Positions, backlog and dead letters are those written."""
    claim = await session.claim(1, "me")
    await write(
        session,
        claim,
        staged=7,
        duplicates=2,
        clock=500,
        timers=[(1, 5, 10), (1, 6, 1 << 60)],
        queued=[(1, 5, LATE, 1), (2, 6, LATE, 1)],
        quarantined=[QuarantineRow(1, 5, 1, 10, "nul \0 and surrogate \ud800")],
        dead_letters=[DeadLetterRow(0, 1, position, position, "bad \0", b"\xff\0") for position in (1, 2)],
        history=[touchpoint("a", 1, 1, 5)],
    )
    for partition in (0, 2):
        await write(session, await session.claim(partition, "me"), clock=600)
    async with reading(pool) as db:
        assert await reads.freshness(db) == 500
        position = (await reads.positions(db))[1]
        assert position == reads.Position(1, "me", claim.position + 1, 500, 7, 2, 0)
        assert await reads.backlog(db, 1) == reads.Backlog(1, 1, 1, rejections=0, exclusions=0, amending=0)
        assert await reads.behind(db, 2) == 1
        assert await reads.dead_letter_count(db) == 2
        assert await recount.touchpoints(db) == {1: 1}
        assert (await recount.sizes(db))["dead_letters"] == 2


async def test_entries_that_come_to_no_place_are_misplaced(session: Session, pool: AsyncEngine) -> None:
    """A customer in a journey twice, and a merged one still in it, are named; a proper one is not."""
    claim, u, v = await family(session)
    entered = LedgerRow(1, 1, u, 10, -2, 0, LIVE, 10, 1, 0, 10)
    await write(
        session,
        claim,
        ledger=[
            entered,
            entered._replace(source=0, target=1, seq=11),
            entered._replace(customer=v, seq=12),
            entered._replace(customer=v, seq=13),
            entered._replace(customer=v + 1, seq=14),
        ],
    )
    async with reading(pool) as db:
        assert sorted(await recount.misplaced(db)) == [(1, 1, v), (1, 1, v + 1)]
        assert await recount.customers(db) == {1: 2}


async def test_who_has_no_state_stands_where_the_ledger_has_it(session: Session, pool: AsyncEngine) -> None:
    """Customers that wait to be derived or were quarantined, and no others, by version and stage."""
    claim, u, v = await family(session)
    moves = [
        LedgerRow(1, 1, customer, at, source, target, LIVE, at, 1, 0, 10 * customer + at)
        for customer in (u, v)
        for at, source, target in ((1, -2, 0), (2, 0, 1))
    ]
    await write(session, claim, ledger=moves)
    async with reading(pool) as db:
        assert await recount.stateless(db) == {}
    claim = await session.claim(claim.partition, "me")
    await write(session, claim, quarantined=[QuarantineRow(1, v, 1, 10, "error")])
    async with reading(pool) as db:
        assert {who: +stages for who, stages in (await recount.stateless(db)).items()} == {(1, v, 1): Counter({1: 1})}


async def test_journeys_are_listed_with_every_version(store: Store, pool: AsyncEngine) -> None:
    """What was added is there, per project."""
    made = [await store.add_journey(1, name, text) for name, text in (("a", "1"), ("b", "1"), ("a", "2"))]
    async with reading(pool) as db:
        assert await reads.journeys(db, 1) == made
        assert await reads.journeys(db, 2) == []


async def test_reading_without_a_database_is_unavailable(address: str | Path) -> None:
    """A database that is not there is StoreUnavailable."""
    made = engine(type(address)(f"{address}_missing"))
    with pytest.raises(StoreUnavailable):
        async with reading(made) as db:
            await reads.freshness(db)
    await made.dispose()
