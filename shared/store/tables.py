"""The tables, as they are after the newest migration; `migrations` makes them, a test holds the two together.

Every table starts with the project that its rows belong to, but for `catalog` (one row for the whole store) and
`positions` (a partition carries the records of all projects). touchpoints, customers and ledger carry the stream or
the customer, by which a distributed PostgreSQL could spread them. Times are microseconds since the Unix epoch.

Rows that several writers add to are one row per `writer`, a partition number, so that writers never wait for each
other. The large append-only tables have no unique index: what repeats is found before it is written, and an index
on random values would cost more than all the rest.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData()

# Bytes order text, everywhere: the order of ids is part of the semantics, and "C" is the cheapest collation.
TEXT = Text().with_variant(Text(collation="C"), "postgresql")


def storable(text: str) -> str:
    """What a text column of any database can hold of this: no NUL, no lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _column(name: str, type_: TypeEngine[Any], nullable: bool = False) -> Column[Any]:
    return Column(name, type_, nullable=nullable, autoincrement=False)


def _small(name: str) -> Column[Any]:
    return _column(name, SmallInteger())


def _int(name: str) -> Column[Any]:
    return _column(name, Integer())


def _big(name: str, nullable: bool = False) -> Column[Any]:
    return _column(name, BigInteger(), nullable)


def _text(name: str, nullable: bool = False) -> Column[Any]:
    return _column(name, TEXT, nullable)


def _bytes(name: str) -> Column[Any]:
    return _column(name, LargeBinary())


def _key(table: str, *columns: str) -> PrimaryKeyConstraint:
    return PrimaryKeyConstraint(*columns, name=f"{table}_pkey")


# --- Who may send and ask, and what is in force -----------------------------------------------------------------

projects = Table(
    "projects",
    metadata,
    _int("project"),
    _text("name"),
    _text("time_zone"),
    _text("devices"),
    _big("made_at"),
    _key("projects", "project"),
    Index("projects_name", "name", unique=True),
)

write_keys = Table(
    "write_keys",
    metadata,
    _int("project"),
    _int("key"),
    _text("name"),
    _text("kind"),
    _text("origins"),
    _int("rate"),
    _bytes("hash"),
    _big("made_at"),
    _big("revoked_at", nullable=True),
    _key("write_keys", "project", "key"),
    Index("write_keys_hash", "hash", unique=True),
)

query_tokens = Table(
    "query_tokens",
    metadata,
    _int("project"),
    _int("token"),
    _text("name"),
    _bytes("hash"),
    _big("made_at"),
    _big("revoked_at", nullable=True),
    _key("query_tokens", "project", "token"),
    Index("query_tokens_hash", "hash", unique=True),
)

journeys = Table(
    "journeys",
    metadata,
    _int("project"),
    _int("version"),
    _text("name"),
    _int("number"),
    _text("definition"),
    _big("made_at"),
    _key("journeys", "project", "version"),
    Index("journeys_version", "version", unique=True),
    Index("journeys_name", "project", "name", "number", unique=True),
)

catalog = Table("catalog", metadata, _big("generation"), _key("catalog", "generation"))

positions = Table(
    "positions",
    metadata,
    _int("partition"),
    _big("epoch"),
    _text("owner"),
    _big("position"),
    _big("next_id"),
    _big("next_seq"),
    _big("clock"),
    _big("staged"),
    _big("duplicates"),
    _big("lost"),
    _key("positions", "partition"),
)

# --- Who is who -------------------------------------------------------------------------------------------------

identifiers = Table(
    "identifiers",
    metadata,
    _int("project"),
    _small("kind"),
    _text("value"),
    _big("stream"),
    _big("customer"),
    _key("identifiers", "project", "kind", "value"),
    # With a rowid: clustered by its key, SQLite would rather walk the whole project than use the other two indexes.
    Index("identifiers_customer", "project", "customer"),
    Index("identifiers_stream", "project", "stream"),
)

links = Table(
    "links",
    metadata,
    _int("project"),
    _big("stream"),
    _big("at"),
    _text("id"),
    _big("owner"),
    Index("links_stream", "project", "stream"),
    Index("links_owner", "project", "owner"),
)

emails = Table(
    "emails",
    metadata,
    _int("project"),
    _text("email"),
    _big("stream"),
    _key("emails", "project", "email", "stream"),
    sqlite_with_rowid=False,
)

# A customer's row is rewritten with every batch that it takes part in: half of each page is kept free, so that the new
# version finds room beside the old one and no index changes. `recent` and `states` stay in the row.
customers = Table(
    "customers",
    metadata,
    _int("project"),
    _big("customer"),
    _big("revision"),
    _int("count"),
    _big("at"),
    _text("id"),
    _big("recorded"),
    _bytes("recent"),
    _bytes("states"),
    _big("due", nullable=True),
    _small("status"),
    _big("into"),
    _key("customers", "project", "customer"),
    postgresql_with={"fillfactor": "50"},
)

# --- What happened ----------------------------------------------------------------------------------------------

touchpoints = Table(
    "touchpoints",
    metadata,
    _int("project"),
    _big("stream"),
    _big("lo"),
    _big("hi"),
    _int("n"),
    _bytes("ids"),
    _bytes("body"),
    Index("touchpoints_stream", "project", "stream", "lo"),
)

snapshots = Table(
    "snapshots",
    metadata,
    _int("project"),
    _big("customer"),
    _int("n"),
    _big("at"),
    _text("id"),
    _bytes("body"),
    Index("snapshots_customer", "project", "customer", "at"),
)

ledger = Table(
    "ledger",
    metadata,
    _int("project"),
    _int("version"),
    _big("customer"),
    _big("at"),
    _small("source"),
    _small("target"),
    _small("cause"),
    _big("recorded"),
    _small("sign"),
    _int("writer"),
    _big("seq"),
    Index("ledger_customer", "project", "customer"),
    Index("ledger_at", "project", "version", "at", "customer"),
    Index("ledger_recorded", "project", "version", "recorded"),
)

# --- The ledger summed up, by the transactions that write it ----------------------------------------------------

populations = Table(
    "populations",
    metadata,
    _int("project"),
    _int("version"),
    _small("stage"),
    _small("level"),
    _big("at"),
    _big("recorded"),
    _int("writer"),
    _big("customers"),
    # In this order a level's range of `at` lies together, whatever the stage.
    _key("populations", "project", "version", "level", "at", "recorded", "stage", "writer"),
    Index("populations_recorded", "project", "version", "level", "recorded"),
    postgresql_with={"fillfactor": "70"},
    sqlite_with_rowid=False,
)

flows = Table(
    "flows",
    metadata,
    _int("project"),
    _int("version"),
    _small("source"),
    _small("target"),
    _small("cause"),
    _small("sign"),
    _int("writer"),
    _big("n"),
    _key("flows", "project", "version", "source", "target", "cause", "sign", "writer"),
    postgresql_with={"fillfactor": "50"},
    sqlite_with_rowid=False,
)

# --- What is to be done -----------------------------------------------------------------------------------------

timers = Table(
    "timers",
    metadata,
    _int("project"),
    _big("customer"),
    _int("writer"),
    _big("due"),
    _key("timers", "project", "customer"),
    Index("timers_due", "writer", "due"),
)

queue = Table(
    "queue",
    metadata,
    _int("project"),
    _big("customer"),
    _int("writer"),
    _small("cause"),
    _big("since"),
    _key("queue", "project", "customer"),
    Index("queue_since", "writer", "since"),
)

# --- What went wrong --------------------------------------------------------------------------------------------

dead_letters = Table(
    "dead_letters",
    metadata,
    _int("project"),
    _int("partition"),
    _big("position"),
    _big("at"),
    _text("reason"),
    _bytes("value"),
    _key("dead_letters", "partition", "position"),
)

# What people have made of dead letters; the letters themselves are never changed.
repairs = Table(
    "repairs",
    metadata,
    _int("project"),
    _int("partition"),
    _big("position"),
    _big("at"),
    Column("value", LargeBinary(), nullable=True),
    _big("replayed_at", nullable=True),
    _key("repairs", "partition", "position"),
)

# The number rises with every rejection, and is never given twice.
rejections = Table(
    "rejections",
    metadata,
    _int("project"),
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), nullable=False, autoincrement=True),
    _int("key"),
    _big("at"),
    _int("index"),
    _text("code"),
    _text("field"),
    _text("message"),
    _int("size"),
    _bytes("body"),
    _key("rejections", "number"),
    Index("rejections_at", "project", "at"),
    Index("rejections_code", "project", "code", "number"),
    sqlite_autoincrement=True,
)

quarantine = Table(
    "quarantine",
    metadata,
    _int("project"),
    _big("customer"),
    _int("version"),
    _big("at"),
    _text("error"),
    _key("quarantine", "project", "customer", "version"),
)
