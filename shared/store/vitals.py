"""Whether what the store sums up comes out even, and how large it is: cheap enough to be asked at every scrape.

`milepost check` counts the same from the rows themselves. Every function takes a connection from `engine.reading`.
"""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.store import tables
from shared.store.reads import ABSENT, Position
from shared.store.rows import TOTAL


async def dead_letters(db: AsyncConnection) -> dict[int, int]:
    """Dead letters by partition, replayed ones included."""
    row = tables.dead_letters.c
    found = await db.execute(select(row.partition, func.count()).group_by(row.partition))
    return {partition: int(n) for partition, n in found}


def unaccounted(position: Position, dead: Mapping[int, int]) -> int:
    """Records of a partition before its position of which the store does not say what became of them."""
    told = position.staged + position.duplicates + position.lost + dead.get(position.partition, 0)
    return position.position - told


async def difference(db: AsyncConnection, project: int, version: int, moved: Mapping[tuple[int, int], int]) -> int:
    """By how many customers a version's counts differ from its moves that stand, given by (source, target)."""
    row = tables.populations.c
    of = (row.project == project, row.version == version, row.level == TOTAL)
    counted = await db.execute(select(row.stage, func.sum(row.customers)).where(*of).group_by(row.stage))
    left = {stage: int(n) for stage, n in counted}
    for (source, target), n in moved.items():
        left[target] = left.get(target, 0) - n
        left[source] = left.get(source, 0) + n
    return sum(abs(n) for stage, n in left.items() if stage != ABSENT)


async def size(db: AsyncConnection) -> int:
    """Bytes of the database. On PostgreSQL it looks at every file of it."""
    if db.dialect.name == "postgresql":
        return int(await db.scalar(select(func.pg_database_size(func.current_database()))) or 0)
    pages = (await db.exec_driver_sql("PRAGMA page_count")).scalar_one()
    return int(pages) * int((await db.exec_driver_sql("PRAGMA page_size")).scalar_one())
