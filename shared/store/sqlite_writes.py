"""What a SQLite session writes. Whoever writes holds the file's lock from the first statement on."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Table

from shared.store import tables
from shared.store.port import CLOCK_GRACE, Conflict, Fenced, StoreMismatch
from shared.store.rows import (
    BY_LINK,
    ID_BITS,
    MARKED,
    MARKS,
    REJECTIONS_OF_A_CODE,
    UNTOLD,
    Changes,
    Claim,
    Rejection,
    roll_up,
)
from shared.store.schema import REMEDY


def lock(db: sqlite3.Connection) -> None:
    """Opens a transaction that may write."""
    abandon(db)
    db.execute("BEGIN IMMEDIATE")


def abandon(db: sqlite3.Connection) -> None:
    """Ends a transaction without a trace."""
    if db.in_transaction:
        db.execute("ROLLBACK")


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    if not db.in_transaction:
        lock(db)
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        abandon(db)
        raise


def _now() -> int:
    return time.time_ns() // 1000


def claim(db: sqlite3.Connection, partition: int, owner: str) -> Claim:
    """Takes the partition, whoever held it."""
    abandon(db)
    with _transaction(db):
        row = db.execute(
            "UPDATE positions SET epoch = epoch + 1, owner = ? WHERE partition = ?"
            " RETURNING partition, epoch, position, next_id, next_seq, clock",
            (owner, partition),
        ).fetchone()
    if row is None:
        raise StoreMismatch(f"the store has no partition {partition}: {REMEDY} with as many partitions as the log has")
    return Claim(*row)


def clock(db: sqlite3.Connection, at_end: Sequence[Claim]) -> int:
    """The least of all clocks, after raising those of the partitions that are read to the end. Raises Fenced."""
    if at_end:
        now = _now() - CLOCK_GRACE
        with _transaction(db):
            epochs = dict(db.execute("SELECT partition, epoch FROM positions").fetchall())
            for held in at_end:
                if epochs[held.partition] != held.epoch:
                    raise Fenced(f"partition {held.partition} is no longer at epoch {held.epoch}")
            db.executemany(
                "UPDATE positions SET clock = ? WHERE partition = ? AND epoch = ? AND position = ? AND clock < ?",
                [(now, held.partition, held.epoch, held.position, now) for held in at_end],
            )
    return int(db.execute("SELECT min(clock) FROM positions").fetchone()[0])


def _insert(db: sqlite3.Connection, table: Table, rows: Sequence[Sequence[Any]], otherwise: str = "") -> None:
    """Adds rows, given in the order of the table's columns. `otherwise`: what to do with a row that is there."""
    if rows:
        marks = ", ".join("?" * len(table.columns))
        db.executemany(f"INSERT INTO {table.name} VALUES ({marks}) {otherwise}", rows)


def _fence(db: sqlite3.Connection, changes: Changes) -> None:
    held = changes.claim
    fenced = db.execute(
        "UPDATE positions SET position = ?, next_id = ?, next_seq = ?, clock = max(clock, ?), staged = staged + ?,"
        " duplicates = duplicates + ? WHERE partition = ? AND epoch = ? AND position = ?",
        (
            changes.position,
            changes.next_id,
            changes.next_seq,
            changes.clock,
            changes.staged,
            changes.duplicates,
            held.partition,
            held.epoch,
            held.position,
        ),
    )
    if fenced.rowcount != 1:
        raise Fenced(f"partition {held.partition} is no longer at epoch {held.epoch}, position {held.position}")
    if db.execute("SELECT generation FROM catalog").fetchone()[0] != changes.generation:
        raise Conflict("the journeys in force have changed")


def _amendments(db: sqlite3.Connection, changes: Changes) -> None:
    for project, number, before, place in changes.amended:
        sql = "UPDATE amendments SET place = ? WHERE project = ? AND number = ? AND place = ?"
        if db.execute(sql, (place, project, number, before)).rowcount != 1:
            raise Conflict("an amendment was carried on by somebody else")


_MARK = """
    INSERT INTO amendments
    SELECT :project, (SELECT coalesce(max(number), 0) + 1 FROM amendments WHERE project = :project),
        :kind, :body, :who, :why, :at, NULL, :untold
    WHERE NOT EXISTS (SELECT 1 FROM amendments
        WHERE project = :project AND kind = :kind AND body = :body AND undone_at IS NULL)
    AND (SELECT count(*) FROM amendments WHERE project = :project AND kind = :kind) < :most
"""
_UNMARK = """
    UPDATE amendments SET undone_at = max(:at, made_at), place = :untold
    WHERE project = :project AND kind = :kind AND body = :body AND undone_at IS NULL
"""


def _marks(db: sqlite3.Connection, changes: Changes) -> None:
    who, why = BY_LINK
    for (project, body), (on, at) in changes.marks.items():
        said = {"project": project, "kind": MARKS, "body": body, "at": at, "untold": UNTOLD}
        db.execute(_MARK if on else _UNMARK, said | ({"who": who, "why": why, "most": MARKED} if on else {}))


def announce(db: sqlite3.Connection) -> None:
    """Makes every stager read the amendments that it was not told of."""
    with _transaction(db):
        db.execute("UPDATE catalog SET generation = generation + 1")
        db.execute("UPDATE amendments SET place = 0 WHERE place = ?", (UNTOLD,))


def _customers(db: sqlite3.Connection, changes: Changes) -> None:
    guarded = [(*row[2:], *row[:2], row.revision) for row in changes.customers]
    updated = db.executemany(
        "UPDATE customers SET revision = 1 + ?, count = ?, at = ?, id = ?, recorded = ?, recent = ?, states = ?,"
        ' due = ?, status = ?, "into" = ? WHERE project = ? AND customer = ? AND revision = ?',
        guarded,
    )
    if guarded and updated.rowcount != len(guarded):
        raise Conflict("a customer's row changed since it was read")
    _insert(db, tables.customers, changes.new_customers)


def _people(db: sqlite3.Connection, changes: Changes) -> None:
    _insert(db, tables.identifiers, sorted(changes.identifiers))
    db.executemany(
        "UPDATE identifiers SET customer = ? WHERE project = ? AND stream = ?",
        [(customer, *stream) for stream, customer in changes.owners.items()],
    )
    db.executemany("DELETE FROM links WHERE project = ? AND stream = ? AND id = ?", changes.unlinked)
    _insert(db, tables.links, changes.links)
    _insert(db, tables.emails, changes.emails, "ON CONFLICT DO NOTHING")


def _ledger(db: sqlite3.Connection, changes: Changes) -> None:
    if not changes.ledger:
        return
    _insert(db, tables.ledger, changes.ledger)
    populations, flows = roll_up(changes.ledger)
    writer = changes.claim.partition
    _insert(
        db,
        tables.populations,
        [(*key, writer, delta) for key, delta in sorted(populations.items())],
        "ON CONFLICT DO UPDATE SET customers = customers + excluded.customers",
    )
    _insert(
        db,
        tables.flows,
        [(*key, writer, n) for key, n in sorted(flows.items())],
        "ON CONFLICT DO UPDATE SET n = n + excluded.n",
    )


def _snapshots(db: sqlite3.Connection, changes: Changes) -> None:
    db.executemany("DELETE FROM snapshots WHERE project = ? AND customer = ? AND at >= ?", changes.stale_snapshots)
    db.executemany("DELETE FROM snapshots WHERE project = ? AND customer = ? AND n = ?", changes.thinned_snapshots)
    _insert(db, tables.snapshots, changes.snapshots)


def _tasks(db: sqlite3.Connection, changes: Changes) -> None:
    ended = [(project, customer) for project, customer, due in changes.timers if due is None]
    armed = [
        (project, customer, customer >> ID_BITS, due) for project, customer, due in changes.timers if due is not None
    ]
    db.executemany("DELETE FROM timers WHERE project = ? AND customer = ?", ended)
    _insert(db, tables.timers, armed, "ON CONFLICT DO UPDATE SET due = excluded.due")
    db.executemany("DELETE FROM queue WHERE project = ? AND customer = ?", changes.unqueued)
    queued = [
        (project, customer, customer >> ID_BITS, cause, since) for project, customer, cause, since in changes.queued
    ]
    _insert(db, tables.queue, queued, "ON CONFLICT DO NOTHING")
    db.executemany(
        "UPDATE fills SET next = ?, filled = ?, finished = ? WHERE project = ? AND version = ? AND writer = ?",
        [(one.next, one.filled, one.finished, one.project, one.version, one.writer) for one in changes.fills],
    )


def _faults(db: sqlite3.Connection, changes: Changes) -> None:
    letters = [row._replace(reason=tables.storable(row.reason)) for row in changes.dead_letters]
    _insert(db, tables.dead_letters, letters)
    quarantined = [row._replace(error=tables.storable(row.error)) for row in changes.quarantined]
    replace = "ON CONFLICT DO UPDATE SET at = excluded.at, error = excluded.error"
    _insert(db, tables.quarantine, quarantined, replace)
    _rejections(db, changes.rejections)


def _rejections(db: sqlite3.Connection, rejections: Sequence[Rejection]) -> None:
    rows = [row._replace(message=tables.storable(row.message)) for row in rejections]
    columns = ", ".join(f'"{name}"' for name in Rejection._fields)
    db.executemany(f"INSERT INTO rejections ({columns}) VALUES ({', '.join('?' * len(Rejection._fields))})", rows)
    db.executemany(
        "DELETE FROM rejections WHERE project = ? AND code = ? AND number <= (SELECT number FROM rejections"
        " WHERE project = ? AND code = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
        [(*of, *of, REJECTIONS_OF_A_CODE) for of in {(row.project, row.code) for row in rows}],
    )


def write(db: sqlite3.Connection, changes: Changes) -> None:
    """Writes everything or nothing."""
    with _transaction(db):
        _fence(db, changes)
        _amendments(db, changes)
        _marks(db, changes)
        _customers(db, changes)
        _people(db, changes)
        _insert(db, tables.touchpoints, changes.history)
        _ledger(db, changes)
        _snapshots(db, changes)
        _tasks(db, changes)
        _insert(
            db,
            tables.names,
            changes.names,
            "ON CONFLICT DO UPDATE SET n = n + excluded.n, first_at = min(first_at, excluded.first_at),"
            " last_at = max(last_at, excluded.last_at)",
        )
        _faults(db, changes)
