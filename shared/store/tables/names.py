"""What names a site sends."""

from sqlalchemy import Table

from shared.store.tables.columns import big, integer, key, metadata, text

# How often each name was staged under a type, and between which times, by each writer. No name is the empty one; the
# row without a type is of all names beyond those that are counted one by one.
names = Table(
    "names",
    metadata,
    integer("project"),
    text("type"),
    text("name"),
    integer("writer"),
    big("n"),
    big("first_at"),
    big("last_at"),
    key("names", "project", "type", "name", "writer"),
)
