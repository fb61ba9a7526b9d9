"""What people have ruled about the data that came in."""

from sqlalchemy import Table

from shared.store.tables.columns import big, integer, key, metadata, small, text

# An exclusion (a filter of touchpoints) or a retraction (of statements of who is who), and how far the stager has
# carried it out. Rows stay when they are undone: they say what was known while they stood.
amendments = Table(
    "amendments",
    metadata,
    integer("project"),
    integer("number"),
    small("kind"),
    text("body"),
    text("who"),
    text("why"),
    big("made_at"),
    big("undone_at", nullable=True),
    big("place"),
    key("amendments", "project", "number"),
)
