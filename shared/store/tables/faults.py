"""What went wrong."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from shared.store.tables.columns import big, blob, integer, key, metadata, text

dead_letters = Table(
    "dead_letters",
    metadata,
    integer("project"),
    integer("partition"),
    big("position"),
    big("at"),
    text("reason"),
    blob("value"),
    key("dead_letters", "partition", "position"),
)

# What people have made of dead letters; the letters themselves are never changed.
repairs = Table(
    "repairs",
    metadata,
    integer("project"),
    integer("partition"),
    big("position"),
    big("at"),
    blob("value", nullable=True),
    big("replayed_at", nullable=True),
    key("repairs", "partition", "position"),
)

# The number rises with every rejection, and is never given twice.
rejections = Table(
    "rejections",
    metadata,
    integer("project"),
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), nullable=False, autoincrement=True),
    integer("key"),
    big("at"),
    integer("index"),
    text("code"),
    text("field"),
    text("message"),
    integer("size"),
    blob("body"),
    key("rejections", "number"),
    Index("rejections_at", "project", "at"),
    Index("rejections_code", "project", "code", "number"),
    sqlite_autoincrement=True,
)

quarantine = Table(
    "quarantine",
    metadata,
    integer("project"),
    big("customer"),
    integer("version"),
    big("at"),
    text("error"),
    key("quarantine", "project", "customer", "version"),
)
