"""Versions published, gone back from, paused and retired between any batches, crashes and hand-overs: the store is what
`derive` gives for every version that is folded, and the version last asked for answers."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from services.stager import consumer
from shared.store import reads, versions
from shared.store.engine import engine, reading, writing
from shared.store.versions import VersionRefused, answering
from tests.properties.test_stager import MEMORY, check_books, entangled, histories
from tests.support.crashing import Crash, Crashing
from tests.support.ledgers import sqlite_books
from tests.support.small import JOURNEY
from tests.support.staging import Driven, Staging, record_of, staging

NAME = "small"
TEXTS = (
    JOURNEY,
    JOURNEY.replace("enter: {quiet: 1d}", "enter: {quiet: 2d}"),
    JOURNEY.replace("at_least: 2}", "at_least: 1}"),
    JOURNEY.replace("within: 2d, ", ""),
)

#: What may happen: records arrive, a stager takes a turn, somebody changes versions.
steps = st.one_of(
    st.tuples(st.just("arrive"), st.integers(1, 8)),
    st.tuples(st.sampled_from(["read", "tick", "fill", "fill", "settle", "settle"]), st.integers(0, 1)),
    st.tuples(st.sampled_from(["publish", "publish", "hold"]), st.integers(0, len(TEXTS) - 1)),
    st.tuples(st.sampled_from(["cut_over", "roll_back", "pause", "resume"]), st.just(0)),
    st.tuples(st.sampled_from(["cut_over", "roll_back", "retire"]), st.integers(1, 4)),
    st.tuples(st.just("crash"), st.tuples(st.integers(0, 25), st.booleans())),
)


@pytest.fixture(scope="module", autouse=True)
def small_steps() -> Iterator[None]:
    """A back-fill goes on by one customer at a time, so that much comes between."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consumer, "FILL", 1)
        yield


class Play:
    """A store at which things happen, one after another; it remembers what the end is judged by."""

    def __init__(self, world: Staging, path: Path, database: AsyncEngine, batch: int, limit: int) -> None:
        self._world, self._path, self._database, self._batch, self._limit = world, path, database, batch, limit
        self._stagers = list[Driven]()
        self.asked = 0  #: the version last asked for
        self.retired = dict[int, list[Any]]()  #: the ledger of each retired version as it was then

    async def happens(self, what: str, how: Any) -> None:
        """One of `steps`; what the store refuses changes nothing."""
        while len(self._stagers) < 2:
            self._stagers.append(await self._stager())
        if what == "read":
            await self._stagers[how].step()
        elif what == "settle":
            await self._stagers[how].settle()
        elif what == "tick":
            await self._stagers[how]._assign()
            await self._stagers[how]._tick()
        elif what == "fill":
            await self._stagers[how]._fill(busy=False)
        elif what in ("publish", "hold"):
            row = await self._world.store.add_journey(1, NAME, TEXTS[how], hold=what == "hold")
            self.asked = row.version if what == "publish" else self.asked
        elif what == "crash":
            at, after = how
            stager = await self._stager(partial(Crashing, at=at, after=after))
            try:
                await stager.settle()
            except Crash:
                self._stagers.clear()
        else:
            await self._change(what, how or None)

    async def _change(self, what: str, number: int | None) -> None:
        try:
            async with writing(self._database) as db:
                row = await getattr(versions, what)(db, 1, NAME, number)
        except VersionRefused:
            return
        if what in ("cut_over", "roll_back"):
            self.asked = row.version
        elif what == "retire":
            self.retired[row.version] = self.ledger(row.version)

    def ledger(self, version: int) -> list[Any]:
        """Everything that the ledger says of a version."""
        with sqlite3.connect(self._path) as db:
            return db.execute("SELECT * FROM ledger WHERE version = ? ORDER BY writer, seq", (version,)).fetchall()

    async def _stager(self, wrap: Any = None) -> Driven:
        return await self._world.stager(batch=self._batch, rewind_limit=self._limit, wrap=wrap)

    async def end(self) -> int:
        """Everything is filled, what was paused, too; the instant up to which timers have fired."""
        while True:
            try:
                async with writing(self._database) as db:
                    rows = await reads.journeys(db, 1)
                    paused = next(row.number for row in rows if row.paused and not row.filled and not row.retired_at)
                    await versions.resume(db, 1, NAME, paused)
            except StopIteration:
                break
        stager = await self._world.stager()
        await stager.settle()
        return stager.fired_until


@pytest.mark.timeout(900)
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(histories, entangled),
    st.integers(1, 20),
    st.lists(steps, max_size=25),
    st.integers(1, 7),
    st.integers(2, 50),
)
def test_every_folded_version_is_what_derive_gives(
    history: list[dict[str, Any]], first: int, happening: list[tuple[str, Any]], batch: int, limit: int
) -> None:
    """Whatever happens in between; a retired version's ledger is as it was at its end."""

    async def played() -> None:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            path = Path(folder) / "store.db"
            async with staging(Path(folder), []) as world:
                database = engine(path)
                play = Play(world, path, database, batch, limit)
                left = list(history)
                for what, how in [("publish", 0), ("arrive", first), ("settle", 0), *happening]:
                    if what == "arrive":
                        await world.append([record_of(one) for one in left[:how]])
                        left = left[how:]
                    else:
                        await play.happens(what, how)
                await world.append([record_of(one) for one in left])
                now = await play.end()
                async with reading(database) as db:
                    rows = await reads.journeys(db, 1)
                await database.dispose()
            (current,) = answering(rows)
            assert current.version == play.asked
            for row in rows:
                if row.retired_at is None:
                    assert row.filled
                    check_books(sqlite_books(path, now, row.version), history, row.definition)
                else:
                    assert play.ledger(row.version) == play.retired[row.version]

    asyncio.run(played())
