"""The metrics service as its users meet it: a real stager fills a real store, HTTP asks."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvicorn
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.app import build_metrics
from shared import telemetry
from shared.events import SECOND, Record
from shared.log.port import Log
from shared.log.sqlite import open_sqlite_log
from shared.metric import Source
from shared.settings import Settings
from shared.store import admin, postgres, sqlite
from shared.store.engine import engine, writing
from shared.store.port import Store
from shared.store.schema import setup
from tests.support.journeys import teller
from tests.support.processes import eventually
from tests.support.staging import PARTITIONS, Driven, Staging

SHOP = """
journey: shop
title: {en: Shop, fa: فروشگاه}
stages:
  - {stage: visitor, title: {en: Visitor, fa: بازدیدکننده}, enter: {touchpoint: {type: page}}}
  - {stage: buyer, title: {en: Buyer, fa: خریدار}, means: converted, enter: {touchpoint: {name: Order Completed}}}
side:
  - {stage: gone, means: churned, from: buyer, enter: {quiet: 30d}, return: {on: activity, to: highest}}
"""


def at(text: str) -> int:
    """An ISO instant (UTC unless it says otherwise) in microseconds."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * SECOND


def record(id: str, when: str, received: str | None = None, **fields: Any) -> Record:
    """A record of project 1 that happened at an ISO instant; a track of user u1 unless told. Objects are encoded."""
    objects = ("properties", "traits", "context")
    given = dict(fields)
    given |= {name: msgspec.Raw(msgspec.json.encode(fields[name])) for name in objects if name in fields}
    if not {"user", "anonymous"} & given.keys():
        given["user"] = "u1"
    return Record(
        **{"project": 1, "id": id, "type": "track", "at": at(when), "received": at(received or when), **given}
    )


class Site:
    """A log, a store and a stager, and a client that may ask about them."""

    def __init__(
        self, staging: Staging, stager: Driven, database: AsyncEngine, client: httpx.AsyncClient, token: str
    ) -> None:
        self.log: Log = staging.log
        self.store: Store = staging.store
        self.database, self.client, self.token = database, client, token
        self._staging, self._stager = staging, stager

    async def receive(self, *records: Record) -> None:
        """Takes records and stages them, with all that time has done since."""
        await self._staging.append(records)
        await self._stager.settle()

    async def get(self, path: str, status: int = 200, **params: str) -> Any:
        """The JSON that a GET is answered with."""
        answer = await self.client.get(path, params=params)
        assert answer.status_code == status, answer.text
        return answer.json()

    def app(self, *registries: Source) -> FastAPI:
        """Another replica of the metrics service."""
        return build_metrics(self.store, self.database, self.log, Settings(), teller(), registries)


def client(app: FastAPI, token: str | None = None) -> httpx.AsyncClient:
    """A client of an app in this process, as strict as a server: an error is an answer, not an exception."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://milepost", headers=headers)


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The app on a port of this machine; gives host:port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        serving = asyncio.create_task(server.serve([listener]))
        try:
            await eventually(lambda: server.started)
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def site(
    address: str | Path, folder: Path, journeys: Sequence[str] = (SHOP,), zone: str = "UTC"
) -> AsyncIterator[Site]:
    """Everything over an empty store at this address (a SQLite file, or a database), project 1 with these journeys."""
    await setup(address, PARTITIONS, zone)
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(open_sqlite_log(folder / "log.db", PARTITIONS, 86_400))
        opening = sqlite.open(address, 5.0) if isinstance(address, Path) else postgres.open(address, 5.0)
        staging = Staging(log, await stack.enter_async_context(opening), stack)
        database = engine(address)
        stack.push_async_callback(database.dispose)
        for text in journeys:
            await staging.store.add_journey(1, text.partition("journey:")[2].split()[0], text)
        async with writing(database) as db:
            _, token = await admin.create_query_token(db, 1, "test")
        app = build_metrics(staging.store, database, log, Settings(), teller(), [telemetry.registry()])
        asker = await stack.enter_async_context(client(app, token))
        yield Site(staging, await staging.stager(), database, asker, token)
