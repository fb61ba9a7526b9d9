"""The names that a project's site sends, and how often: what `milepost journeys fit` reads. On both databases."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.journeys.fit import Met
from shared.store import tables


async def met(db: AsyncConnection, project: int) -> list[Met]:
    """Every name that is counted, and the others together; a connection from `engine.reading`."""
    rows = tables.names.c
    counted = select(rows.type, rows.name, func.sum(rows.n), func.min(rows.first_at), func.max(rows.last_at))
    found = await db.execute(counted.where(rows.project == project).group_by(rows.type, rows.name))
    return [Met(type, name, int(n), first, last) for type, name, n, first, last in found]
