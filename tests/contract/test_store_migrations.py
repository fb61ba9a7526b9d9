"""The migrations make what `shared/store/tables/` says, on both databases, and can be undone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.store import admin, reads, schema
from shared.store.engine import engine, reading, writing
from shared.store.port import StoreMismatch
from shared.store.tables import metadata
from tests.contract.store_backends import open_store
from tests.support.postgres import Postgres

SQLITE = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name <> 'alembic_version' ORDER BY name"
POSTGRES = """
    SELECT c.relname, c.reloptions::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        coalesce(l.collname, ''), pg_get_indexdef(c.oid)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_collation l ON l.oid = a.attcollation
    WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND c.relname NOT LIKE 'alembic%'
    ORDER BY c.relname, a.attnum
"""


def described(connection: Connection) -> list[tuple[object, ...]]:
    """Every table and index, as the database itself describes them."""
    rows = connection.execute(text(SQLITE if connection.dialect.name == "sqlite" else POSTGRES))
    return [tuple(row) for row in rows]


def differences(connection: Connection) -> list[object]:
    """What Alembic would change to come to the metadata."""
    options = {"compare_type": True, "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


@pytest.fixture
async def migrated(address: str | Path) -> AsyncIterator[AsyncEngine]:
    """A database that was set up."""
    await schema.setup(address, 2, "UTC")
    made = engine(address)
    yield made
    await made.dispose()


@pytest.fixture
def twin(request: pytest.FixtureRequest, address: str | Path, tmp_path: Path) -> str | Path:
    """Another empty database of the same kind."""
    if isinstance(address, str):
        server: Postgres = request.getfixturevalue("postgres")
        return server.create_database()
    path = tmp_path / "twin.db"
    path.touch()
    return path


@pytest.fixture
async def created(twin: str | Path) -> AsyncIterator[AsyncEngine]:
    """A database whose tables were made from the metadata."""
    made = engine(twin)
    async with writing(made) as db:
        await db.run_sync(metadata.create_all)
    yield made
    await made.dispose()


async def test_the_migrations_make_the_tables(migrated: AsyncEngine, created: AsyncEngine) -> None:
    """Columns, types, collations, keys, indexes and storage options are those of the metadata."""
    async with reading(migrated) as db, reading(created) as twin:
        assert await db.run_sync(differences) == []
        described_ = await db.run_sync(described)
        assert len(described_) > len(metadata.tables)
        assert described_ == await twin.run_sync(described)


async def test_the_newest_migration_can_be_undone(migrated: AsyncEngine, address: str | Path) -> None:
    """After a step back the store is a mismatch with a remedy; setting it up again makes the same tables."""
    async with reading(migrated) as db:
        before = await db.run_sync(described)
    async with writing(migrated) as db:
        await db.run_sync(schema.downgrade)
        assert await db.run_sync(described) != before
    async with open_store(address) as store:
        with pytest.raises(StoreMismatch, match="milepost setup"):
            await store.check()
        await schema.setup(address, 2, "UTC")
        await store.check()
    async with reading(migrated) as db:
        assert await db.run_sync(described) == before


async def test_keys_and_projects_outlive_the_steps(migrated: AsyncEngine, address: str | Path) -> None:
    """A key or token made by an older version is one without restrictions; what is newer goes with a step back."""
    async with writing(migrated) as db:
        key, _ = await admin.create_write_key(db, 1, "site", "browser", ["https://shop.example"], 5)
        token, _ = await admin.create_query_token(db, 1, "ops")
        await admin.create_query_token(db, 1, "wall", admin.READ)
        before = (await reads.projects(db))[0]
        await db.run_sync(schema.downgrade, "0002")
    await schema.setup(address, 2, "UTC")
    async with reading(migrated) as db:
        (found,) = (await admin.write_keys(db)).values()
        assert found == key._replace(origins=(), rate=0)
        assert await reads.projects(db) == [before]
        assert list((await admin.query_tokens(db)).values()) == [token]


async def test_a_newer_schema_is_left_alone(migrated: AsyncEngine, address: str | Path) -> None:
    """A store made by a newer version is refused, by the services and by setup."""
    async with writing(migrated) as db:
        await db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    async with open_store(address) as store:
        with pytest.raises(StoreMismatch, match="9999"):
            await store.check()
    with pytest.raises(StoreMismatch, match="newer version"):
        await schema.setup(address, 2, "UTC")


async def test_a_zone_that_does_not_exist_makes_nothing(address: str | Path) -> None:
    """Setup refuses a time zone that it does not know before it touches anything."""
    with pytest.raises(ValueError, match="Mars/Olympus"):
        await schema.setup(address, 2, "Mars/Olympus")
    async with open_store(address) as store:
        with pytest.raises(StoreMismatch):
            await store.check()
