"""Who is who, what happened, what the ledger sums up to, and what is to be done."""

from sqlalchemy import Index, Table

from shared.store.tables.columns import big, blob, integer, key, metadata, small, text

# --- Who is who -------------------------------------------------------------------------------------------------------

identifiers = Table(
    "identifiers",
    metadata,
    integer("project"),
    small("kind"),
    text("value"),
    big("stream"),
    big("customer"),
    key("identifiers", "project", "kind", "value"),
    # With a rowid: clustered by its key, SQLite would rather walk the whole project than use the other two indexes.
    Index("identifiers_customer", "project", "customer"),
    Index("identifiers_stream", "project", "stream"),
)

links = Table(
    "links",
    metadata,
    integer("project"),
    big("stream"),
    big("at"),
    text("id"),
    big("owner"),
    Index("links_stream", "project", "stream"),
    Index("links_owner", "project", "owner"),
)

emails = Table(
    "emails",
    metadata,
    integer("project"),
    text("email"),
    big("stream"),
    key("emails", "project", "email", "stream"),
    sqlite_with_rowid=False,
)

# A customer's row is rewritten with every batch that it takes part in: half of each page is kept free, so that the new
# version finds room beside the old one and no index changes. `recent` and `states` stay in the row.
customers = Table(
    "customers",
    metadata,
    integer("project"),
    big("customer"),
    big("revision"),
    integer("count"),
    big("at"),
    text("id"),
    big("recorded"),
    blob("recent"),
    blob("states"),
    big("due", nullable=True),
    small("status"),
    big("into"),
    key("customers", "project", "customer"),
    postgresql_with={"fillfactor": "50"},
)

# --- What happened ----------------------------------------------------------------------------------------------------

touchpoints = Table(
    "touchpoints",
    metadata,
    integer("project"),
    big("stream"),
    big("lo"),
    big("hi"),
    integer("n"),
    blob("ids"),
    blob("body"),
    big("mark"),
    Index("touchpoints_stream", "project", "stream", "lo"),
    Index("touchpoints_mark", "project", "mark"),
)

snapshots = Table(
    "snapshots",
    metadata,
    integer("project"),
    big("customer"),
    integer("n"),
    big("at"),
    text("id"),
    blob("body"),
    Index("snapshots_customer", "project", "customer", "at"),
)

ledger = Table(
    "ledger",
    metadata,
    integer("project"),
    integer("version"),
    big("customer"),
    big("at"),
    small("source"),
    small("target"),
    small("cause"),
    big("recorded"),
    small("sign"),
    integer("writer"),
    big("seq"),
    Index("ledger_customer", "project", "customer"),
    Index("ledger_at", "project", "version", "at", "customer"),
    Index("ledger_recorded", "project", "version", "recorded"),
    Index("ledger_seq", "project", "seq"),
)

# --- The ledger summed up, by the transactions that write it ----------------------------------------------------------

populations = Table(
    "populations",
    metadata,
    integer("project"),
    integer("version"),
    small("stage"),
    small("level"),
    big("at"),
    big("recorded"),
    integer("writer"),
    big("customers"),
    # In this order a level's range of `at` lies together, whatever the stage.
    key("populations", "project", "version", "level", "at", "recorded", "stage", "writer"),
    Index("populations_recorded", "project", "version", "level", "recorded"),
    postgresql_with={"fillfactor": "70"},
    sqlite_with_rowid=False,
)

flows = Table(
    "flows",
    metadata,
    integer("project"),
    integer("version"),
    small("source"),
    small("target"),
    small("cause"),
    small("sign"),
    integer("writer"),
    big("n"),
    key("flows", "project", "version", "source", "target", "cause", "sign", "writer"),
    postgresql_with={"fillfactor": "50"},
    sqlite_with_rowid=False,
)

# --- What is to be done -----------------------------------------------------------------------------------------------

timers = Table(
    "timers",
    metadata,
    integer("project"),
    big("customer"),
    integer("writer"),
    big("due"),
    key("timers", "project", "customer"),
    Index("timers_due", "writer", "due"),
)

queue = Table(
    "queue",
    metadata,
    integer("project"),
    big("customer"),
    integer("writer"),
    small("cause"),
    big("since"),
    key("queue", "project", "customer"),
    Index("queue_since", "writer", "since"),
)

# How far the back-fill of a version has come through the customers of one home partition, in order of their numbers.
fills = Table(
    "fills",
    metadata,
    integer("project"),
    integer("version"),
    integer("writer"),
    big("next"),
    big("until"),
    big("filled"),
    big("finished", nullable=True),
    key("fills", "project", "version", "writer"),
)
