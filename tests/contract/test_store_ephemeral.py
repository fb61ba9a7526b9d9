"""What a store that is thrown away can do, on both databases."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.exclusion import Filter
from shared.store import admin, amendments, dead_letters, ephemeral, recount, rejections
from shared.store.engine import reading, writing
from shared.store.ephemeral import STAY
from shared.store.rows import DeadLetterRow, QuarantineRow, Rejection, SnapshotRow
from tests.contract.store_backends import write
from tests.support.asking import SHOP, Site, record, site
from tests.support.staging import Staging


@pytest.fixture
async def shop(address: str | Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A shop with a customer of everything."""
    async with site(address, tmp_path) as made:
        link = record("2", "2024-03-01T11:00", type="identify", anonymous="dev", user="u1", traits={"email": "a@b.c"})
        await made.receive(record("1", "2024-03-01T10:00", name="Order Completed"), link)
        async with writing(made.database) as db:
            await rejections.add(db, [Rejection(1, 1, 1 << 60, 0, "missing_id", "", "why")])
            await dead_letters.replayed(db, dead_letters.Place(0, 9), 1)
            await amendments.exclude(db, 1, Filter(ids=("nobody",)), "ops", "a test")
        await made.store.add_journey(1, "shop", SHOP.replace("visitor", "guest"))
        async with made.store.session() as session:
            await write(
                session,
                await session.claim(0, "test"),
                snapshots=[SnapshotRow(1, 1, 1, 1, "a", b"")],
                timers=[(1, 1, 1 << 60)],
                queued=[(1, 1, 0, 1)],
                quarantined=[QuarantineRow(1, 1, 1, 1, "error")],
                dead_letters=[DeadLetterRow(0, 0, 9, 1, "bad", b"")],
            )
        yield made


async def sizes(database: AsyncEngine) -> dict[str, int]:
    """Rows of every table."""
    async with reading(database) as db:
        return await recount.sizes(db)


async def test_an_emptied_store_knows_nobody_and_goes_on(shop: Site) -> None:
    """Every table but those that stay is empty; what comes afterwards is staged, an id that was there before, too."""
    before = await sizes(shop.database)
    assert all(n for name, n in before.items() if name not in STAY), before
    ends = {partition: await shop.log.end(partition) for partition in range(shop.log.partitions)}
    async with writing(shop.database) as db:
        await ephemeral.empty(db, ends)
    after = await sizes(shop.database)
    assert after == {name: n if name in STAY else 0 for name, n in before.items()}
    async with AsyncExitStack() as stack:
        again = Staging(shop.log, shop.store, stack)  # type: ignore[arg-type] # a site's log is SQLite's
        await again.append([record("1", "2024-03-01T10:00", name="Order Completed")])
        await (await again.stager()).settle()
    assert await held(shop.database) == ["1"]


async def held(database: AsyncEngine) -> list[str]:
    """The ids of the touchpoints, in their order."""
    async with reading(database) as db:
        return [one.id for _, one in await ephemeral.touchpoints(db, 1)]


async def test_secrets_are_chosen(shop: Site) -> None:
    """The key and the token answer to the texts given, and to what they were no longer; None leaves them."""
    async with writing(shop.database) as db:
        _, old = await admin.create_write_key(db, 1, "shop")
        await ephemeral.choose_secrets(db, "wk_chosen", None)
    async with reading(shop.database) as db:
        assert set(await admin.write_keys(db)) == {admin.hashed("wk_chosen")}
        assert set(await admin.query_tokens(db)) == {admin.hashed(shop.token)}
        assert old != "wk_chosen"
