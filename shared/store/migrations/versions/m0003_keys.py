"""Write keys have origins and a rate; a project says whether a shared device joins its users."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
PROJECTS = "project, name, time_zone, made_at"
KEYS = 'project, "key", name, kind, hash, made_at, revoked_at'


def upgrade() -> None:
    _put_aside("projects")
    _projects(sa.Column("devices", TEXT, nullable=False))
    _take_back("projects", f"{PROJECTS}, devices", f"{PROJECTS}, 'split'")
    _put_aside("write_keys")
    _write_keys(sa.Column("origins", TEXT, nullable=False), sa.Column("rate", sa.Integer(), nullable=False))
    _take_back("write_keys", f"{KEYS}, origins, rate", f"{KEYS}, '', 0")


def downgrade() -> None:
    _put_aside("projects")
    _projects()
    _take_back("projects", PROJECTS, PROJECTS)
    _put_aside("write_keys")
    _write_keys()
    _take_back("write_keys", KEYS, KEYS)


def _projects(*more: sa.Column[str]) -> None:
    op.create_table(
        "projects",
        sa.Column("project", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("time_zone", TEXT, nullable=False),
        *more,
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", name="projects_pkey"),
    )
    op.create_index("projects_name", "projects", ["name"], unique=True)


def _write_keys(*more: sa.Column[str] | sa.Column[int]) -> None:
    op.create_table(
        "write_keys",
        sa.Column("project", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("key", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        *more,
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project", "key", name="write_keys_pkey"),
    )
    op.create_index("write_keys_hash", "write_keys", ["hash"], unique=True)


def _put_aside(table: str) -> None:
    """A table is made anew rather than altered, so that it is described alike however it came about."""
    op.execute(f"CREATE TABLE {table}_before AS SELECT * FROM {table}")
    op.drop_table(table)


def _take_back(table: str, columns: str, values: str) -> None:
    op.execute(f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table}_before")
    op.drop_table(f"{table}_before")
