"""A server that is thrown away: for the tests of a site, which empty it between themselves."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from services.commands.refusals import RefusalWriter
from shared.log.port import Log
from shared.runtime import Work
from shared.store import ephemeral, reads
from shared.store.engine import reading, writing

#: Seconds between two looks at whether everything is staged.
LOOK = 0.02


class Pausable:
    """A task that can be ended and begun again."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._turn = asyncio.Lock()
        self._asked = 0
        self._end = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Works until told to stop, but for the pauses."""
        while not stop.is_set():
            async with self._turn:
                if not self._asked:
                    await self._until(stop)
                    if not (stop.is_set() or self._asked):
                        return  # it ended on its own
            await asyncio.sleep(0)

    async def _until(self, stop: asyncio.Event) -> None:
        end = self._end = asyncio.Event()
        stopped = asyncio.ensure_future(stop.wait())
        stopped.add_done_callback(lambda _: end.set())
        try:
            await self._work(end)
        finally:
            stopped.cancel()

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Inside, the work has ended; it begins again afterwards."""
        self._asked += 1
        self._end.set()
        try:
            async with self._turn:
                yield
        finally:
            self._asked -= 1


class Trial:
    """The server, as `services.metrics.api.ephemeral` knows it."""

    def __init__(self, log: Log, database: AsyncEngine, refusals: RefusalWriter, stager: Pausable) -> None:
        self._log, self._database, self._refusals, self._stager = log, database, refusals, stager

    async def settled(self, seconds: float) -> bool:
        """Waits until everything that was accepted or refused before can be seen; False if that takes longer."""
        await self._refusals.flush()
        ends = await self._ends()
        until = time.monotonic() + seconds
        while not await self._staged(ends):
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(LOOK)
        return True

    async def _staged(self, ends: dict[int, int]) -> bool:
        async with reading(self._database) as db:
            behind = any(one.position < ends.get(one.partition, 0) for one in await reads.positions(db))
            return not behind and not any(
                [await reads.behind(db, project.project) for project in await reads.projects(db)]
            )

    async def reset(self) -> None:
        """Forgets every event and what came of it, and keeps journeys, keys and tokens."""
        ends = await self._ends()
        async with self._stager.paused():
            await self._refusals.flush()
            async with writing(self._database) as db:
                await ephemeral.empty(db, ends)

    async def _ends(self) -> dict[int, int]:
        return {partition: await self._log.end(partition) for partition in range(self._log.partitions)}
