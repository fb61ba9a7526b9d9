"""What a new store is given so that it can be used at once, and what `milepost up` says when it has started."""

import asyncio
import fcntl
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from shutil import which
from typing import NamedTuple

import click
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.journeys import templates
from shared.runtime import embedded, folder
from shared.settings import Settings
from shared.store import admin, reads
from shared.store.engine import reading, writing
from shared.store.port import Store
from shared.store.reads import Project
from shared.store.versions import answering

FIRST_JOURNEY = "lifecycle"
#: What the name of a project's test project has behind that of the project.
TEST = "-test"
_TURN = 0x66697273  # names the lock of a PostgreSQL store's turns; any number would do


class Secrets(NamedTuple):
    """A write key and a query token, which nobody can be shown again."""

    key: str
    token: str


async def first_project(database: AsyncEngine, test: bool = False) -> Project:
    """The project that commands mean if they name none: the oldest; with `test` the one that its test keys send to."""
    async with reading(database) as db:
        projects = await reads.projects(db)
    if not test:
        return projects[0]
    for project in projects:
        if project.name == projects[0].name + TEST:
            return project
    raise click.ClickException("there is no test project yet: `milepost keys create NAME --kind test` makes it")


async def make_test_project(store: Store, database: AsyncEngine) -> Project:
    """The test project, made like the first one if there is none: its zone, its devices, its journeys."""
    with suppress(click.ClickException):
        return await first_project(database, test=True)
    first = await first_project(database)
    async with writing(database) as db:
        made = await admin.create_project(db, first.name + TEST, first.time_zone, first.devices)
        rows = await reads.journeys(db, first.project)
    for row in answering(rows):
        await store.add_journey(made.project, row.name, row.definition)
    return made


async def furnish(store: Store, database: AsyncEngine, settings: Settings) -> None:
    """Publishes the first journey if the project has none, however many do this at once."""
    async with _in_turn(database, settings):
        project = (await first_project(database)).project
        async with reading(database) as db:
            known = await reads.journeys(db, project)
        if not known:
            await store.add_journey(project, FIRST_JOURNEY, templates.text(FIRST_JOURNEY))


@asynccontextmanager
async def _in_turn(database: AsyncEngine, settings: Settings) -> AsyncIterator[None]:
    """Waits until no other process is here with this store."""
    if database.dialect.name == "postgresql":
        async with writing(database) as db:
            await db.execute(select(func.pg_advisory_xact_lock(_TURN)))
            yield
    else:
        with (folder(settings) / "setup.lock").open("w") as lock:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
            yield


async def first_secrets(database: AsyncEngine) -> Secrets | None:
    """A key and a token for a store that has never had any; None for one that has."""
    project = (await first_project(database)).project
    async with writing(database) as db:
        if await admin.write_keys(db, revoked=True) or await admin.query_tokens(db, revoked=True):
            return None
        _, key = await admin.create_write_key(db, project, "first")
        _, token = await admin.create_query_token(db, project, "first")
    return Secrets(key, token)


def greeting(url: str, settings: Settings, secrets: Secrets | None, ephemeral: bool = False) -> str:
    """What a person reads when the server has started."""
    where = f", data in {settings.data.absolute()}" if embedded(settings) else ""
    usual = Settings.model_fields
    here = f" --data {settings.data}" if embedded(settings) and settings.data != usual["data"].default else ""
    there = f" --url {url}" if settings.port != usual["port"].default else ""
    name = program()
    lines = [f"Milepost {version('milepost')} runs at {url}{where}. Ctrl-C stops it.", ""]
    if secrets:
        lines += _first_steps(url, *secrets)
    else:
        lines += [
            "Keys and tokens are stored hashed and cannot be shown again; new ones are made by",
            f"  {name} keys create NAME{here}      a write key, for sites and apps",
            f"  {name} tokens create NAME{here}    a query token, for people",
            "",
        ]
    lines += [
        "Look:",
        f"  {url}/    shows the stages, in a browser",
        f"  {name} demo{here}{there}    fills it with a simulated shop",
        f"  {name} tail{here}    shows what comes in",
    ]
    if ephemeral:
        lines.append(f"  {url}/v1/_test/touchpoints    is for your own tests; all of it is gone when the server ends")
    return "\n".join(lines)


def program() -> str:
    """How this program is called from where it was started."""
    return "milepost" if which("milepost") else os.path.relpath(Path(sys.executable).parent / "milepost")


def _first_steps(url: str, key: str, token: str) -> list[str]:
    client = f"Client('{key}', host='{url}')"
    return [
        "These are shown only now:",
        f"  write key    {key}    sends events",
        f"  query token  {token}    asks questions",
        "",
        "Send a first event:",
        f"  curl {url}/v1/track -u {key}: -H 'Content-Type: application/json' "
        """-d '{"userId": "ann", "event": "Order Completed"}'""",
        "or with Segment's SDK (pip install segment-analytics-python):",
        f'  python -c "from segment.analytics.client import Client; c = {client}; '
        "c.track('ben', 'Signed Up'); c.join()\"",
        "Then ask where your customers are:",
        f"  curl {url}/v1/journeys/{FIRST_JOURNEY}/stages -H 'Authorization: Bearer {token}'",
        "",
    ]
