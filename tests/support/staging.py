"""A real stager over a real SQLite log and store, driven step by step: batch cuts, crashes and hand-overs at will."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from services.stager.consumer import Stager
from services.stager.telemetry import Telemetry
from shared.events import Record, Seen, encode
from shared.log.port import Entry, Reader
from shared.log.sqlite import SqliteLog, open_sqlite_log
from shared.settings import Settings
from shared.store import sqlite
from shared.store.port import Session, Store
from shared.store.schema import setup
from tests.support.journeys import teller

PARTITIONS = 2


@cache
def template() -> Path:
    """An empty store's file, made once: copying it is faster than migrating."""
    path = Path(mkdtemp(prefix="milepost-")) / "store.db"
    with ThreadPoolExecutor(1) as pool:  # a loop of its own, whether or not the caller has one
        pool.submit(asyncio.run, setup(path, PARTITIONS, "UTC")).result()
    return path


def record_of(given: dict[str, Any], imported: bool = False) -> Record:
    """The record of a touchpoint as the oracle writes them."""
    properties = given["properties"]
    if given["type"] == "placement":
        properties = {"journey": given["journey"], "stage": given["stage"]}
    return Record(
        project=1,
        id=given["id"],
        type=given["type"],
        at=given["t"],
        received=given["recorded"],
        user=given["user"],
        anonymous=given["anonymous"],
        previous=given["previous"],
        name=given["name"],
        properties=msgspec.Raw(msgspec.json.encode(properties)),
        context=msgspec.Raw(msgspec.json.encode(given["context"])),
        traits=msgspec.Raw(msgspec.json.encode(given["traits"])),
        imported=imported,
        excluded=given.get("excluded", False),
        guarded=given.get("guarded", False),
        seen=Seen(**given["seen"]) if given.get("seen") else None,
    )


class Staging:
    """A log, a store, and any number of stagers over them."""

    def __init__(self, log: SqliteLog, store: Store, stack: AsyncExitStack) -> None:
        self.log, self.store, self._stack = log, store, stack
        self.folder = Path()  #: where the files lie, if `staging` has made them

    @classmethod
    @asynccontextmanager
    async def over(cls, log: SqliteLog, store: Store) -> AsyncIterator["Staging"]:
        """Over a log and a store that are open."""
        async with AsyncExitStack() as stack:
            yield cls(log, store, stack)

    async def append(self, records: Sequence[Record]) -> None:
        """Accepts records, in this order."""
        if records:
            await self.log.append([Entry(record.source.encode(), encode(record)) for record in records])

    async def stager(
        self,
        batch: int = 10_000,
        rewind_limit: int = 5_000,
        cache_bytes: int = 1 << 20,
        wrap: Any = None,
        merge_limit: int = 1_000,
        internal_link: bool = True,
    ) -> "Driven":
        """A stager that knows nothing yet. `wrap` may stand between it and its session."""
        session: Session = await self._stack.enter_async_context(self.store.session())
        reader = await self._stack.enter_async_context(self.log.reader("test"))
        settings = Settings(
            batch=batch,
            rewind_limit=rewind_limit,
            cache_bytes=cache_bytes,
            merge_limit=merge_limit,
            internal_link=internal_link,
        )
        return Driven(wrap(session) if wrap else session, reader, settings)


class Driven(Stager):
    """A stager whose steps the test takes. Its group gives it the partitions in `owned`."""

    owned = frozenset(range(PARTITIONS))

    def __init__(self, session: Session, reader: Reader, settings: Settings) -> None:
        super().__init__(session, _Member(reader, self), settings, Telemetry(CollectorRegistry()), teller(), "test")

    async def stage_all(self) -> None:
        """Stages everything on the log, without looking at the clock."""
        busy = True
        while busy:
            self._not_before.clear()
            await self._assign()
            busy = any([await self._read(partition) for partition in sorted(self.claims)])

    async def step(self) -> None:
        """One batch of each partition, if there is one."""
        self._not_before.clear()
        await self._assign()
        for partition in sorted(self.claims):
            await self._read(partition)

    @property
    def fired_until(self) -> int:
        """The instant up to which all timers have fired."""
        return self.clock - 1

    async def carry_out(self, clock: int) -> None:
        """Carries exclusions out and derives what is queued, with the store's clock at an instant."""
        busy = True
        while busy:
            await self._assign()
            busy = any([await self._derive(partition, clock) for partition in sorted(self.claims)])
            busy = busy or await self._amend()

    async def catch_up(self) -> int:
        """Stages everything, then fires and derives what is due by the store's clock as it stands; that clock.

        The clock is then that of received times alone, as while there is always more to read.
        """
        await self.stage_all()
        while True:
            clock = await self._session.clock([], at_end=False)
            work = [self._sweep, self._derive]
            if not any([await step(partition, clock) for partition in sorted(self.claims) for step in work]):
                return clock

    async def settle(self) -> None:
        """Stages everything, derives what is queued, fires what is due, and fills what is published."""
        await self.stage_all()
        while await self._tick() or await self._fill(busy=False):
            pass


class _Member:
    """A reader that is assigned what its stager owns."""

    def __init__(self, reader: Reader, stager: Driven) -> None:
        self._stager = stager
        self.read, self.ends, self.wait = reader.read, reader.ends, reader.wait

    def assigned(self) -> frozenset[int]:
        return self._stager.owned


@asynccontextmanager
async def staging(
    folder: Path, journeys: Sequence[str], devices: str = "split", zone: str = "UTC"
) -> AsyncIterator[Staging]:
    """An empty log and store in a folder, with these journeys (YAML) in project 1, which splits or joins devices.

    `zone` is the project's.
    """
    shutil.copy(template(), folder / "store.db")
    with sqlite3.connect(folder / "store.db") as db:
        db.execute("UPDATE projects SET devices = ?, time_zone = ?", (devices, zone))
    db.close()
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(open_sqlite_log(folder / "log.db", PARTITIONS, 86_400))
        store = await stack.enter_async_context(sqlite.open(folder / "store.db", 5.0))
        for i, text in enumerate(journeys):
            await store.add_journey(1, f"journey-{i}", text)
        world = Staging(log, store, stack)
        world.folder = folder
        yield world
