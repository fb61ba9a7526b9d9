"""Rejections have a number and the body as sent; repairs of dead letters are kept beside them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SAME = 'project, key, at, "index", code, field, message'


def upgrade() -> None:
    op.create_table(
        "repairs",
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("position", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("replayed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("partition", "position", name="repairs_pkey"),
    )
    _put_aside()
    op.create_table(
        "rejections",
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("number", NUMBER, nullable=False, autoincrement=True),
        *_columns(),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="rejections_pkey"),
        sqlite_autoincrement=True,
    )
    op.create_index("rejections_at", "rejections", ["project", "at"])
    op.create_index("rejections_code", "rejections", ["project", "code", "number"])
    _take_back(f"INSERT INTO rejections ({SAME}, size, body) SELECT {SAME}, 0, '' FROM rejections_before ORDER BY at")


def downgrade() -> None:
    op.drop_table("repairs")
    op.drop_index("rejections_code", "rejections")
    _put_aside()
    op.create_table("rejections", sa.Column("project", sa.Integer(), nullable=False), *_columns())
    op.create_index("rejections_at", "rejections", ["project", "at"])
    _take_back(f"INSERT INTO rejections ({SAME}) SELECT {SAME} FROM rejections_before")


def _columns() -> list[sa.Column[int] | sa.Column[str]]:
    """Those that rejections have before and after, but for the project."""
    return [
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("field", TEXT, nullable=False),
        sa.Column("message", TEXT, nullable=False),
    ]


def _put_aside() -> None:
    op.drop_index("rejections_at", "rejections")
    op.rename_table("rejections", "rejections_before")


def _take_back(insert: str) -> None:
    op.execute(insert)
    op.drop_table("rejections_before")
