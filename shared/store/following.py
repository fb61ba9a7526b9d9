"""What has been written since a moment, for whoever watches. The same on both databases.

Every function takes a connection from `engine.reading`.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.store import tables
from shared.store.rows import LedgerRow


async def next_seqs(db: AsyncConnection) -> dict[int, int]:
    """The number that each writer's next ledger entry will have."""
    rows = tables.positions.c
    return {row[0]: row[1] for row in await db.execute(select(rows.partition, rows.next_seq))}


async def entries(
    db: AsyncConnection, project: int, versions: Sequence[int], since: Mapping[int, int], recorded: int, limit: int
) -> list[LedgerRow]:
    """Ledger entries with numbers from `since` (by writer) on that were recorded at or after `recorded`.

    Oldest first, at most `limit` of them. Those recorded earlier (of old events, and of timers noticed late) are left
    out: no index leads to them, as one would cost every write.
    """
    rows = tables.ledger.c
    fresh = or_(*(and_(rows.writer == writer, rows.seq >= seq) for writer, seq in since.items()))
    found = await db.execute(
        select(tables.ledger)
        .where(rows.project == project, rows.version.in_(versions), rows.recorded >= recorded, fresh)
        .order_by(rows.recorded, rows.writer, rows.seq)
        .limit(limit)
    )
    return [LedgerRow(*row) for row in found]
