"""Rejections, and dead letters with their repairs, on both databases."""

import time
from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.events import SECOND
from shared.store import admin, dead_letters, reads, rejections, schema
from shared.store.dead_letters import Place
from shared.store.engine import reading, writing
from shared.store.port import Fenced, Session
from shared.store.rejections import KEPT, WHOLE
from shared.store.rows import REJECTIONS_OF_A_CODE, DeadLetterRow, Rejection
from tests.contract.store_backends import write

NOW = time.time_ns() // 1000


def rejection(number: int, **fields: object) -> Rejection:
    """The so-manyth rejection of a key."""
    return Rejection(1, 1, NOW + number, number, "missing_id", "userId", "why")._replace(**fields)  # type: ignore[arg-type] # any of its fields


async def add(pool: AsyncEngine, *rows: Rejection) -> None:
    """Keeps them, in a transaction of their own."""
    async with writing(pool) as db:
        await rejections.add(db, rows)


async def numbers(pool: AsyncEngine, project: int = 1, **wanted: object) -> list[int]:
    """The indexes of what is found."""
    async with reading(pool) as db:
        found = await rejections.find(db, project, **wanted)  # type: ignore[arg-type] # any of its filters
    return [one.rejection.index for one in found]


async def test_a_rejection_is_read_as_it_was_added(pool: AsyncEngine) -> None:
    """Every field, body and size included, whatever bytes; the key is named; texts lose what no store keeps."""
    async with writing(pool) as db:
        await admin.create_write_key(db, 1, "shop", "browser")
    said = rejection(1, index=WHOLE, field="a\0", message="half \ud800", size=9, body=b"\xff\0{")
    await add(pool, said, rejection(2, key=9))
    async with reading(pool) as db:
        first, second = await rejections.find(db, 1)
        assert (first.key_name, first.rejection) == ("", rejection(2, key=9))
        assert (second.key_name, second.rejection) == ("shop", said._replace(field="a", message="half ?"))
        assert await rejections.get(db, 1, second.number) == second
        assert await rejections.get(db, 2, second.number) is None
        assert await rejections.newest(db, 1) == first.number > second.number
        assert await rejections.newest(db, 2) == 0
        assert (await reads.backlog(db, 1)).rejections == 2


async def test_rejections_are_found_by_time_code_and_key(pool: AsyncEngine) -> None:
    """Each filter, both ends of a period included; pages go on by number."""
    async with writing(pool) as db:
        for name in ("shop", "42"):
            await admin.create_write_key(db, 1, name)
    await add(pool, *(rejection(n, key=1 + n % 2, code=("too_deep", "missing_id")[n % 2]) for n in range(6)))
    await add(pool, rejection(9, project=2))
    assert await numbers(pool) == [5, 4, 3, 2, 1, 0]
    assert await numbers(pool, since=NOW + 2, until=NOW + 4) == [4, 3, 2]
    assert await numbers(pool, code="too_deep") == [4, 2, 0]
    assert await numbers(pool, code="nul \0") == []
    assert await numbers(pool, key="shop") == await numbers(pool, key="1") == [4, 2, 0]
    assert await numbers(pool, key="42") == [5, 3, 1]
    assert await numbers(pool, key="nobody") == []
    async with reading(pool) as db:
        page = await rejections.find(db, 1, limit=2)
    assert await numbers(pool, before=page[-1].number) == [3, 2, 1, 0]
    assert await numbers(pool, after=page[-1].number) == [5]
    assert await numbers(pool, 2) == [9]


async def test_rejections_are_kept_for_a_while(pool: AsyncEngine) -> None:
    """Those too old go, whosever they are, and no others."""
    old = NOW - KEPT
    await add(pool)
    await add(pool, rejection(0, at=old), rejection(1, at=old + 36_000 * SECOND), rejection(2, project=2, at=old))
    async with writing(pool) as db:
        await rejections.forget(db)
    assert (await numbers(pool), await numbers(pool, 2)) == ([1], [])


async def test_a_flood_of_one_code_leaves_the_others(pool: AsyncEngine) -> None:
    """Of each code the newest are kept, so many and no more; a rare one outlives a flood of another."""
    await add(pool, rejection(0, code="too_deep"))
    for start in (1, 3_001):
        await add(pool, *(rejection(start + n) for n in range(3_000)))
    found = await numbers(pool, limit=10_000)
    assert found == [*range(6_000, 6_000 - REJECTIONS_OF_A_CODE, -1), 0]


async def test_rejections_outlive_the_migration(pool: AsyncEngine) -> None:
    """Those of the first version are there after the next one, with numbers and without bodies; and back."""
    await add(pool, rejection(1), rejection(2))
    async with writing(pool) as db:
        await db.run_sync(schema.downgrade, "0001")
        assert len((await db.execute(text("SELECT * FROM rejections"))).all()) == 2
        await db.run_sync(schema.upgrade)
    assert await numbers(pool) == [2, 1]
    await add(pool, rejection(3, body=b"{}"))
    assert await numbers(pool) == [3, 2, 1]


@pytest.fixture
async def letters(session: Session) -> Sequence[Place]:
    """Places of three dead letters in two partitions."""
    for partition, positions in ((0, (4,)), (1, (2, 3))):
        rows = [DeadLetterRow(0, partition, position, position, "bad \0", b"\xff\0") for position in positions]
        await write(session, await session.claim(partition, "me"), dead_letters=rows)
    return [Place(1, 3), Place(1, 2), Place(0, 4)]


async def test_dead_letters_are_listed_by_place(letters: Sequence[Place], pool: AsyncEngine) -> None:
    """The last place first, in pages."""
    async with reading(pool) as db:
        found = await dead_letters.find(db)
        assert [one.place for one in found] == letters
        assert found[0] == (Place(1, 3), 3, "bad ", b"\xff\0", None, None, None)
        assert await dead_letters.find(db, before=letters[0], limit=1) == found[1:2]
        assert await dead_letters.find(db, before=letters[1]) == found[2:]
        assert await dead_letters.get(db, letters[1]) == found[1]
        assert await dead_letters.get(db, Place(1, 4)) is None
        assert await dead_letters.waiting(db) == 3
        assert await dead_letters.positions(db, 1) == {2, 3}


async def test_a_repair_and_a_replay_are_noted_beside_it(letters: Sequence[Place], pool: AsyncEngine) -> None:
    """The letter stays as it is; the last repair counts, also after the replay; one that was replayed does not wait."""
    async with writing(pool) as db:
        await dead_letters.repair(db, letters[0], b"one", 10)
        await dead_letters.repair(db, letters[0], b"two", 20)
        await dead_letters.replayed(db, letters[0], 30)
        await dead_letters.replayed(db, letters[2], 40)
    async with reading(pool) as db:
        first, second, third = await dead_letters.find(db)
        assert (first.value, first.repaired, first.repaired_at, first.replayed_at) == (b"\xff\0", b"two", 20, 30)
        assert (second.repaired, second.repaired_at, second.replayed_at) == (None, None, None)
        assert (third.repaired, third.repaired_at, third.replayed_at) == (None, None, 40)
        assert await dead_letters.find(db, replayed=False) == [second]
        assert await dead_letters.find(db, replayed=True) == [first, third]
        assert await dead_letters.waiting(db) == 1
        assert await reads.dead_letter_count(db) == 3


async def test_a_stager_lists_what_it_does_not_follow(pool: AsyncEngine, session: Session) -> None:
    """With what it writes, and only then; of each code so many and no more, whoever wrote them."""
    await add(pool, rejection(0))
    claim = await session.claim(0, "me")
    refused = [rejection(n, code="alias_refused", message="half \ud800") for n in range(1, REJECTIONS_OF_A_CODE + 1)]
    claim = await write(session, claim, rejections=refused)
    assert await numbers(pool, code="alias_refused", limit=9_999) == [*range(REJECTIONS_OF_A_CODE, 0, -1)]
    claim = await write(session, claim, rejections=[rejection(9_000, code="alias_refused"), rejection(9_001)])
    await write(session, claim, rejections=[rejection(9_002, code="alias_refused")])
    assert len(await numbers(pool, code="alias_refused", limit=9_999)) <= REJECTIONS_OF_A_CODE + 1
    assert await numbers(pool, limit=4) == [9_002, 9_001, 9_000, REJECTIONS_OF_A_CODE]
    assert await numbers(pool, code="missing_id") == [9_001, 0]
    with pytest.raises(Fenced):
        await write(session, claim, rejections=[rejection(9_003)])
    assert await numbers(pool, code="missing_id") == [9_001, 0]
