"""Query tokens have a kind; those there are may change things, as they could before."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COLUMNS = "project, token, name, hash, made_at, revoked_at"


def upgrade() -> None:
    _remake(f"{COLUMNS}, kind", f"{COLUMNS}, 'write'", sa.Column("kind", TEXT, nullable=False))


def downgrade() -> None:
    """A token that may only ask is gone with a step back: before it there was none that could not change things."""
    op.execute("DELETE FROM query_tokens WHERE kind = 'read'")
    _remake(COLUMNS, COLUMNS)


def _remake(columns: str, values: str, *more: sa.Column[str]) -> None:
    """Made anew rather than altered, so that the table is described alike however it came about."""
    op.execute("CREATE TABLE query_tokens_before AS SELECT * FROM query_tokens")
    op.drop_table("query_tokens")
    op.create_table(
        "query_tokens",
        sa.Column("project", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("token", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("name", TEXT, nullable=False),
        *more,
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project", "token", name="query_tokens_pkey"),
    )
    op.create_index("query_tokens_hash", "query_tokens", ["hash"], unique=True)
    op.execute(f"INSERT INTO query_tokens ({columns}) SELECT {values} FROM query_tokens_before")
    op.drop_table("query_tokens_before")
