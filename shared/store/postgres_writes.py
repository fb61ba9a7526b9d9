"""What a PostgreSQL session writes: one fenced statement a batch, and before it a COPY of each long list."""

from collections.abc import Sequence

import asyncpg

from shared.store.port import CLOCK_GRACE, Conflict, Fenced, StoreMismatch
from shared.store.postgres_reads import Connection, columns
from shared.store.postgres_sql import COPIED, INCOMING, fence, incoming, rows_of, statement
from shared.store.rows import UNTOLD, Changes, Claim
from shared.store.schema import REMEDY

#: Rows from which a COPY, with the round trips of a transaction of its own, is cheaper than the statement's arrays.
BULK = 250


async def claim(db: Connection, partition: int, owner: str) -> Claim:
    """Takes the partition, whoever held it."""
    await abandon(db)
    row = await db.fetchrow(
        "UPDATE positions SET epoch = epoch + 1, owner = $2 WHERE partition = $1"
        " RETURNING partition, epoch, position, next_id, next_seq, clock",
        partition,
        owner,
    )
    if row is None:
        raise StoreMismatch(f"the store has no partition {partition}: {REMEDY} with as many partitions as the log has")
    return Claim(*row)


async def clock(db: Connection, at_end: Sequence[Claim]) -> int:
    """The least of all clocks, after raising those of the partitions that are read to the end. Raises Fenced.

    A row that is locked (being written, or claimed) is left as it is: waiting for it could close a circle of waits.
    """
    [(least, lost)] = await db.fetch(
        "WITH raised AS (UPDATE positions SET clock = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - $4"
        "  WHERE partition IN (SELECT partition FROM positions"
        "   JOIN unnest($1::int[], $2::bigint[], $3::bigint[]) AS x(partition, epoch, position)"
        "   USING (partition, epoch, position)"
        "   WHERE clock < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - $4"
        "   FOR UPDATE OF positions SKIP LOCKED)"
        "  RETURNING partition, clock)"
        " SELECT min(coalesce(raised.clock, positions.clock)),"
        "  min(x.partition) FILTER (WHERE x.epoch <> positions.epoch)"
        " FROM positions LEFT JOIN raised USING (partition)"
        " LEFT JOIN unnest($1::int[], $2::bigint[]) AS x(partition, epoch) USING (partition)",
        *columns([(held.partition, held.epoch, held.position) for held in at_end], 3),
        CLOCK_GRACE,
    )
    if lost is not None:
        raise Fenced(f"partition {lost} was claimed by somebody else")
    return int(least)


async def abandon(db: Connection) -> None:
    """Ends a transaction without a trace."""
    if db.is_in_transaction():
        await db.execute("ROLLBACK")


async def lock(db: Connection, ids: Sequence[tuple[int, int]]) -> None:
    """Opens a transaction and takes the customers' row locks, in order of id."""
    await abandon(db)
    await db.execute("BEGIN")
    await db.fetch(
        "SELECT FROM customers"
        " JOIN unnest($1::int[], $2::bigint[]) AS x(project, customer) USING (project, customer)"
        " ORDER BY customers.project, customers.customer FOR UPDATE OF customers",
        *columns(ids, 2),
    )


async def write(db: Connection, changes: Changes) -> None:
    """Writes everything or nothing.

    A statement alone is a transaction that no stopped client can hold open. COPY waits for its client, without end: so
    it comes before anything is locked or has a unique key, and not at all if `lock` has locked something.
    """
    rows = rows_of(changes)
    locked = db.is_in_transaction()
    bulk = [] if locked else [part for part in COPIED if len(rows.get(part, ())) >= BULK]
    try:
        if bulk:
            await db.execute("; ".join(["BEGIN", *(incoming(part) for part in bulk if part in INCOMING)]))
        for part in bulk:
            await db.copy_records_to_table(COPIED[part], records=rows[part])
        parts = tuple((part, part in bulk) for part in rows if part not in bulk or part in INCOMING)
        arrays = [column for part, copied in parts if not copied for column in zip(*rows[part], strict=True)]
        await db.fetchval(statement(parts), *fence(changes), *arrays)
        if bulk or locked:
            await db.execute("COMMIT")
    except BaseException as error:
        if not db.is_closed():
            await abandon(db)
        if isinstance(error, asyncpg.DivisionByZeroError):
            raise await _refusal(db, changes.claim) from None
        raise


async def announce(db: Connection) -> None:
    """Makes every stager read the amendments that it was not told of."""
    async with db.transaction():
        await db.execute("LOCK TABLE catalog IN EXCLUSIVE MODE")  # as `amendments` does
        await db.execute("UPDATE catalog SET generation = generation + 1")
        await db.execute("UPDATE amendments SET place = 0 WHERE place = $1", UNTOLD)


async def _refusal(db: Connection, held: Claim) -> Fenced | Conflict:
    """Why the statement's guard did not hold."""
    sql = "SELECT 1 FROM positions WHERE partition = $1 AND epoch = $2 AND position = $3"
    if await db.fetchval(sql, held.partition, held.epoch, held.position):
        return Conflict("a customer's row, an amendment or the journeys in force changed since they were read")
    return Fenced(f"partition {held.partition} is no longer at epoch {held.epoch}, position {held.position}")
