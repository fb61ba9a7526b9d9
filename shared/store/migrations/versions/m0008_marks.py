"""Marks of batches, by which the analytical copy goes on reading where it was; what is older has none."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = "project, stream, lo, hi, n, ids, body"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # at once, however large the table is
        op.add_column("touchpoints", sa.Column("mark", sa.BigInteger(), nullable=False, server_default="0"))
        op.alter_column("touchpoints", "mark", server_default=None)
    else:
        _remake(f"{COLUMNS}, mark", f"{COLUMNS}, 0", sa.Column("mark", sa.BigInteger(), nullable=False))
    op.create_index("touchpoints_mark", "touchpoints", ["project", "mark"])
    op.create_index("ledger_seq", "ledger", ["project", "seq"])


def downgrade() -> None:
    op.drop_index("ledger_seq", "ledger")
    op.drop_index("touchpoints_mark", "touchpoints")
    _remake(COLUMNS, COLUMNS)


def _remake(columns: str, values: str, *more: sa.Column[int]) -> None:
    """Made anew rather than altered, so that the table is described alike however it came about."""
    op.execute("CREATE TABLE touchpoints_before AS SELECT * FROM touchpoints")
    op.drop_table("touchpoints")
    op.create_table(
        "touchpoints",
        sa.Column("project", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("stream", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("lo", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("hi", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("n", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("ids", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        *more,
    )
    op.create_index("touchpoints_stream", "touchpoints", ["project", "stream", "lo"])
    op.execute(f"INSERT INTO touchpoints ({columns}) SELECT {values} FROM touchpoints_before")
    op.drop_table("touchpoints_before")
