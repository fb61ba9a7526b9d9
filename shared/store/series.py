"""Who stood where at many instants, in one question: what `reads.population` tells of each of them.

The sums that make up one instant are those of `reads`; here each row is added to the first instant that it counts for,
and Python adds up, so that the rows read do not grow with the number of instants.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CTE, BigInteger, Select, column, func, literal, select, union_all, values
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events import DAY
from shared.store import tables
from shared.store.reads import ABSENT, Condition
from shared.store.rows import BY_DAY, BY_HOUR, HOUR

#: Before everything.
_BEGINNING = -(1 << 62)
#: The bounds that each instant gives: `stop` is just after it, `days` and `hours` are whole ones before that.
_BOUNDS = ("number", "days_before", "days", "hours_before", "hours", "stop")


async def series(
    db: AsyncConnection, project: int, version: int, at: Sequence[int], known_at: int | None = None
) -> list[dict[int, int]]:
    """Customers by stage number at each of these instants (inclusive, in order), as known at `known_at` or now."""
    if not at:
        return []
    ends = _ends(at)
    parts = _parts(project, version, ends, None if known_at is None else known_at + 1)
    running, found = dict[int, int](), [dict[int, int]() for _ in at]
    rows = sorted((await db.execute(union_all(*parts))).all())
    place = 0
    for number, counts in enumerate(found):
        own = dict[int, int]()
        while place < len(rows) and rows[place][0] == number:
            _, stays, stage, n = rows[place]
            into = running if stays else own
            into[stage] = into.get(stage, 0) + int(n)
            place += 1
        for stage in running | own:
            if n := running.get(stage, 0) + own.get(stage, 0):
                counts[stage] = n
    return found


def _ends(at: Sequence[int]) -> CTE:
    rows, days_before, hours_before = list[tuple[int, ...]](), _BEGINNING, _BEGINNING
    for number, instant in enumerate(at):
        stop = instant + 1
        days, hours = stop - stop % DAY, stop - stop % HOUR
        rows.append((number, days_before, days, hours_before, hours, stop))
        days_before, hours_before = days, hours
    return values(*(column(name, BigInteger) for name in _BOUNDS), name="ends").data(rows).cte("ends")


def _parts(project: int, version: int, ends: CTE, known: int | None) -> list[Select[Any]]:
    """As `reads._as_of`; what counts for an instant counts for those after it where `stays` is 1."""
    rows, entries, end = tables.populations.c, tables.ledger.c, ends.c
    rolled = (rows.project == project, rows.version == version)
    days = (rows.at >= end.days_before, rows.at < end.days)
    hours = (rows.at >= end.days, rows.at < end.hours)
    rest = (entries.at >= end.hours, entries.at < end.stop)

    def summed(level: int, stays: int, *where: Condition) -> Select[Any]:
        of = (end.number, literal(stays), rows.stage)
        return (
            select(*of, func.sum(rows.customers))
            .select_from(ends.join(tables.populations, (rows.level == level) & rolled[0] & rolled[1]))
            .where(*where)
            .group_by(end.number, rows.stage)
        )

    def entered(*where: Condition) -> list[Select[Any]]:
        return [
            select(end.number, literal(0), stage, n * func.sum(entries.sign))
            .select_from(ends.join(tables.ledger, (entries.project == project) & (entries.version == version)))
            .where(stage != ABSENT, *where)
            .group_by(end.number, stage)
            for stage, n in ((entries.target, 1), (entries.source, -1))
        ]

    if known is None:
        return [summed(BY_DAY, 1, *days), summed(BY_HOUR, 0, *hours), *entered(*rest)]
    known_days, known_hours = known - known % DAY, known - known % HOUR
    late_rows = (rows.level == BY_HOUR, rows.recorded >= known_days, rows.recorded < known_hours)
    late_entries = (entries.recorded >= known_hours, entries.recorded < known)
    return [
        summed(BY_DAY, 1, *days, rows.recorded < known_days),
        summed(BY_HOUR, 0, *hours, rows.recorded < known_hours),
        *entered(*rest, entries.recorded < known),
        _placed(ends, "days", select(rows.at, rows.stage, rows.customers.label("n")).where(*rolled, *late_rows)),
        *(
            _placed(
                ends,
                "hours",
                select(entries.at, stage.label("stage"), (n * entries.sign).label("n")).where(
                    entries.project == project, entries.version == version, stage != ABSENT, *late_entries
                ),
            )
            for stage, n in ((entries.target, 1), (entries.source, -1))
        ),
    ]


def _placed(ends: CTE, unit: str, lately: Select[Any]) -> Select[Any]:
    """What was recorded lately, of which there are few rows, found by when that was and added to its instant."""
    at, stage, n = lately.selected_columns
    some = lately.with_only_columns(at.label("at"), stage.label("stage"), func.sum(n).label("n"))
    few = some.group_by(at, stage).subquery()
    bounds = (few.c.at >= ends.c[f"{unit}_before"]) & (few.c.at < ends.c[unit])
    of = (ends.c.number, literal(1), few.c.stage)
    return select(*of, func.sum(few.c.n)).select_from(ends.join(few, bounds)).group_by(ends.c.number, few.c.stage)
