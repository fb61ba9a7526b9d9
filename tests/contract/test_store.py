"""The contract of `shared/store/port.py`, against both adapters."""

import asyncio
from pathlib import Path

import pytest

from shared.events import SECOND
from shared.store import schema
from shared.store.port import CLOCK_GRACE, Conflict, Fenced, Session, Store, StoreMismatch
from shared.store.rows import (
    ANONYMOUS,
    BACKFILL,
    LATE,
    MERGE,
    USER,
    DeadLetterRow,
    Identity,
    LinkRow,
    QuarantineRow,
    SnapshotRow,
)
from tests.contract.store_backends import (
    PARTITIONS,
    after,
    changes,
    customer,
    open_store,
    touchpoints,
    write,
)


async def test_a_store_without_a_schema_is_a_mismatch(address: str | Path) -> None:
    """Checking a store that was never set up names the remedy."""
    async with open_store(address) as store:
        with pytest.raises(StoreMismatch, match="milepost setup"):
            await store.check()


async def test_setup_can_be_repeated_at_the_same_time(address: str | Path) -> None:
    """Two set-ups at once, and another later, make one store."""
    await asyncio.gather(*(schema.setup(address, PARTITIONS, "UTC") for _ in range(2)))
    await schema.setup(address, PARTITIONS, "UTC")
    async with open_store(address) as store, store.session() as session:
        await store.check()
        claims = [await session.claim(partition, "me") for partition in range(PARTITIONS)]
    assert [claim.next_id for claim in claims] == [(partition << 40) + 1 for partition in range(PARTITIONS)]


async def test_partitions_may_be_added_and_never_taken_away(address: str | Path) -> None:
    """A set-up with more partitions adds them, one with fewer is refused."""
    await schema.setup(address, 2, "UTC")
    async with open_store(address) as store, store.session() as session:
        with pytest.raises(StoreMismatch):
            await session.claim(2, "me")
        await schema.setup(address, 3, "UTC")
        assert (await session.claim(2, "me")).epoch == 1
    with pytest.raises(StoreMismatch, match="MILEPOST_PARTITIONS"):
        await schema.setup(address, 2, "UTC")


async def test_an_older_epoch_writes_nothing(session: Session, other: Session) -> None:
    """Once a partition is claimed again, its former owner is fenced."""
    old = await session.claim(1, "old")
    new = await other.claim(1, "new")
    assert new == old._replace(epoch=old.epoch + 1)
    born = customer(old)
    with pytest.raises(Fenced):
        await write(session, old, new_customers=[born])
    assert await other.customers([(1, born.customer)]) == {}
    await write(other, new, new_customers=[born])
    assert await session.customers([(1, born.customer)]) == {born.customer: born}


async def test_a_position_is_written_from_once(session: Session) -> None:
    """A batch that starts where another one started is fenced and writes nothing."""
    claim = await session.claim(0, "me")
    moved = await write(session, claim, staged=5, duplicates=2)
    with pytest.raises(Fenced):
        await write(session, claim, new_customers=[customer(claim)])
    assert await session.customers([(1, customer(claim).customer)]) == {}
    assert await session.claim(0, "me") == moved._replace(epoch=moved.epoch + 1)


async def test_a_row_changed_since_it_was_read_is_a_conflict(session: Session, other: Session) -> None:
    """A stale revision writes nothing at all, not even the position; after reading again it goes through."""
    claim = await session.claim(0, "me")
    first, second = customer(claim), customer(claim, 1)
    claim = await write(session, claim, new_customers=[first, second])
    elsewhere = await other.claim(1, "other")
    await write(other, elsewhere, customers=[first._replace(count=7)])
    everything = {
        "customers": [first._replace(count=8), second._replace(count=9)],
        "history": [touchpoints(first.customer, 1, 2)] * 300,
        "identifiers": [(1, USER, "u", first.customer, first.customer)],
    }
    with pytest.raises(Conflict):
        await write(session, claim, **everything)
    rows = await session.customers([(1, first.customer), (1, second.customer)])
    assert rows == {first.customer: first._replace(count=7, revision=1), second.customer: second}
    assert await session.history(1, [(first.customer, 0, 9)]) == []
    assert await session.identities([(1, USER, "u")]) == {}
    everything["customers"] = [first._replace(count=8, revision=1), second._replace(count=9)]
    await write(session, claim, **everything)
    rows = await session.customers([(1, first.customer), (1, second.customer)])
    assert {row.customer: (row.count, row.revision) for row in rows.values()} == {
        first.customer: (8, 2),
        second.customer: (9, 1),
    }


async def test_an_identifier_belongs_to_whoever_comes_first(session: Session, other: Session) -> None:
    """Two partitions that meet one new identifier at once: the second is a conflict and writes nothing."""
    mine, theirs = await session.claim(0, "me"), await other.claim(1, "they")
    await write(session, mine, identifiers=[(1, USER, "u", 1, 1)])
    with pytest.raises(Conflict):
        await write(other, theirs, identifiers=[(1, USER, "t", 3, 3), (1, USER, "u", 2, 2)])
    keys = [(1, USER, "u"), (1, USER, "t"), (2, USER, "u"), (1, ANONYMOUS, "u")]
    assert await session.identities(keys) == {keys[0]: Identity(1, 1)}


async def test_a_catalog_that_changed_is_a_conflict(store: Store, session: Session) -> None:
    """A write made under journeys that are no longer those in force writes nothing."""
    claim = await session.claim(0, "me")
    before = await session.catalog()
    made = await store.add_journey(1, "lifecycle", "one")
    assert (made.version, made.number) == (1, 1)
    with pytest.raises(Conflict):
        await session.write(changes(claim, before.generation))
    catalog = await session.catalog()
    assert catalog.generation > before.generation
    assert catalog.journeys == (made,)
    await session.write(changes(claim, catalog.generation))


async def test_the_queue_is_read_by_home_partition(session: Session) -> None:
    """The oldest first, as many as asked for, each home partition's own."""
    claim = await session.claim(2, "me")
    rows = [customer(claim), customer(claim, 1)]
    queued = [(1, rows[0].customer, LATE, 9), (1, rows[1].customer, MERGE, 3)]
    await write(session, claim, new_customers=rows, queued=queued)
    queue = await session.queue(2, 10)
    assert queue == [(1, rows[1].customer, MERGE), (1, rows[0].customer, LATE)]
    assert await session.queue(0, 10) == []
    assert await session.queue(2, 1) == queue[:1]


async def test_a_locked_customer_waits(session: Session, other: Session) -> None:
    """Whoever locked a customer's row writes first; the other's write then conflicts, whichever way it ends."""
    mine, theirs = await session.claim(0, "me"), await other.claim(1, "they")
    row = customer(mine)
    mine = await write(session, mine, new_customers=[row])
    generation = (await session.catalog()).generation
    await session.lock([(1, row.customer)])
    waiting = asyncio.create_task(other.write(changes(theirs, generation, customers=[row._replace(count=2)])))
    locked = (await session.customers([(1, row.customer)]))[row.customer]
    await session.write(changes(mine, generation, customers=[locked._replace(count=3)]))
    with pytest.raises(Conflict):
        await waiting
    assert (await other.customers([(1, row.customer)]))[row.customer].count == 3


async def test_an_abandoned_lock_leaves_no_trace(session: Session, other: Session) -> None:
    """After `abandon` others write; abandoning nothing is harmless."""
    mine, theirs = await session.claim(0, "me"), await other.claim(1, "they")
    row = customer(mine)
    await write(session, mine, new_customers=[row])
    generation = (await session.catalog()).generation
    await session.lock([(1, row.customer)])
    waiting = asyncio.create_task(other.write(changes(theirs, generation, customers=[row._replace(count=2)])))
    await session.abandon()
    await session.abandon()
    await waiting
    assert (await session.customers([(1, row.customer)]))[row.customer].count == 2


async def test_a_fenced_or_conflicting_write_ends_the_lock(session: Session, other: Session) -> None:
    """A write that fails lets go of what was locked before it."""
    mine, theirs = await session.claim(0, "me"), await other.claim(1, "they")
    row = customer(mine)
    mine = await write(session, mine, new_customers=[row])
    await session.lock([(1, row.customer)])
    with pytest.raises(Conflict):
        await write(session, mine, customers=[row._replace(revision=5)])
    await session.lock([(1, row.customer)])
    with pytest.raises(Fenced):
        await write(session, mine._replace(epoch=0), customers=[row])
    await write(other, theirs, customers=[row._replace(count=2)])


async def test_identifiers_move_with_their_stream(session: Session) -> None:
    """A new owner of a stream is the owner of its identifier; the stream stays."""
    claim = await session.claim(0, "me")
    claim = await write(session, claim, identifiers=[(1, USER, "u", 1, 1), (1, ANONYMOUS, "a", 2, 2)])
    await write(session, claim, owners={(1, 2): 1})
    assert await session.identities([(1, ANONYMOUS, "a")]) == {(1, ANONYMOUS, "a"): Identity(2, 1)}
    assert await session.streams([(1, 1), (1, 2)]) == {1: [(USER, "u", 1), (ANONYMOUS, "a", 2)], 2: []}
    assert await session.owners(1, [1, 2, 3]) == {1: 1, 2: 1}


async def test_links_are_found_from_both_ends(session: Session) -> None:
    """Links by device and by user, in order of time and then of the id's bytes."""
    claim = await session.claim(0, "me")
    links = [LinkRow(1, 5, 10, "Z", 7), LinkRow(1, 5, 10, "a", 8), LinkRow(1, 5, 10, "é", 7), LinkRow(1, 6, 9, "b", 7)]
    await write(session, claim, links=links[::-1])
    assert await session.links_of(1, [5, 6, 99]) == links
    assert await session.links_to(1, [7]) == [links[0], links[2], links[3]]
    assert await session.links_of(2, [5]) == []


async def test_history_is_found_by_time(session: Session) -> None:
    """Rows that touch a span, its ends included; a row in two spans comes once."""
    claim = await session.claim(0, "me")
    rows = [touchpoints(1, 10, 20, b"a"), touchpoints(1, 15, 30, b"b"), touchpoints(2, 10, 20, b"c")]
    await write(session, claim, history=rows)
    assert await session.history(1, [(1, 20, 20)]) == [(1, b"a"), (1, b"b")]
    assert await session.history(1, [(1, 21, 25)]) == [(1, b"b")]
    assert await session.history(1, [(1, 31, 99)]) == []
    both = await session.history(1, [(1, 0, 12), (1, 18, 19), (2, 0, 99)])
    assert sorted(both) == [(1, b"a"), (1, b"b"), (2, b"c")]
    assert await session.history(2, [(1, 0, 99)]) == []


async def test_the_ids_of_a_customer_include_its_shared_devices(session: Session) -> None:
    """Ids of a customer's own streams and of shared devices that were ever linked to one of its users."""
    claim = await session.claim(0, "me")
    await write(
        session,
        claim,
        identifiers=[(1, USER, "u", 1, 1), (1, ANONYMOUS, "mine", 2, 1), (1, ANONYMOUS, "shared", 3, 0)],
        links=[LinkRow(1, 3, 5, "x", 1), LinkRow(1, 3, 6, "y", 9), LinkRow(1, 3, 7, "z", 1)],
        history=[touchpoints(stream, 1, 2)._replace(ids=b"%08d" % stream) for stream in (1, 2, 2, 3, 4)],
    )
    found = await session.ids([(1, 1), (1, 5)])
    assert found.keys() == {1, 5}
    assert sorted(found[1][i : i + 8] for i in range(0, 32, 8)) == [b"00000001", b"00000002", b"00000002", b"00000003"]
    assert found[5] == b""


async def test_the_newest_snapshot_before_a_time(session: Session) -> None:
    """Stale and thinned snapshots go before new ones come."""
    claim = await session.claim(0, "me")
    old = [SnapshotRow(1, 5, n, 10 * n, "id", b"%d" % n) for n in (1, 2, 3, 4)]
    claim = await write(session, claim, snapshots=old)
    assert await session.snapshot(1, 5, 31) == old[2]
    assert await session.snapshot(1, 5, 30) == old[1]
    assert await session.snapshot(1, 5, 10) is None
    new = SnapshotRow(1, 5, 4, 35, "new", b"new")
    await write(session, claim, stale_snapshots=[(1, 5, 30)], thinned_snapshots=[(1, 5, 2)], snapshots=[new])
    assert await session.snapshot(1, 5, 99) == new
    assert await session.snapshot(1, 5, 35) == old[0]


async def test_timers_are_due_at_home(session: Session) -> None:
    """Timers come earliest first, to their customer's home partition; None takes one away."""
    claim = await session.claim(0, "me")
    home = 2 << 40
    claim = await write(session, claim, timers=[(1, home + 1, 30), (1, home + 2, 20), (1, 7, 10)])
    assert await session.due(2, 30, 10) == [(1, home + 2), (1, home + 1)]
    assert await session.due(2, 29, 10) == [(1, home + 2)]
    assert await session.due(0, 99, 10) == [(1, 7)]
    await write(session, claim, timers=[(1, home + 2, 40), (1, home + 1, None), (1, 99, None)])
    assert await session.due(2, 99, 10) == [(1, home + 2)]
    assert await session.due(2, 39, 10) == []


async def test_the_queue_keeps_the_oldest_first(session: Session) -> None:
    """A customer is queued once, with its first cause, until it is taken off; taking off comes before queuing."""
    claim = await session.claim(0, "me")
    claim = await write(session, claim, queued=[(1, 5, LATE, 20), (1, 6, BACKFILL, 10)])
    claim = await write(session, claim, queued=[(1, 5, BACKFILL, 1)])
    assert await session.queue(0, 9) == [(1, 6, BACKFILL), (1, 5, LATE)]
    await write(session, claim, unqueued=[(1, 6), (1, 5)], queued=[(1, 5, BACKFILL, 30)])
    assert await session.queue(0, 9) == [(1, 5, BACKFILL)]


async def test_what_repeats_is_left_or_replaced(session: Session) -> None:
    """E-mails that are there are left, quarantines replaced, dead letters kept; text no column can hold is cut."""
    claim = await session.claim(0, "me")
    for error in ("first", "nul \0 and surrogate \ud800"):
        claim = await write(
            session,
            claim,
            emails=[(1, "a@b.c", 5), (1, f"{error[:3]}@b.c", 5)],
            quarantined=[QuarantineRow(1, 5, 1, 10, error)],
            dead_letters=[DeadLetterRow(0, 0, claim.position, 10, error, b"\xff\0")],
        )


async def test_clocks_rise_only_at_the_end(session: Session, other: Session) -> None:
    """The store's clock is the least of all; at the log's end those held rise to the database's time less the grace."""
    claims = [await session.claim(partition, "me") for partition in range(PARTITIONS)]
    assert await session.clock(claims, at_end=False) == 0
    assert await session.clock(claims[:2], at_end=True) == 0
    clock = await session.clock(claims[2:], at_end=True)
    ahead = await write(session, (await session.claim(0, "me")), clock=clock + 3600 * SECOND)
    again = await session.clock([ahead, *claims[1:]], at_end=True)
    assert clock <= again <= clock + 60 * SECOND
    assert (await session.claim(0, "me")).clock == clock + 3600 * SECOND
    stale = claims[1]._replace(position=99)
    assert await session.clock([stale], at_end=True) == again
    await other.claim(2, "other")
    with pytest.raises(Fenced):
        await session.clock([claims[1], claims[2]], at_end=True)
    assert CLOCK_GRACE == 2 * SECOND


async def test_a_claim_goes_on_where_the_last_write_ended(session: Session, other: Session) -> None:
    """Position, ids, sequence and clock are those of the last write; the clock does not fall."""
    claim = await session.claim(1, "me")
    claim = await write(session, claim, clock=500)
    made = changes(claim, clock=400)
    await session.write(made)
    assert await other.claim(1, "other") == after(made)._replace(epoch=claim.epoch + 1, clock=500)
