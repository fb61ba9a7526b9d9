"""The PostgreSQL session's one statement that writes. Rows travel as one array a column."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Integer, LargeBinary, SmallInteger, Table, Text

from shared.store import tables
from shared.store.rows import BY_LINK, ID_BITS, MARKED, MARKS, REJECTIONS_OF_A_CODE, UNTOLD, Changes, Rejection, roll_up

_TYPES: tuple[tuple[type[Any], str], ...] = (
    (SmallInteger, "smallint"),
    (BigInteger, "bigint"),
    (Integer, "int"),
    (Text, "text"),
    (LargeBinary, "bytea"),
)


#: Where the rows of a part go that come by COPY. Into tables without unique keys at once; those whose keys another
#: writer may wait for, into tables of the session's own, for the statement to take them from.
COPIED = {
    "touchpoints": "touchpoints",
    "ledger": "ledger",
    "changed": "incoming_changed",
    "born": "incoming_born",
    "identifiers": "incoming_identifiers",
    "armed": "incoming_armed",
}
INCOMING = ("changed", "born", "identifiers", "armed")


class Part(NamedTuple):
    """One table's share of a write: SQL over `{rows}`, a source `x` with these columns of the table."""

    table: Table
    columns: tuple[str, ...]
    sql: str
    guards: bool = False  # done before the guard is read, and the rest after it


def _insert(table: Table, otherwise: str = "", columns: tuple[str, ...] = ()) -> Part:
    columns = columns or tuple(table.columns.keys())
    into = ", ".join(f'"{column}"' for column in columns)
    # `guard` stands in every part so that none begins before the guarded ones are done: locks are taken in one order.
    return Part(table, columns, f"INSERT INTO {table.name} ({into}) SELECT x.* FROM guard, {{rows}} {otherwise}")


def _add(table: Table, number: str) -> Part:
    key = ", ".join(column.name for column in table.primary_key)
    return _insert(table, f"ON CONFLICT ({key}) DO UPDATE SET {number} = {table.name}.{number} + excluded.{number}")


def _delete(table: Table, *columns: str, where: str = "", guards: bool = False) -> Part:
    same = where or " AND ".join(f"t.{column} = x.{column}" for column in columns)
    guard = "" if guards else "guard, "
    return Part(table, columns, f"DELETE FROM {table.name} t USING {guard}{{rows}} WHERE {same}", guards)


_CUSTOMER = tuple(tables.customers.columns.keys())

PARTS: dict[str, Part] = {
    "changed": Part(
        tables.customers,
        _CUSTOMER,
        "UPDATE customers t SET revision = t.revision + 1, "
        + ", ".join(f'"{name}" = x."{name}"' for name in _CUSTOMER[3:])
        + " FROM {rows} WHERE t.project = x.project AND t.customer = x.customer AND t.revision = x.revision",
        guards=True,
    ),
    "unqueued": _delete(tables.queue, "project", "customer", guards=True),
    "amended": Part(
        tables.amendments,
        ("project", "number", "made_at", "place"),  # made_at: the place before, a number of that size
        "UPDATE amendments t SET place = x.place FROM {rows}"
        " WHERE t.project = x.project AND t.number = x.number AND t.place = x.made_at",
        guards=True,
    ),
    "marked": Part(
        tables.amendments,
        ("project", "kind", "body", "who", "why", "made_at", "place"),
        "INSERT INTO amendments (project, number, kind, body, who, why, made_at, undone_at, place)"
        " SELECT x.project, (SELECT coalesce(max(a.number), 0) FROM amendments a WHERE a.project = x.project)"
        "  + row_number() OVER (PARTITION BY x.project), x.kind, x.body, x.who, x.why, x.made_at, NULL, x.place"
        " FROM guard, {rows} WHERE NOT EXISTS (SELECT 1 FROM amendments a WHERE a.project = x.project"
        "  AND a.kind = x.kind AND a.body = x.body AND a.undone_at IS NULL)"
        f" AND (SELECT count(*) FROM amendments a WHERE a.project = x.project AND a.kind = x.kind) < {MARKED}",
    ),
    "unmarked": Part(
        tables.amendments,
        ("project", "kind", "body", "undone_at", "place"),
        "UPDATE amendments t SET undone_at = greatest(x.undone_at, t.made_at), place = x.place FROM guard, {rows}"
        " WHERE t.project = x.project AND t.kind = x.kind AND t.body = x.body AND t.undone_at IS NULL",
    ),
    "born": _insert(tables.customers),
    "identifiers": _insert(tables.identifiers),
    "owners": Part(
        tables.identifiers,
        ("project", "stream", "customer"),
        "UPDATE identifiers t SET customer = x.customer FROM guard, {rows}"
        " WHERE t.project = x.project AND t.stream = x.stream",
    ),
    "unlinked": _delete(tables.links, "project", "stream", "id"),
    "links": _insert(tables.links),  # the deletions see only what was there before
    "emails": _insert(tables.emails, "ON CONFLICT DO NOTHING"),
    "touchpoints": _insert(tables.touchpoints),
    "ledger": _insert(tables.ledger),
    "populations": _add(tables.populations, "customers"),
    "flows": _add(tables.flows, "n"),
    "names": _insert(
        tables.names,
        "ON CONFLICT (project, type, name, writer) DO UPDATE SET n = names.n + excluded.n,"
        " first_at = least(names.first_at, excluded.first_at), last_at = greatest(names.last_at, excluded.last_at)",
    ),
    "stale": _delete(
        tables.snapshots,
        "project",
        "customer",
        "at",
        where="t.project = x.project AND t.customer = x.customer AND t.at >= x.at",
    ),
    "thinned": _delete(tables.snapshots, "project", "customer", "n"),
    "snapshots": _insert(tables.snapshots),  # the deletions see only what was there before
    "ended": _delete(tables.timers, "project", "customer"),
    "armed": _insert(tables.timers, "ON CONFLICT (project, customer) DO UPDATE SET due = excluded.due"),
    "queued": _insert(tables.queue, "ON CONFLICT DO NOTHING"),
    "fills": Part(
        tables.fills,
        tuple(tables.fills.columns.keys()),
        "UPDATE fills t SET next = x.next, filled = x.filled, finished = x.finished FROM guard, {rows}"
        " WHERE t.project = x.project AND t.version = x.version AND t.writer = x.writer",
    ),
    "dead_letters": _insert(tables.dead_letters),
    "refused": _insert(tables.rejections, columns=Rejection._fields),
    "surplus": _delete(
        tables.rejections,
        "project",
        "code",
        where="t.project = x.project AND t.code = x.code AND t.number <= ("
        "SELECT s.number FROM rejections s WHERE s.project = x.project AND s.code = x.code"
        f" ORDER BY s.number DESC LIMIT 1 OFFSET {REJECTIONS_OF_A_CODE})",
    ),
    "quarantined": _insert(
        tables.quarantine,
        "ON CONFLICT (project, customer, version) DO UPDATE SET at = excluded.at, error = excluded.error",
    ),
}


def rows_of(changes: Changes) -> dict[str, Sequence[tuple[Any, ...]]]:
    """What each part writes, in the order in which locks are taken; parts without rows left out."""
    writer = changes.claim.partition
    populations, flows = roll_up(changes.ledger)
    rows: dict[str, Sequence[tuple[Any, ...]]] = {
        "changed": sorted(changes.customers),
        "unqueued": sorted(changes.unqueued),
        "amended": changes.amended,
        "marked": [
            (project, MARKS, body, *BY_LINK, at, UNTOLD) for (project, body), (on, at) in changes.marks.items() if on
        ],
        "unmarked": [
            (project, MARKS, body, at, UNTOLD) for (project, body), (on, at) in changes.marks.items() if not on
        ],
        "born": changes.new_customers,
        "identifiers": sorted(changes.identifiers),
        "owners": sorted((*stream, customer) for stream, customer in changes.owners.items()),
        "unlinked": sorted(changes.unlinked),
        "links": changes.links,
        "emails": sorted(changes.emails),
        "touchpoints": changes.history,
        "ledger": changes.ledger,
        "populations": [(*key, writer, n) for key, n in sorted(populations.items())],
        "flows": [(*key, writer, n) for key, n in sorted(flows.items())],
        "names": changes.names,
        "stale": changes.stale_snapshots,
        "thinned": changes.thinned_snapshots,
        "snapshots": changes.snapshots,
        "ended": sorted((project, customer) for project, customer, due in changes.timers if due is None),
        "armed": sorted(
            (project, customer, customer >> ID_BITS, due)
            for project, customer, due in changes.timers
            if due is not None
        ),
        "queued": sorted(
            (project, customer, customer >> ID_BITS, cause, since) for project, customer, cause, since in changes.queued
        ),
        "fills": changes.fills,
        "dead_letters": [row._replace(reason=tables.storable(row.reason)) for row in changes.dead_letters],
        "refused": [row._replace(message=tables.storable(row.message)) for row in changes.rejections],
        "surplus": sorted({(row.project, row.code) for row in changes.rejections}),
        "quarantined": [row._replace(error=tables.storable(row.error)) for row in changes.quarantined],
    }
    return {part: of for part, of in rows.items() if of}


def incoming(part: str) -> str:
    """Makes the session's own table for a part."""
    table = PARTS[part].table.name
    return f"CREATE TEMPORARY TABLE IF NOT EXISTS {COPIED[part]} (LIKE {table} INCLUDING STORAGE) ON COMMIT DELETE ROWS"


def _rows(name: str, copied: bool, number: Callable[[], int]) -> str:
    if copied:
        return f"(SELECT * FROM {COPIED[name]}) AS x"
    part = PARTS[name]

    def type_of(column: str) -> str:
        return next(name for kind, name in _TYPES if isinstance(part.table.columns[column].type, kind))

    # In the select list rows stream; as a table, unnest would be written out and read again.
    arrays = ", ".join(f'unnest(${number()}::{type_of(column)}[]) AS "{column}"' for column in part.columns)
    return f"(SELECT {arrays}) AS x"


@cache
def statement(parts: tuple[tuple[str, bool], ...]) -> str:
    """Everything that a batch writes in these parts, fenced, in one statement. A part's rows are arrays, or copied.

    It fails with a division by zero unless the fence, the generation and every customer's revision hold: an error is
    all that undoes what a statement has done. Its parameters are `fence(changes)`, then the columns of each part that
    was not copied.
    """
    count = 11

    def number() -> int:
        nonlocal count
        count += 1
        return count

    steps = [
        "fence AS (UPDATE positions SET position = $1, next_id = $2, next_seq = $3, clock = greatest(clock, $4),"
        " staged = staged + $5, duplicates = duplicates + $6 WHERE partition = $7 AND epoch = $8 AND position = $9"
        " RETURNING 1)",
        "catalog_held AS (SELECT 1 FROM catalog WHERE generation = $10 FOR SHARE)",
    ]
    guards = ["(SELECT count(*) FROM fence) = 1", "(SELECT count(*) FROM catalog_held) = 1"]
    named = dict(parts)
    texts = {name: PARTS[name].sql.format(rows=_rows(name, copied, number)) for name, copied in parts}
    steps += [f"{name} AS ({sql} RETURNING 1)" for name, sql in texts.items() if PARTS[name].guards]
    guards.append("(SELECT count(*) FROM changed) = $11" if "changed" in named else "$11::bigint = 0")
    if "amended" in named:
        guards.append("(SELECT count(*) FROM amended) = 1")
    if "unqueued" in named:
        guards.append("(SELECT count(*) FROM unqueued) >= 0")
    steps.append(f"guard AS MATERIALIZED (SELECT 1 / (CASE WHEN {' AND '.join(guards)} THEN 1 ELSE 0 END))")
    steps += [f"{name} AS ({sql})" for name, sql in texts.items() if not PARTS[name].guards]
    return f"WITH {', '.join(steps)} SELECT 1 FROM guard"


def fence(changes: Changes) -> tuple[int, ...]:
    """The statement's first parameters."""
    held = changes.claim
    return (
        changes.position,
        changes.next_id,
        changes.next_seq,
        changes.clock,
        changes.staged,
        changes.duplicates,
        held.partition,
        held.epoch,
        held.position,
        changes.generation,
        len(changes.customers),
    )
