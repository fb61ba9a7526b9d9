"""The tables, as they are after the newest migration; `migrations` makes them, a test holds the two together.

Every table starts with the project that its rows belong to, but for `catalog` (one row for the whole store) and
`positions` (a partition carries the records of all projects). touchpoints, customers and ledger carry the stream or
the customer, by which a distributed PostgreSQL could spread them. Times are microseconds since the Unix epoch.

Rows that several writers add to are one row per `writer`, a partition number, so that writers never wait for each
other. The large append-only tables have no unique index: what repeats is found before it is written, and an index
on random values would cost more than all the rest.
"""

from shared.store.tables.access import catalog, journeys, positions, projects, query_tokens, write_keys
from shared.store.tables.amendments import amendments
from shared.store.tables.columns import metadata, storable
from shared.store.tables.faults import dead_letters, quarantine, rejections, repairs
from shared.store.tables.history import (
    customers,
    emails,
    fills,
    flows,
    identifiers,
    ledger,
    links,
    populations,
    queue,
    snapshots,
    timers,
    touchpoints,
)
from shared.store.tables.names import names

__all__ = [
    "amendments",
    "catalog",
    "customers",
    "dead_letters",
    "emails",
    "fills",
    "flows",
    "identifiers",
    "journeys",
    "ledger",
    "links",
    "metadata",
    "names",
    "populations",
    "positions",
    "projects",
    "quarantine",
    "query_tokens",
    "queue",
    "rejections",
    "repairs",
    "snapshots",
    "storable",
    "timers",
    "touchpoints",
    "write_keys",
]
