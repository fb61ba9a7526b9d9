"""The store in PostgreSQL, for any number of processes and machines. asyncpg, one connection a session.

A session outlives its connection: what the connection was doing when it broke is StoreUnavailable, the next call
makes another. The server's own time-outs end what a process that was stopped has left open.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Concatenate, ParamSpec, TypeVar

import asyncpg

from shared.store import postgres_reads, postgres_writes, schema, versions
from shared.store.port import Conflict, StoreUnavailable
from shared.store.postgres_reads import Connection
from shared.store.rows import (
    Amendment,
    Catalog,
    Changes,
    Claim,
    CustomerRow,
    Fill,
    Identity,
    JourneyRow,
    LedgerRow,
    LinkRow,
    SnapshotRow,
)

P = ParamSpec("P")
T = TypeVar("T")

_CONFLICTS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.UniqueViolationError)
_OUTAGES = (
    OSError,  # includes every kind of time-out
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, cancelled, statement time-out
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby, after the server we knew has been replaced
    asyncpg.PostgresSystemError,
    asyncpg.InvalidCachedStatementError,  # the schema was changed while we were connected
)


class PostgresSession:
    """A `port.Session`."""

    def __init__(self, dsn: str, lease: float) -> None:
        self._dsn, self._lease = dsn, lease
        self._db: Connection | None = None

    async def _connect(self) -> Connection:
        patience = max(30.0, 2 * self._lease)
        milliseconds = {
            "idle_in_transaction_session_timeout": self._lease,
            "lock_timeout": 2 * self._lease,  # what holds a lock and is stopped is ended within one lease
            "statement_timeout": patience,
            "tcp_user_timeout": self._lease,
        }
        planner = {
            # The arrays' sizes are unknown to the planner: keep it to one plan, of index look-ups.
            "plan_cache_mode": "force_generic_plan",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
            "enable_seqscan": "off",
            "jit": "off",
        }
        return await asyncpg.connect(
            self._dsn,
            timeout=self._lease,
            command_timeout=patience + 5,  # the server has given up by then, unless it is not there
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
            server_settings={
                "application_name": "milepost stager",
                "tcp_keepalives_idle": str(max(1, int(self._lease / 3))),
                **{name: str(max(1, int(seconds * 1000))) for name, seconds in milliseconds.items()},
                **planner,
            },
        )

    async def _run(
        self, work: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        try:
            if self._db is None or self._db.is_closed():
                self._db = await self._connected()
            return await work(self._db, *args, **kwargs)
        except _CONFLICTS as error:
            raise Conflict(str(error)) from error
        except _OUTAGES as error:
            self._disconnect()
            raise StoreUnavailable(str(error) or type(error).__name__) from error
        except asyncpg.InterfaceError as error:
            if self._db is not None and not self._db.is_closed():
                raise
            raise StoreUnavailable(str(error)) from error

    async def _connected(self) -> Connection:
        try:
            return await self._connect()
        except asyncpg.PostgresError as error:  # no such database, wrong password, …
            raise StoreUnavailable(str(error)) from error

    def _disconnect(self) -> None:
        if self._db is not None:
            self._db.terminate()
            self._db = None

    async def close(self) -> None:
        """Ends the connection, and with it what is open."""
        self._disconnect()

    async def claim(self, partition: int, owner: str) -> Claim:
        return await self._run(postgres_writes.claim, partition, owner)

    async def clock(self, held: Sequence[Claim], at_end: bool) -> int:
        return await self._run(postgres_writes.clock, held if at_end else ())

    async def catalog(self) -> Catalog:
        return await self._run(postgres_reads.catalog)

    async def amendments(self) -> list[Amendment]:
        return await self._run(postgres_reads.amendments)

    async def announce(self) -> None:
        await self._run(postgres_writes.announce)

    async def streams_after(self, project: int, after: int, limit: int) -> list[tuple[int, int]]:
        return await self._run(postgres_reads.streams_after, project, after, limit)

    async def names(self, project: int) -> set[tuple[str, str]]:
        return await self._run(postgres_reads.names, project)

    async def identities(self, keys: Sequence[tuple[int, int, str]]) -> dict[tuple[int, int, str], Identity]:
        return await self._run(postgres_reads.identities, keys)

    async def customers(self, ids: Sequence[tuple[int, int]]) -> dict[int, CustomerRow]:
        return await self._run(postgres_reads.customers, ids)

    async def lock(self, ids: Sequence[tuple[int, int]]) -> None:
        await self._run(postgres_writes.lock, ids)

    async def abandon(self) -> None:
        await self._run(postgres_writes.abandon)

    async def streams(self, ids: Sequence[tuple[int, int]]) -> dict[int, list[tuple[int, str, int]]]:
        return await self._run(postgres_reads.streams, ids)

    async def owners(self, project: int, streams: Sequence[int]) -> dict[int, int]:
        return await self._run(postgres_reads.owners, project, streams)

    async def links_of(self, project: int, streams: Sequence[int]) -> list[LinkRow]:
        return await self._run(postgres_reads.links, "stream", project, streams)

    async def links_to(self, project: int, owners: Sequence[int]) -> list[LinkRow]:
        return await self._run(postgres_reads.links, "owner", project, owners)

    async def history(self, project: int, spans: Sequence[tuple[int, int, int]]) -> list[tuple[int, bytes]]:
        return await self._run(postgres_reads.history, project, spans)

    async def ids(self, ids: Sequence[tuple[int, int]]) -> dict[int, bytes]:
        return await self._run(postgres_reads.ids, ids)

    async def snapshot(self, project: int, customer: int, before: int) -> SnapshotRow | None:
        return await self._run(postgres_reads.snapshot, project, customer, before)

    async def ledger(self, ids: Sequence[tuple[int, int]]) -> dict[int, list[LedgerRow]]:
        return await self._run(postgres_reads.ledger, ids)

    async def due(self, partition: int, until: int, limit: int) -> list[tuple[int, int]]:
        return await self._run(postgres_reads.due, partition, until, limit)

    async def queue(self, partition: int, limit: int) -> list[tuple[int, int, int]]:
        return await self._run(postgres_reads.queue, partition, limit)

    async def fills(self, partitions: Sequence[int]) -> list[Fill]:
        return await self._run(postgres_reads.fills, partitions)

    async def to_fill(self, project: int, start: int, until: int, limit: int) -> list[int]:
        return await self._run(postgres_reads.to_fill, project, start, until, limit)

    async def write(self, changes: Changes) -> None:
        await self._run(postgres_writes.write, changes)


class PostgresStore:
    """A `port.Store`."""

    def __init__(self, dsn: str, lease: float) -> None:
        self._dsn, self._lease = dsn, lease

    @asynccontextmanager
    async def session(self) -> AsyncIterator[PostgresSession]:
        session = PostgresSession(self._dsn, self._lease)
        try:
            yield session
        finally:
            await session.close()

    async def check(self) -> None:
        async with self.session() as session:
            schema.verify(await session._run(postgres_reads.revision))

    async def add_journey(self, project: int, name: str, definition: str, hold: bool = False) -> JourneyRow:
        return await versions.add(self._dsn, project, name, definition, hold)


@asynccontextmanager
async def open(dsn: str, lease: float) -> AsyncIterator[PostgresStore]:
    """Opens the store at this address (postgresql://…).

    `lease`: seconds after which the server ends a transaction whose client has gone silent.
    """
    yield PostgresStore(dsn, lease)
