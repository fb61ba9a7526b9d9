"""What only a server can do to a session: end its connection, go away, answer nothing; and what a stopped client can
do to the others."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from shared.store import postgres_writes
from shared.store.port import Session, Store, StoreUnavailable
from tests.contract.store_backends import after, changes, customer, new_store, open_store, touchpoints, write
from tests.support.postgres import Postgres
from tests.support.processes import Processes, eventually

END_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'milepost stager'"


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """An empty store in PostgreSQL."""
    async with new_store(database) as made:
        yield made


@pytest.fixture
async def session(store: Store) -> AsyncIterator[Session]:
    """A session on it."""
    async with store.session() as made:
        yield made


async def test_a_session_survives_its_connection(session: Session, postgres: Postgres, database: str) -> None:
    """A connection that the server ends is StoreUnavailable once, and the next call works, with what was committed."""
    claim = await session.claim(0, "me")
    claim = await write(session, claim, new_customers=[customer(claim)])
    postgres.execute(END_ALL, database)
    with pytest.raises(StoreUnavailable):
        await session.catalog()
    assert await session.claim(0, "me") == claim._replace(epoch=claim.epoch + 1)


async def test_what_was_locked_is_lost_with_the_connection(
    store: Store, session: Session, postgres: Postgres, database: str
) -> None:
    """A transaction whose connection the server ends leaves no trace and no lock."""
    claim = await session.claim(0, "me")
    row = customer(claim, -100)
    claim = await write(session, claim, new_customers=[row])
    generation = (await session.catalog()).generation
    await session.lock([(1, row.customer)])
    postgres.execute(END_ALL, database)
    with pytest.raises(StoreUnavailable):
        await session.write(changes(claim, generation, customers=[row._replace(count=9)]))
    async with store.session() as other:
        theirs = await other.claim(1, "other")
        await write(other, theirs, customers=[row._replace(count=5)])
    assert (await session.customers([(1, row.customer)]))[row.customer].count == 5
    assert await session.claim(0, "me") == claim._replace(epoch=claim.epoch + 1)


async def test_a_server_that_restarts(start_postgres: Callable[..., Postgres]) -> None:
    """While the server is down every call is StoreUnavailable; when it is back the same session goes on."""
    server = start_postgres()
    async with new_store(server.create_database()) as store, store.session() as session:
        claim = await session.claim(0, "me")
        claim = await write(session, claim, new_customers=[customer(claim)])
        server.kill()
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await session.catalog()
        with pytest.raises(StoreUnavailable):
            await store.check()
        await asyncio.to_thread(server.start)
        assert await session.claim(0, "me") == claim._replace(epoch=claim.epoch + 1)


async def test_a_customer_lies_in_one_place(store: Store, postgres: Postgres, database: str) -> None:
    """The packed columns are kept in the customer's row whatever their size, so that reading it is one look-up."""
    sql = "SELECT attname FROM pg_attribute WHERE attrelid = 'customers'::regclass AND attstorage = 'm' ORDER BY 1"
    assert postgres.execute(sql, database).split() == ["recent", "states"]


class Proxy:
    """A way to the server that brings no more answers once the client has said `last_word`."""

    def __init__(self, port: int) -> None:
        self._port, self.last_word, self._deaf = port, b"nothing yet", False
        self._writers = list[asyncio.StreamWriter]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Joins a client to the server."""
        answers, server = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, server]
        await asyncio.gather(self._ask(reader, server), self._answer(answers, writer))

    async def _ask(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                self._deaf = self._deaf or self.last_word in data
                server.write(data)
        server.close()

    async def _answer(self, answers: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await answers.read(1 << 16):
                if not self._deaf:
                    writer.write(data)
        writer.close()

    def cut(self) -> None:
        """Ends every connection; the next one is answered."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()
        self.last_word, self._deaf = b"nothing yet", False


@asynccontextmanager
async def proxied(dsn: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before the server of this address, and the address through it."""
    user, _, rest = dsn.partition("@127.0.0.1:")
    port, _, name = rest.partition("/")
    proxy = Proxy(int(port))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with server:
        yield proxy, f"{user}@127.0.0.1:{server.sockets[0].getsockname()[1]}/{name}"
        proxy.cut()


@pytest.mark.parametrize(
    ("rows", "last_word"), [(1, b""), (2 * postgres_writes.BULK, b"COMMIT")], ids=["statement", "transaction"]
)
async def test_a_commit_whose_answer_is_lost(session: Session, database: str, rows: int, last_word: bytes) -> None:
    """A write that was committed unheard is StoreUnavailable; the position then tells that it was done."""
    history = [touchpoints(5, 1, 2)] * rows
    async with proxied(database) as (proxy, address), open_store(address) as store, store.session() as mine:
        claim = await write(mine, await mine.claim(0, "me"), history=history)
        made = changes(claim, (await mine.catalog()).generation, history=history)
        proxy.last_word = last_word
        writing = asyncio.create_task(mine.write(made))

        async def committed() -> bool:
            return len(await session.history(1, [(5, 0, 9)])) == 2 * rows

        await eventually(committed)
        proxy.cut()
        with pytest.raises(StoreUnavailable):
            await writing
        assert await mine.claim(0, "me") == after(made)._replace(epoch=claim.epoch + 1)


@pytest.mark.parametrize("where", ["locked", "history", "new_customers"])
async def test_a_stopped_process_holds_nobody_longer_than_the_lease(
    session: Session, database: str, processes: Processes, where: str
) -> None:
    """A process stopped inside a transaction keeps neither its partition nor its customers from the next owner, and
    writes nothing when it wakes up."""
    lease = 1.5
    claim = await session.claim(0, "before")
    row = customer(claim, -100)
    await write(session, claim, new_customers=[row])
    child = processes.start(
        sys.executable, "-m", "tests.contract.store_child", database, str(lease), str(row.customer), where
    )
    await asyncio.to_thread(child.wait_for, "stopping")
    started = time.monotonic()
    claim = await session.claim(0, "next")
    await write(session, claim, customers=[row._replace(count=2)], new_customers=[customer(claim)])
    assert time.monotonic() - started < lease + 1
    child.resume()
    await asyncio.to_thread(child.wait_for, "refused: (StoreUnavailable|Fenced)")
    found = (await session.customers([(1, row.customer)]))[row.customer]
    assert (found.count, found.revision) == (2, 1)
    assert await session.history(1, [(row.customer, 0, 1 << 60)]) == []
