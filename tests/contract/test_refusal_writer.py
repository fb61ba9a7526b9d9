"""What ingest notes comes to lie in the store once, on both databases."""

import asyncio
import time

from sqlalchemy.ext.asyncio import AsyncEngine

from services.commands.refusals import HELD, RefusalWriter
from services.ingest.refusals import Refusal
from shared.events import SECOND
from shared.store import rejections
from shared.store.engine import reading
from shared.store.rejections import KEPT
from tests.support.processes import eventually

NOW = time.time_ns() // 1000


def refusal(index: int, received: int = NOW) -> Refusal:
    """One of a request's, with a code of its own to each thousand."""
    return Refusal(1, 1, received, index, f"code_{index // 1000}", "userId", "why", 2, b"{}")


async def indexes(pool: AsyncEngine) -> list[int]:
    """Those in the store, as they were noted."""
    async with reading(pool) as db:
        return [one.rejection.index for one in await rejections.find(db, 1, limit=100_000)][::-1]


async def test_each_is_written_once(pool: AsyncEngine) -> None:
    """Many who flush at once write each refusal once; what is noted beyond what is held is not written."""
    writer = RefusalWriter(pool)
    for index in range(HELD + 10):
        writer.note(refusal(index))
    await asyncio.gather(*(writer.flush() for _ in range(5)))
    assert await indexes(pool) == list(range(HELD))
    writer.note(refusal(7))
    await writer.flush()
    await writer.flush()
    assert len(await indexes(pool)) == HELD + 1


async def test_it_writes_by_itself_and_forgets(pool: AsyncEngine) -> None:
    """While it runs, what is noted is written within seconds, and what is too old goes when it starts."""
    writer, stop = RefusalWriter(pool), asyncio.Event()
    writer.note(refusal(1, NOW - KEPT - SECOND))
    await writer.flush()
    assert await indexes(pool) == [1]
    running = asyncio.create_task(writer.run(stop))
    writer.note(refusal(2))

    async def written() -> bool:
        return await indexes(pool) == [2]

    await eventually(written)
    stop.set()
    await running
