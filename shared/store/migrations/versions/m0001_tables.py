"""Every table of the first version."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TYPES: dict[str, TypeEngine[Any]] = {
    "small": sa.SmallInteger(),
    "int": sa.Integer(),
    "big": sa.BigInteger(),
    "text": TEXT,
    "bytes": sa.LargeBinary(),
}

# Columns as "name type", a question mark where NULL may stand.
TABLES = {
    "projects": "project int, name text, time_zone text, made_at big",
    "write_keys": "project int, key int, name text, kind text, hash bytes, made_at big, revoked_at big?",
    "query_tokens": "project int, token int, name text, hash bytes, made_at big, revoked_at big?",
    "journeys": "project int, version int, name text, number int, definition text, made_at big",
    "catalog": "generation big",
    "positions": "partition int, epoch big, owner text, position big, next_id big, next_seq big, clock big,"
    " staged big, duplicates big, lost big",
    "identifiers": "project int, kind small, value text, stream big, customer big",
    "links": "project int, stream big, at big, id text, owner big",
    "emails": "project int, email text, stream big",
    "customers": "project int, customer big, revision big, count int, at big, id text, recorded big,"
    " recent bytes, states bytes, due big?, status small, into big",
    "touchpoints": "project int, stream big, lo big, hi big, n int, ids bytes, body bytes",
    "snapshots": "project int, customer big, n int, at big, id text, body bytes",
    "ledger": "project int, version int, customer big, at big, source small, target small, cause small,"
    " recorded big, sign small, writer int, seq big",
    "populations": "project int, version int, stage small, level small, at big, recorded big, writer int,"
    " customers big",
    "flows": "project int, version int, source small, target small, cause small, sign small, writer int, n big",
    "timers": "project int, customer big, writer int, due big",
    "queue": "project int, customer big, writer int, cause small, since big",
    "dead_letters": "project int, partition int, position big, at big, reason text, value bytes",
    "rejections": "project int, key int, at big, index int, code text, field text, message text",
    "quarantine": "project int, customer big, version int, at big, error text",
}

KEYS = {
    "projects": "project",
    "write_keys": "project key",
    "query_tokens": "project token",
    "journeys": "project version",
    "catalog": "generation",
    "positions": "partition",
    "identifiers": "project kind value",
    "emails": "project email stream",
    "customers": "project customer",
    "populations": "project version level at recorded stage writer",
    "flows": "project version source target cause sign writer",
    "timers": "project customer",
    "queue": "project customer",
    "dead_letters": "partition position",
    "quarantine": "project customer version",
}

INDEXES = {
    "identifiers_customer": ("identifiers", "project customer"),
    "identifiers_stream": ("identifiers", "project stream"),
    "links_stream": ("links", "project stream"),
    "links_owner": ("links", "project owner"),
    "touchpoints_stream": ("touchpoints", "project stream lo"),
    "snapshots_customer": ("snapshots", "project customer at"),
    "ledger_customer": ("ledger", "project customer"),
    "ledger_at": ("ledger", "project version at customer"),
    "ledger_recorded": ("ledger", "project version recorded"),
    "populations_recorded": ("populations", "project version level recorded"),
    "timers_due": ("timers", "writer due"),
    "queue_since": ("queue", "writer since"),
    "rejections_at": ("rejections", "project at"),
}

UNIQUE = {
    "projects_name": ("projects", "name"),
    "write_keys_hash": ("write_keys", "hash"),
    "query_tokens_hash": ("query_tokens", "hash"),
    "journeys_version": ("journeys", "version"),
    "journeys_name": ("journeys", "project name number"),
}

FILLFACTORS = {"customers": "50", "populations": "70", "flows": "50"}

# Found by their key alone, so SQLite keeps the rows in it.
WITHOUT_ROWID = {"emails", "populations", "flows"}


def _columns(text: str) -> list[sa.Column[Any]]:
    columns = []
    for column in text.split(", "):
        name, type_ = column.split()
        kind = TYPES[type_.rstrip("?")]
        columns.append(sa.Column(name, kind, nullable=type_.endswith("?"), autoincrement=False))
    return columns


def upgrade() -> None:
    for table, columns in TABLES.items():
        key = KEYS.get(table, "").split()
        constraints = [sa.PrimaryKeyConstraint(*key, name=f"{table}_pkey")] if key else []
        options: dict[str, Any] = {}
        if table in FILLFACTORS:
            options["postgresql_with"] = {"fillfactor": FILLFACTORS[table]}
        if table in WITHOUT_ROWID:
            options["sqlite_with_rowid"] = False
        op.create_table(table, *_columns(columns), *constraints, **options)
    for index, (table, indexed) in INDEXES.items():
        op.create_index(index, table, indexed.split())
    for index, (table, indexed) in UNIQUE.items():
        op.create_index(index, table, indexed.split(), unique=True)
    if op.get_bind().dialect.name == "postgresql":
        # A state may exceed what PostgreSQL keeps in the row; fetching it from elsewhere would cost a look-up each.
        for column in ("recent", "states"):
            op.execute(f"ALTER TABLE customers ALTER COLUMN {column} SET STORAGE MAIN")
        # The default compression takes an eighth of the server's time. A server may have been built without this one.
        for table in ("touchpoints", "snapshots"):
            op.execute(
                f"DO $$ BEGIN ALTER TABLE {table} ALTER COLUMN body SET COMPRESSION lz4;"
                " EXCEPTION WHEN feature_not_supported THEN NULL; END $$"
            )
    op.execute("INSERT INTO catalog (generation) VALUES (1)")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
