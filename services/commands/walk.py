"""Every record of the log, looked for among the stored touchpoints: for `milepost check --deep`.

It trusts neither counters nor the stager's own memory of ids: it decodes the log and the stored touchpoints, and
compares. What it has to remember lies in a temporary file, so that memory does not grow with the log.
"""

import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import closing
from hashlib import blake2b

from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.counting import Partition, Report
from shared.events import Record, Undecodable, read, unpack
from shared.log.port import Log, Reader
from shared.store import amendments, dead_letters, reads, recount

#: Records read from the log at once, and seconds that a read may have nothing to give.
CHUNK, WAIT = 5_000, 0.2

_SCHEMA = "CREATE TABLE {} (id BLOB, source BLOB, PRIMARY KEY (id, source)) WITHOUT ROWID"


async def walk(db: AsyncConnection, log: Log, report: Report) -> None:
    """Adds to the report what it finds wrong. `db` reads as of the moment of the report."""
    with closing(sqlite3.connect("")) as found:  # a private file that goes with the connection
        for table in ("logged", "stored"):
            found.execute(_SCHEMA.format(table))
        report.walked, whole = 0, True
        async with log.onlooker() as reader:
            for partition in report.partitions:
                start = await log.start(partition.partition)
                whole &= start == 0
                dead = await dead_letters.positions(db, partition.partition)
                report.walked += await _logged(found, reader, partition, start, dead, report)
        projects = [project.project for project in await reads.projects(db)]
        exclusions = {project: await amendments.exclusions(db, project) for project in projects}

        def hides(record: Record) -> bool:
            return record.project in exclusions and exclusions[record.project].hidden(record)

        async for body in recount.bodies(db):
            records = [record for _, record in unpack(body)]
            report.excluded += sum(record.excluded or hides(record) for record in records)
            if twice := len(records) - _insert(found, "stored", records):
                report.faults.append(f"{twice:,} touchpoints of {records[0].source} are stored twice")
        _compare(found, whole, report)


async def _logged(
    found: sqlite3.Connection, reader: Reader, partition: Partition, start: int, dead: set[int], report: Report
) -> int:
    """Notes the records from `start` to the stored position; returns how many values there were."""
    values = letters = undecodable = 0
    async for position, chunk in _chunks(reader, partition.partition, start, partition.end - partition.pending):
        records = []
        for at, value in enumerate(chunk, position):
            if at in dead:  # whether this version could read it or not
                letters += 1
                continue
            try:
                records.append(read(value))
            except Undecodable:
                undecodable += 1
        _insert(found, "logged", records)
        values += len(chunk)
    if undecodable:
        report.faults.append(
            f"partition {partition.partition}: {undecodable:,} records cannot be decoded and are no dead letters"
        )
    if start == 0 and letters != len(dead):
        report.faults.append(
            f"partition {partition.partition}: {len(dead) - letters:,} dead letters lie where nothing is on the log"
        )
    return values


async def _chunks(reader: Reader, partition: int, position: int, end: int) -> AsyncIterator[tuple[int, list[bytes]]]:
    while position < end:
        chunk = await reader.read(partition, position, min(CHUNK, end - position))
        if chunk.values:
            yield position, chunk.values
        else:
            await reader.wait(WAIT)
        position = chunk.next


def _insert(found: sqlite3.Connection, table: str, records: Iterable[Record]) -> int:
    """Notes (id, source) of each; returns how many were not noted yet."""
    before = found.total_changes
    keys = (
        (_key(f"{record.project}:{record.id}"), _key(f"{record.user is None}:{record.source}")) for record in records
    )
    found.executemany(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", keys)  # noqa: S608 - one of two names
    return found.total_changes - before


def _key(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _compare(found: sqlite3.Connection, whole: bool, report: Report) -> None:
    # An id sent again under another identifier of the same customer is one touchpoint, so ids decide.
    (missing,) = found.execute("SELECT count(*) FROM (SELECT id FROM logged EXCEPT SELECT id FROM stored)").fetchone()
    if missing:
        report.faults.append(f"{missing:,} ids on the log are not among the touchpoints")
    if whole:  # else what was stored may have left the log since
        (unknown,) = found.execute(
            "SELECT count(*) FROM (SELECT id, source FROM stored EXCEPT SELECT id, source FROM logged)"
        ).fetchone()
        if unknown:
            report.faults.append(f"{unknown:,} touchpoints are stored that were never on the log")
