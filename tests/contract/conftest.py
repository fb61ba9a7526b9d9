"""An empty store of the test's own, in each database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.store.engine import engine
from shared.store.port import Session, Store
from tests.contract.store_backends import new_store


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    """Where an empty store of the test's own may be made."""
    if request.param == "sqlite":
        return tmp_path / "store.db"
    dsn: str = request.getfixturevalue("database")
    return dsn


@pytest.fixture
async def store(address: str | Path) -> AsyncIterator[Store]:
    """An empty store."""
    async with new_store(address) as made:
        yield made


@pytest.fixture
async def session(store: Store) -> AsyncIterator[Session]:
    """A session on it."""
    async with store.session() as made:
        yield made


@pytest.fixture
async def other(store: Store) -> AsyncIterator[Session]:
    """Another session on it."""
    async with store.session() as made:
        yield made


@pytest.fixture
async def pool(address: str | Path, store: Store) -> AsyncIterator[AsyncEngine]:
    """Connections to it for reading and for administration."""
    made = engine(address)
    yield made
    await made.dispose()
