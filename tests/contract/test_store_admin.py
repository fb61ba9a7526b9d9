"""Keys, tokens and projects, on both databases."""

import asyncio
import hashlib

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.store import admin, tables
from shared.store.engine import reading, writing
from shared.store.keyring import Keyring
from shared.store.port import Conflict, Session
from tests.support.processes import eventually


async def test_keys_and_tokens_work_until_they_are_revoked(pool: AsyncEngine) -> None:
    """A key is shown once; its project and kind are found by it until it is revoked."""
    async with writing(pool) as db:
        project = await admin.create_project(db, "shop", "Asia/Tehran")
        key, secret = await admin.create_write_key(db, project.project, "site", "browser")
        token, question = await admin.create_query_token(db, 1, "ops")
    assert secret.startswith("wk_")
    assert question.startswith("qt_")
    keys, tokens = Keyring(pool, admin.write_keys), Keyring(pool, admin.query_tokens)
    await keys.refresh()
    await tokens.refresh()
    assert keys.find(secret) == key
    assert (key.project, key.kind, project.time_zone) == (2, "browser", "Asia/Tehran")
    assert keys.find(question) is None
    assert keys.find("\ud800") is None
    assert tokens.find(question) == token
    stop = asyncio.Event()
    keys = Keyring(pool, admin.write_keys, every=0.05)
    running = asyncio.create_task(keys.run(stop))
    await eventually(lambda: keys.find(secret) is not None)
    async with writing(pool) as db:
        assert await admin.revoke_write_key(db, key.number)
        assert not await admin.revoke_write_key(db, key.number)
        assert await admin.revoke_query_token(db, token.number)
    await eventually(lambda: keys.find(secret) is None)
    stop.set()
    await running
    async with reading(pool) as db:
        assert [one.number for one in (await admin.write_keys(db, revoked=True)).values()] == [key.number]
        assert await admin.query_tokens(db) == {}


async def test_only_hashes_are_kept(pool: AsyncEngine) -> None:
    """Neither a key nor a token stands anywhere in its row."""
    async with writing(pool) as db:
        _, key = await admin.create_write_key(db, 1, "site", "browser")
        _, token = await admin.create_query_token(db, 1, "ops")
    async with reading(pool) as db:
        for table, secret in ((tables.write_keys, key), (tables.query_tokens, token)):
            (row,) = (await db.execute(select(table))).all()
            assert hashlib.sha256(secret.encode()).digest() in row
            assert secret not in str(row)


async def test_a_key_is_changed_while_it_is_used(pool: AsyncEngine) -> None:
    """Name, origins and rate of a key in force can be changed, each alone; a revoked key stays as it was."""
    async with writing(pool) as db:
        key, secret = await admin.create_write_key(db, 1, "site", "browser", ["https://shop.example"], 5)
        assert (key.origins, key.rate) == (("https://shop.example",), 5)
        assert await admin.edit_write_key(db, key.number, rate=7)
        assert await admin.edit_write_key(db, key.number, name="shop", origins=["*.shop.example", "http://a.b:81"])
    keys = Keyring(pool, admin.write_keys)
    await keys.refresh()
    changed = key._replace(name="shop", origins=("*.shop.example", "http://a.b:81"), rate=7)
    assert keys.find(secret) == changed
    async with writing(pool) as db:
        assert await admin.edit_write_key(db, key.number, origins=[])
        await admin.revoke_write_key(db, key.number)
        assert not await admin.edit_write_key(db, key.number, name="other")
    async with reading(pool) as db:
        (found,) = (await admin.write_keys(db, revoked=True)).values()
    assert (found.name, found.origins, found.rate) == ("shop", (), 7)


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://Shop.Example:443/", "https://shop.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://shop.example:443", "http://shop.example:443"),
        (" *.Shop.Example ", "*.shop.example"),
        ("https://فروشگاه.ir", "https://xn--mgbtj4c7ad63e.ir"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("https://[::1]:8000", "https://[::1]:8000"),
    ],
)
def test_origins_are_kept_as_browsers_write_them(given: str, normal: str) -> None:
    """Capitals, the usual port and a slash at the end make no difference; names in other scripts are as in the DNS."""
    assert admin.normal_origin(given) == normal


@pytest.mark.parametrize(
    "given", ["shop.example", "*", "https://*.shop.example", "*.a:80", "https://a/b", "https://a b", ""]
)
def test_what_is_no_origin_is_refused(given: str) -> None:
    """An origin has a scheme and a host and nothing else; a star stands for hosts alone."""
    with pytest.raises(ValueError, match="origin"):
        admin.normal_origin(given)


async def test_projects_say_what_becomes_of_shared_devices(pool: AsyncEngine, session: Session) -> None:
    """A stager learns of a project that joins them with the journeys in force, of a new one, too."""
    before = await session.catalog()
    async with writing(pool) as db:
        made = await admin.create_project(db, "household", "UTC", "join")
        await admin.create_project(db, "shop", "UTC")
    after = await session.catalog()
    assert after.generation > before.generation
    assert not before.joined
    assert after.joined == {made.project}


async def test_what_cannot_be_made_says_why(pool: AsyncEngine) -> None:
    """A name that is taken, a zone, a kind and a project that do not exist."""
    with pytest.raises(Conflict):
        async with writing(pool) as db:
            await admin.create_project(db, "default", "UTC")
    for wrong in (
        lambda db: admin.create_project(db, "shop", "Mars/Olympus"),
        lambda db: admin.create_write_key(db, 1, "site", "robot"),
        lambda db: admin.create_write_key(db, 9, "site"),
        lambda db: admin.create_query_token(db, 9, "site"),
        lambda db: admin.create_query_token(db, 1, "site", "admin"),
        lambda db: admin.create_write_key(db, 1, "site", "server", ["https://a.b"]),
    ):
        with pytest.raises(ValueError, match=r"there is no|kind"):
            async with writing(pool) as db:
                await wrong(db)


async def test_keys_made_at_once_have_different_numbers(pool: AsyncEngine) -> None:
    """Numbers are given one after another, whoever asks."""

    async def make() -> int:
        async with writing(pool) as db:
            key, _ = await admin.create_write_key(db, 1, "site")
            return key.number

    numbers = await asyncio.gather(*(make() for _ in range(5)))
    assert sorted(numbers) == [1, 2, 3, 4, 5]
