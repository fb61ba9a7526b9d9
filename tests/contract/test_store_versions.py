"""The versions of a journey, on both stores: which answers, how a back-fill's place is kept, what cannot be done."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.store import reads, versions
from shared.store.engine import reading, writing
from shared.store.port import Conflict, Session, Store
from shared.store.rows import BEHIND, CURRENT, MERGED, Claim, Fill, JourneyRow
from shared.store.versions import Progress, VersionRefused
from tests.contract.store_backends import after, changes, customer, write

JOURNEY = "shop"


async def rows_of(pool: AsyncEngine) -> list[JourneyRow]:
    """All versions."""
    async with reading(pool) as db:
        return await reads.journeys(db, 1)


async def states(pool: AsyncEngine) -> dict[int, str]:
    """What each version of the journey is, by its number."""
    rows = await rows_of(pool)
    (current,) = versions.answering(rows)
    return {row.number: versions.state(row, row == current) for row in rows}


async def settled(session: Session, claims: Sequence[Claim]) -> None:
    """Ends every back-fill of the partitions held."""
    for held in claims:
        fills = await session.fills([held.partition])
        await write(session, held, fills=[one._replace(next=one.until, filled=1, finished=9) for one in fills])


async def peopled(session: Session) -> Claim:
    """Somebody whose home is partition 0, written: the claim as it then stands."""
    claim = await session.claim(0, "me")
    return await write(session, claim, new_customers=[customer(claim)])


async def test_without_customers_a_version_answers_at_once(store: Store, session: Session, pool: AsyncEngine) -> None:
    """Nobody has to be filled; numbers count per name, versions over all; the newest asked for answers."""
    made = [await store.add_journey(1, name, text) for name, text in ((JOURNEY, "1"), ("b", "1"), (JOURNEY, "2"))]
    assert [(row.version, row.number, row.filled) for row in made] == [(1, 1, True), (2, 1, True), (3, 2, True)]
    assert versions.answering(await rows_of(pool)) == [made[2], made[1]]
    assert await session.fills([0, 1, 2]) == []
    assert (await session.catalog()).journeys == tuple(made)


async def test_a_version_is_filled_partition_by_partition(store: Store, session: Session, pool: AsyncEngine) -> None:
    """Of each home partition with customers of the project, those below its next number; then it answers."""
    claims = [await session.claim(partition, "me") for partition in (0, 2)]
    await store.add_journey(1, JOURNEY, "1")
    for i, claim in enumerate(claims):
        claims[i] = await write(session, claim, new_customers=[customer(claim), customer(claim, 1)])
    other = await session.claim(1, "me")
    await write(session, other, new_customers=[customer(other, project=2)])
    made = await store.add_journey(1, JOURNEY, "2")
    fills = await session.fills([0, 1, 2])
    assert fills == [
        Fill(1, made.version, claim.partition, claim.partition << 40, claim.next_id, 0, None) for claim in claims
    ]
    assert not made.filled
    assert await states(pool) == {1: "current", 2: "filling"}
    await write(session, claims[0], fills=[fills[0]._replace(next=fills[0].until, filled=2, finished=7)])
    assert await session.fills([0, 1, 2]) == [fills[1]]
    assert await session.fills([0, 1]) == []
    async with reading(pool) as db:
        assert await versions.left(db, made) == 2
        shares = await versions.progress(db, 1)
    assert shares == {made.version: Progress(0.5, 2, None)}
    await write(session, claims[1], fills=[fills[1]._replace(next=fills[1].until, filled=2, finished=9)])
    assert await states(pool) == {1: "standing", 2: "current"}
    async with reading(pool) as db:
        assert await versions.progress(db, 1) == {made.version: Progress(1.0, 4, 9)}
        assert await versions.left(db, made._replace(filled=True)) == 0


async def test_a_fenced_write_moves_no_back_fill(store: Store, session: Session, other: Session) -> None:
    """Where a back-fill stands is written with what it derived, or not at all."""
    claim = await peopled(session)
    await store.add_journey(1, JOURNEY, "1")
    (begun,) = await session.fills([0])
    stale = changes(claim, (await session.catalog()).generation - 1, fills=[begun._replace(next=5)])
    with pytest.raises(Conflict):
        await session.write(stale)
    assert await other.fills([0]) == [begun]


async def test_who_is_to_be_filled(session: Session) -> None:
    """The current customers of a project within the bounds, in order of their numbers, so many."""
    claim = await session.claim(1, "me")
    rows = [customer(claim, offset, status=status) for offset, status in enumerate((CURRENT, BEHIND, CURRENT, CURRENT))]
    rows += [customer(claim, 4, status=MERGED, into=1), customer(claim, 5, project=2), customer(claim, 6)]
    await write(session, claim, new_customers=rows)
    first, _, third, fourth, *_, last = [row.customer for row in rows]
    assert await session.to_fill(1, 0, last + 1, 10) == [first, third, fourth, last]
    assert await session.to_fill(1, first + 1, last, 10) == [third, fourth]
    assert await session.to_fill(1, 0, last + 1, 2) == [first, third]


async def test_customers_met_while_a_version_is_published_are_filled_or_born_with_it(
    store: Store, session: Session
) -> None:
    """A batch under the older journeys is written before the version is published, or conflicts."""
    claim = await session.claim(0, "me")
    old = (await session.catalog()).generation
    publishing = [asyncio.create_task(store.add_journey(1, JOURNEY, str(n))) for n in range(2)]
    written = 0
    while True:
        made = changes(claim, old, new_customers=[customer(claim)])
        try:
            await session.write(made)
        except Conflict:
            break
        claim, written = after(made), written + 1
    await asyncio.gather(*publishing)
    until = {fill.until for fill in await session.fills([0])}
    assert until == ({claim.next_id} if written else set())


async def test_a_held_version_waits_to_be_asked_for(store: Store, session: Session, pool: AsyncEngine) -> None:
    """With `hold` it is filled and folded, and answers only when somebody says so; then it can be gone back from."""
    await store.add_journey(1, JOURNEY, "1")
    claim = await peopled(session)
    held = await store.add_journey(1, JOURNEY, "2", hold=True)
    await settled(session, [claim])
    assert await states(pool) == {1: "current", 2: "held"}
    async with writing(pool) as db:
        assert (await versions.cut_over(db, 1, JOURNEY)).number == held.number
    assert await states(pool) == {1: "standing", 2: "current"}
    async with writing(pool) as db:
        assert (await versions.roll_back(db, 1, JOURNEY)).number == 1
    assert await states(pool) == {1: "current", 2: "standing"}
    async with writing(pool) as db:
        assert (await versions.roll_back(db, 1, JOURNEY, 2)).number == 2
    assert await states(pool) == {1: "standing", 2: "current"}


async def test_the_same_text_is_the_same_version(store: Store, pool: AsyncEngine) -> None:
    """Published again, once or by two at once, it is asked for again; once retired, it is a new version."""
    twins = await asyncio.gather(*(store.add_journey(1, JOURNEY, "1") for _ in range(2)))
    assert twins[0] == twins[1]
    await store.add_journey(1, JOURNEY, "2")
    again = await store.add_journey(1, JOURNEY, "1")
    assert again._replace(asked_at=0) == twins[0]._replace(asked_at=0)
    assert await states(pool) == {1: "current", 2: "standing"}
    assert await store.add_journey(1, JOURNEY, "2", hold=True) == (await rows_of(pool))[1]
    assert await states(pool) == {1: "current", 2: "standing"}
    async with writing(pool) as db:
        await versions.retire(db, 1, JOURNEY, 2)
    assert (await store.add_journey(1, JOURNEY, "2")).number == 3
    assert await states(pool) == {1: "standing", 2: "retired", 3: "current"}


async def test_who_asks_last_decides(store: Store, session: Session, pool: AsyncEngine) -> None:
    """A version asked for by hand while a newer one is filled goes on answering when that one is filled."""
    for text in ("1", "2"):
        await store.add_journey(1, JOURNEY, text)
    claim = await peopled(session)
    await store.add_journey(1, JOURNEY, "3")
    async with writing(pool) as db:
        await versions.roll_back(db, 1, JOURNEY)
    await settled(session, [claim])
    assert await states(pool) == {1: "current", 2: "standing", 3: "standing"}


async def test_until_a_first_version_is_filled_the_oldest_answers(
    store: Store, session: Session, pool: AsyncEngine
) -> None:
    """There is no other; a second one published meanwhile does not take its place half-filled."""
    claim = await peopled(session)
    await store.add_journey(1, JOURNEY, "1")
    await store.add_journey(1, JOURNEY, "2")
    (current,) = versions.answering(await rows_of(pool))
    assert (current.number, await states(pool)) == (1, {1: "filling", 2: "filling"})
    await settled(session, [claim])
    assert await states(pool) == {1: "standing", 2: "current"}


async def test_a_back_fill_is_paused_and_goes_on(store: Store, session: Session, pool: AsyncEngine) -> None:
    """While it is paused there is nothing to do of it; its place is kept."""
    await peopled(session)
    await store.add_journey(1, JOURNEY, "1")
    begun = await session.fills([0])
    async with writing(pool) as db:
        await versions.pause(db, 1, JOURNEY)
    assert await states(pool) == {1: "paused"}
    assert await session.fills([0]) == []
    async with writing(pool) as db:
        await versions.resume(db, 1, JOURNEY, 1)
    assert await session.fills([0]) == begun


async def test_a_retired_version_is_no_longer_folded(store: Store, session: Session, pool: AsyncEngine) -> None:
    """A batch that folds it still conflicts; its back-fill ends; it cannot come back."""
    await store.add_journey(1, JOURNEY, "1")
    claim = await peopled(session)
    await store.add_journey(1, JOURNEY, "2")
    old = (await session.catalog()).generation
    began = time.time_ns() // 1000
    async with writing(pool) as db:
        retired = await versions.retire(db, 1, JOURNEY, 2)
    assert retired.retired_at is not None
    assert retired.retired_at >= began
    with pytest.raises(Conflict):
        await session.write(changes(claim, old))
    assert [row.number for row in (await session.catalog()).journeys] == [1]
    assert await session.fills([0]) == []
    assert await states(pool) == {1: "current", 2: "retired"}
    for ask in (versions.cut_over, versions.roll_back, versions.retire, versions.pause):
        with pytest.raises(VersionRefused, match="retired, for good"):
            async with writing(pool) as db:
                await ask(db, 1, JOURNEY, 2)


async def test_what_cannot_be_done_is_said(store: Store, session: Session, pool: AsyncEngine) -> None:
    """Each refusal says why, and changes nothing."""
    await store.add_journey(1, JOURNEY, "1")
    await peopled(session)
    refused = [
        (versions.cut_over, "other", (), "no journey of this name"),
        (versions.cut_over, JOURNEY, (7,), "has no version 7; it has 1"),
        (versions.cut_over, JOURNEY, (), "no other version"),
        (versions.roll_back, JOURNEY, (), "no former version"),
        (versions.retire, JOURNEY, (1,), "answers now"),
        (versions.roll_back, "other", (), "no journey of this name"),
        (versions.pause, "other", (), "no journey of this name"),
        (versions.pause, JOURNEY, (), "no version of shop is being filled"),
        (versions.pause, JOURNEY, (1,), "filled already"),
    ]
    before = await rows_of(pool)
    for ask, name, number, match in refused:
        with pytest.raises(VersionRefused, match=match):
            async with writing(pool) as db:
                await ask(db, 1, name, *number)
    assert await rows_of(pool) == before
    await store.add_journey(1, JOURNEY, "2")
    with pytest.raises(VersionRefused, match="still being filled"):
        async with writing(pool) as db:
            await versions.roll_back(db, 1, JOURNEY, 2)
