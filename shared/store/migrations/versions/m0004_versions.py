"""A version of a journey can be held, paused and retired; how far its back-fill has come is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JOURNEYS = "project, version, name, number, definition, made_at"
#: The newest version of a journey goes on answering, and all others go on being folded, as they were.
ASKED = (
    "(SELECT max(earlier.made_at) FROM journeys_before earlier WHERE earlier.project = journeys_before.project"
    " AND earlier.name = journeys_before.name AND earlier.number <= journeys_before.number)"
)
#: The cause `backfill`, and the status of a customer merged into another, as this version of the tables had them.
BACKFILL, MERGED = 5, 2


def upgrade() -> None:
    _put_aside()
    _journeys(
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("paused", sa.SmallInteger(), nullable=False),
    )
    _take_back(f"{JOURNEYS}, asked_at, retired_at, paused", f"{JOURNEYS}, {ASKED}, NULL, 0")
    op.create_table(
        "fills",
        *(
            sa.Column(name, sa.Integer(), nullable=False, autoincrement=False)
            for name in ("project", "version", "writer")
        ),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("next", "until", "filled")),
        sa.Column("finished", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project", "version", "writer", name="fills_pkey"),
    )


def downgrade() -> None:
    op.execute(
        f"INSERT INTO queue SELECT DISTINCT c.project, c.customer, f.writer, {BACKFILL}, 0"
        " FROM fills f JOIN customers c"
        " ON c.project = f.project AND c.customer >= f.next AND c.customer < f.until"
        f" WHERE f.finished IS NULL AND c.status <> {MERGED} ON CONFLICT DO NOTHING"
    )
    op.drop_table("fills")
    _put_aside()
    _journeys()
    _take_back(JOURNEYS, JOURNEYS)


def _journeys(*more: sa.Column[int]) -> None:
    op.create_table(
        "journeys",
        sa.Column("project", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("version", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", TEXT, nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        *more,
        sa.PrimaryKeyConstraint("project", "version", name="journeys_pkey"),
    )
    op.create_index("journeys_version", "journeys", ["version"], unique=True)
    op.create_index("journeys_name", "journeys", ["project", "name", "number"], unique=True)


def _put_aside() -> None:
    """The table is made anew rather than altered, so that it is described alike however it came about."""
    op.execute("CREATE TABLE journeys_before AS SELECT * FROM journeys")
    op.drop_table("journeys")


def _take_back(columns: str, values: str) -> None:
    op.execute(f"INSERT INTO journeys ({columns}) SELECT {values} FROM journeys_before")
    op.drop_table("journeys_before")
