"""What a SQLite session reads: `port.Session`'s questions, each asked of one connection."""

import sqlite3
from collections.abc import Sequence

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


def revision(db: sqlite3.Connection) -> str | None:
    """The schema's revision, None without one."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = db.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def catalog(db: sqlite3.Connection) -> Catalog:
    rows = db.execute(
        "SELECT generation, j.*, NOT EXISTS (SELECT 1 FROM fills f"
        " WHERE f.project = j.project AND f.version = j.version AND f.finished IS NULL)"
        " FROM catalog LEFT JOIN journeys j ON j.retired_at IS NULL ORDER BY version"
    ).fetchall()
    projects = db.execute("SELECT project, devices, time_zone FROM projects").fetchall()
    joined = frozenset(project for project, devices, _ in projects if devices == "join")
    journeys = tuple(JourneyRow(*row[1:]) for row in rows if row[1] is not None)
    amended = "SELECT * FROM amendments ORDER BY project, number"
    amendments = tuple(Amendment(*row) for row in db.execute(amended))
    return Catalog(rows[0][0], journeys, joined, {project: zone for project, _, zone in projects}, amendments)


def amendments(db: sqlite3.Connection) -> list[Amendment]:
    sql = "SELECT * FROM amendments WHERE place < ? ORDER BY project, number"
    return [Amendment(*row) for row in db.execute(sql, (DONE,))]


def streams_after(db: sqlite3.Connection, project: int, after: int, limit: int) -> list[tuple[int, int]]:
    sql = "SELECT stream, customer FROM identifiers WHERE project = ? AND stream > ? ORDER BY stream LIMIT ?"
    return db.execute(sql, (project, after, limit)).fetchall()


def names(db: sqlite3.Connection, project: int) -> set[tuple[str, str]]:
    return set(db.execute("SELECT type, name FROM names WHERE project = ? AND type <> ''", (project,)))


def identities(db: sqlite3.Connection, keys: Sequence[tuple[int, int, str]]) -> dict[tuple[int, int, str], Identity]:
    sql = "SELECT stream, customer FROM identifiers WHERE project = ? AND kind = ? AND value = ?"
    found = ((key, db.execute(sql, key).fetchone()) for key in keys)
    return {key: Identity(*row) for key, row in found if row}


def customers(db: sqlite3.Connection, ids: Sequence[tuple[int, int]]) -> dict[int, CustomerRow]:
    sql = "SELECT * FROM customers WHERE project = ? AND customer = ?"
    found = ((id_[1], db.execute(sql, id_).fetchone()) for id_ in ids)
    return {customer: CustomerRow(*row) for customer, row in found if row}


def streams(db: sqlite3.Connection, ids: Sequence[tuple[int, int]]) -> dict[int, list[tuple[int, str, int]]]:
    # Sorted here: asked to, SQLite might walk the index that is in order of stream, through every customer's.
    sql = "SELECT kind, value, stream FROM identifiers WHERE project = ? AND customer = ?"
    return {key[1]: sorted(db.execute(sql, key), key=lambda row: row[2]) for key in ids}


def owners(db: sqlite3.Connection, project: int, streams: Sequence[int]) -> dict[int, int]:
    sql = "SELECT customer FROM identifiers WHERE project = ? AND stream = ?"
    found = ((stream, db.execute(sql, (project, stream)).fetchone()) for stream in streams)
    return {stream: row[0] for stream, row in found if row}


def links(db: sqlite3.Connection, by: str, project: int, keys: Sequence[int]) -> list[LinkRow]:
    """The links whose column `by` (stream or owner) is one of the keys, in order of (stream, at, id)."""
    sql = f"SELECT * FROM links WHERE project = ? AND {by} = ?"
    rows = [LinkRow(*row) for key in set(keys) for row in db.execute(sql, (project, key))]
    return sorted(rows, key=lambda row: (row.stream, row.at, row.id.encode()))


def history(db: sqlite3.Connection, project: int, spans: Sequence[tuple[int, int, int]]) -> list[tuple[int, bytes]]:
    sql = "SELECT rowid, body FROM touchpoints WHERE project = ? AND stream = ? AND hi >= ? AND lo <= ?"
    rows = {
        rowid: (stream, body)
        for stream, since, until in spans
        for rowid, body in db.execute(sql, (project, stream, since, until))
    }
    return list(rows.values())


def ids(db: sqlite3.Connection, ids: Sequence[tuple[int, int]]) -> dict[int, bytes]:
    # CROSS JOIN: SQLite keeps the order, and so begins with the few streams, not with every link of the project.
    sql = """
        WITH own AS (SELECT stream FROM identifiers WHERE project = :project AND customer = :customer),
        shared AS (SELECT links.stream FROM own CROSS JOIN links ON links.project = :project AND owner = own.stream)
        SELECT ids FROM touchpoints
        WHERE project = :project AND stream IN (SELECT stream FROM own UNION SELECT stream FROM shared)
    """
    return {
        customer: b"".join(row[0] for row in db.execute(sql, {"project": project, "customer": customer}))
        for project, customer in ids
    }


def snapshot(db: sqlite3.Connection, project: int, customer: int, before: int) -> SnapshotRow | None:
    sql = "SELECT * FROM snapshots WHERE project = ? AND customer = ? AND at < ? ORDER BY at DESC, n DESC LIMIT 1"
    row = db.execute(sql, (project, customer, before)).fetchone()
    return SnapshotRow(*row) if row else None


def ledger(db: sqlite3.Connection, ids: Sequence[tuple[int, int]]) -> dict[int, list[LedgerRow]]:
    sql = "SELECT * FROM ledger WHERE project = ? AND customer = ? ORDER BY writer, seq"
    return {key[1]: [LedgerRow(*row) for row in db.execute(sql, key)] for key in ids}


def due(db: sqlite3.Connection, partition: int, until: int, limit: int) -> list[tuple[int, int]]:
    sql = "SELECT project, customer FROM timers WHERE writer = ? AND due <= ? ORDER BY due LIMIT ?"
    return db.execute(sql, (partition, until, limit)).fetchall()


def queue(db: sqlite3.Connection, partition: int, limit: int) -> list[tuple[int, int, int]]:
    sql = "SELECT project, customer, cause FROM queue WHERE writer = ? ORDER BY since LIMIT ?"
    return db.execute(sql, (partition, limit)).fetchall()


def fills(db: sqlite3.Connection, partitions: Sequence[int]) -> list[Fill]:
    sql = (
        "SELECT f.* FROM fills f JOIN journeys j USING (project, version) WHERE f.finished IS NULL"
        " AND j.paused = 0 AND j.retired_at IS NULL ORDER BY version, writer"
    )
    return [fill for fill in (Fill(*row) for row in db.execute(sql)) if fill.writer in partitions]


def to_fill(db: sqlite3.Connection, project: int, start: int, until: int, limit: int) -> list[int]:
    sql = (
        "SELECT customer FROM customers WHERE project = ? AND customer >= ? AND customer < ? AND status = ?"
        " ORDER BY customer LIMIT ?"
    )
    return [row[0] for row in db.execute(sql, (project, start, until, CURRENT, limit))]
