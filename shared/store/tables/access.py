"""Who may send and ask, and what is in force."""

from sqlalchemy import Index, Table

from shared.store.tables.columns import big, blob, integer, key, metadata, small, text

projects = Table(
    "projects",
    metadata,
    integer("project"),
    text("name"),
    text("time_zone"),
    text("devices"),
    big("made_at"),
    key("projects", "project"),
    Index("projects_name", "name", unique=True),
)

write_keys = Table(
    "write_keys",
    metadata,
    integer("project"),
    integer("key"),
    text("name"),
    text("kind"),
    text("origins"),
    integer("rate"),
    blob("hash"),
    big("made_at"),
    big("revoked_at", nullable=True),
    key("write_keys", "project", "key"),
    Index("write_keys_hash", "hash", unique=True),
)

query_tokens = Table(
    "query_tokens",
    metadata,
    integer("project"),
    integer("token"),
    text("name"),
    text("kind"),
    blob("hash"),
    big("made_at"),
    big("revoked_at", nullable=True),
    key("query_tokens", "project", "token"),
    Index("query_tokens_hash", "hash", unique=True),
)

journeys = Table(
    "journeys",
    metadata,
    integer("project"),
    integer("version"),
    text("name"),
    integer("number"),
    text("definition"),
    big("made_at"),
    big("asked_at"),
    big("retired_at", nullable=True),
    small("paused"),
    key("journeys", "project", "version"),
    Index("journeys_version", "version", unique=True),
    Index("journeys_name", "project", "name", "number", unique=True),
)

catalog = Table("catalog", metadata, big("generation"), key("catalog", "generation"))

positions = Table(
    "positions",
    metadata,
    integer("partition"),
    big("epoch"),
    text("owner"),
    big("position"),
    big("next_id"),
    big("next_seq"),
    big("clock"),
    big("staged"),
    big("duplicates"),
    big("lost"),
    key("positions", "partition"),
)
