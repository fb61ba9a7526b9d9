"""What a PostgreSQL session reads: `port.Session`'s questions, each one statement on one connection."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import asyncpg

from shared.store.rows import (
    CURRENT,
    DONE,
    Amendment,
    Catalog,
    CustomerRow,
    Fill,
    Identity,
    JourneyRow,
    LedgerRow,
    LinkRow,
    SnapshotRow,
)

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection  # takes no parameters when it runs


def columns(rows: Iterable[Sequence[Any]], width: int) -> list[tuple[Any, ...]]:
    """Rows turned into columns, as arrays to pass; `width` columns even if there are no rows."""
    return list(zip(*rows, strict=True)) or [()] * width


async def revision(db: Connection) -> str | None:
    """The schema's revision, None without one."""
    if await db.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    found: str | None = await db.fetchval("SELECT version_num FROM alembic_version")
    return found


async def catalog(db: Connection) -> Catalog:
    rows = await db.fetch(
        "SELECT generation, j.*, NOT EXISTS (SELECT 1 FROM fills f"
        " WHERE f.project = j.project AND f.version = j.version AND f.finished IS NULL)"
        " FROM catalog LEFT JOIN journeys j ON j.retired_at IS NULL ORDER BY version"
    )
    projects = await db.fetch("SELECT project, devices, time_zone FROM projects")
    joined = frozenset(project for project, devices, _ in projects if devices == "join")
    journeys = tuple(JourneyRow(*row[1:]) for row in rows if row[1] is not None)
    amended = "SELECT * FROM amendments ORDER BY project, number"
    amendments = tuple(Amendment(*row) for row in await db.fetch(amended))
    return Catalog(rows[0][0], journeys, joined, {project: zone for project, _, zone in projects}, amendments)


async def amendments(db: Connection) -> list[Amendment]:
    sql = "SELECT * FROM amendments WHERE place < $1 ORDER BY project, number"
    return [Amendment(*row) for row in await db.fetch(sql, DONE)]


async def streams_after(db: Connection, project: int, after: int, limit: int) -> list[tuple[int, int]]:
    sql = "SELECT stream, customer FROM identifiers WHERE project = $1 AND stream > $2 ORDER BY stream LIMIT $3"
    return [tuple(row) for row in await db.fetch(sql, project, after, limit)]


async def names(db: Connection, project: int) -> set[tuple[str, str]]:
    sql = "SELECT DISTINCT type, name FROM names WHERE project = $1 AND type <> ''"
    return {(type, name) for type, name in await db.fetch(sql, project)}


async def identities(db: Connection, keys: Sequence[tuple[int, int, str]]) -> dict[tuple[int, int, str], Identity]:
    rows = await db.fetch(
        "SELECT project, kind, value, stream, customer FROM identifiers"
        " JOIN unnest($1::int[], $2::smallint[], $3::text[]) AS x(project, kind, value) USING (project, kind, value)",
        *columns(keys, 3),
    )
    return {(project, kind, value): Identity(stream, customer) for project, kind, value, stream, customer in rows}


async def customers(db: Connection, ids: Sequence[tuple[int, int]]) -> dict[int, CustomerRow]:
    rows = await db.fetch(
        "SELECT customers.* FROM customers"
        " JOIN unnest($1::int[], $2::bigint[]) AS x(project, customer) USING (project, customer)",
        *columns(ids, 2),
    )
    return {row[1]: CustomerRow(*row) for row in rows}


async def streams(db: Connection, ids: Sequence[tuple[int, int]]) -> dict[int, list[tuple[int, str, int]]]:
    sql = (
        "SELECT customer, kind, value, stream FROM identifiers"
        " JOIN unnest($1::int[], $2::bigint[]) AS x(project, customer) USING (project, customer) ORDER BY stream"
    )
    found: dict[int, list[tuple[int, str, int]]] = {customer: [] for _, customer in ids}
    for customer, *row in await db.fetch(sql, *columns(ids, 2)):
        found[customer].append((row[0], row[1], row[2]))
    return found


async def owners(db: Connection, project: int, streams: Sequence[int]) -> dict[int, int]:
    sql = "SELECT stream, customer FROM identifiers WHERE project = $1 AND stream = ANY ($2::bigint[])"
    return {row[0]: row[1] for row in await db.fetch(sql, project, streams)}


async def links(db: Connection, by: str, project: int, keys: Sequence[int]) -> list[LinkRow]:
    """The links whose column `by` (stream or owner) is one of the keys, in order of (stream, at, id)."""
    sql = f"SELECT * FROM links WHERE project = $1 AND {by} = ANY ($2::bigint[]) ORDER BY stream, at, id"
    return [LinkRow(*row) for row in await db.fetch(sql, project, keys)]


async def history(db: Connection, project: int, spans: Sequence[tuple[int, int, int]]) -> list[tuple[int, bytes]]:
    rows = await db.fetch(
        "SELECT t.ctid, t.stream, t.body"
        " FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS x(stream, since, until)"
        " JOIN touchpoints t ON t.project = $1 AND t.stream = x.stream AND t.hi >= x.since AND t.lo <= x.until",
        project,
        *columns(spans, 3),
    )
    return list({place: (stream, body) for place, stream, body in rows}.values())


async def ids(db: Connection, ids: Sequence[tuple[int, int]]) -> dict[int, bytes]:
    rows = await db.fetch(
        "SELECT x.customer, string_agg(t.ids, ''::bytea) FROM unnest($1::int[], $2::bigint[]) AS x(project, customer)"
        " JOIN LATERAL (SELECT stream FROM identifiers i WHERE i.project = x.project AND i.customer = x.customer"
        "  UNION SELECT l.stream FROM identifiers i JOIN links l ON l.project = i.project AND l.owner = i.stream"
        "  WHERE i.project = x.project AND i.customer = x.customer) AS s ON true"
        " JOIN touchpoints t ON t.project = x.project AND t.stream = s.stream GROUP BY x.customer",
        *columns(ids, 2),
    )
    return {customer: b"" for _, customer in ids} | {row[0]: row[1] for row in rows}


async def snapshot(db: Connection, project: int, customer: int, before: int) -> SnapshotRow | None:
    sql = "SELECT * FROM snapshots WHERE project = $1 AND customer = $2 AND at < $3 ORDER BY at DESC, n DESC LIMIT 1"
    row = await db.fetchrow(sql, project, customer, before)
    return SnapshotRow(*row) if row else None


async def ledger(db: Connection, ids: Sequence[tuple[int, int]]) -> dict[int, list[LedgerRow]]:
    sql = (
        "SELECT ledger.* FROM ledger JOIN unnest($1::int[], $2::bigint[]) AS x(project, customer)"
        " USING (project, customer) ORDER BY writer, seq"
    )
    found: dict[int, list[LedgerRow]] = {customer: [] for _, customer in ids}
    for row in await db.fetch(sql, *columns(ids, 2)):
        found[row["customer"]].append(LedgerRow(*row))
    return found


async def due(db: Connection, partition: int, until: int, limit: int) -> list[tuple[int, int]]:
    sql = "SELECT project, customer FROM timers WHERE writer = $1 AND due <= $2 ORDER BY due LIMIT $3"
    return [tuple(row) for row in await db.fetch(sql, partition, until, limit)]


async def queue(db: Connection, partition: int, limit: int) -> list[tuple[int, int, int]]:
    sql = "SELECT project, customer, cause FROM queue WHERE writer = $1 ORDER BY since LIMIT $2"
    return [tuple(row) for row in await db.fetch(sql, partition, limit)]


async def fills(db: Connection, partitions: Sequence[int]) -> list[Fill]:
    sql = (
        "SELECT f.* FROM fills f JOIN journeys j USING (project, version) WHERE f.finished IS NULL"
        " AND j.paused = 0 AND j.retired_at IS NULL AND f.writer = ANY ($1::int[]) ORDER BY version, writer"
    )
    return [Fill(*row) for row in await db.fetch(sql, partitions)]


async def to_fill(db: Connection, project: int, start: int, until: int, limit: int) -> list[int]:
    sql = (
        "SELECT customer FROM customers WHERE project = $1 AND customer >= $2 AND customer < $3 AND status = $4"
        " ORDER BY customer LIMIT $5"
    )
    return [row[0] for row in await db.fetch(sql, project, start, until, CURRENT, limit)]
