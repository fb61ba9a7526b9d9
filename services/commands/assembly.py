"""The services put together from an open log and store; `up` runs all of them, the others one each."""

import os
import socket
import time
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.commands.refusals import RefusalWriter
from services.ingest.app import App, Ingest, build_ingest
from services.ingest.keys import WriteKey
from services.stager import app as stager_app
from services.stager.telemetry import Telemetry
from shared.log.port import Log
from shared.runtime import Work
from shared.settings import Settings
from shared.store.admin import write_keys
from shared.store.keyring import Keyring
from shared.store.port import Store


class Front(NamedTuple):
    """Ingest with what it needs beside it."""

    app: Ingest
    tasks: dict[str, Work]


async def front(
    log: Log,
    database: AsyncEngine,
    refusals: RefusalWriter,
    settings: Settings,
    registry: CollectorRegistry,
    fallback: App | None = None,
) -> Front:
    """Ingest over this log, with the keys that the store knows now. Raises StoreUnavailable.

    `refusals` is to be flushed when all has stopped.
    """
    keys = Keyring(database, _keys)
    await keys.refresh()
    app = build_ingest(log, keys, refusals, settings, registry, lambda: time.time_ns() // 1000, fallback)
    return Front(app, {"the refresh of write keys": keys.run, "the record of refusals": refusals.run})


def stager(log: Log, store: Store, settings: Settings, registry: CollectorRegistry) -> Work:
    """The stager as a task, under a name that no other process has."""
    name, telemetry = f"{socket.gethostname()}-{os.getpid()}", Telemetry(registry)
    return lambda stop: stager_app.run(log, store, settings, telemetry, stop, name)


async def _keys(db: AsyncConnection) -> dict[bytes, WriteKey]:
    found = await write_keys(db)
    return {
        digest: WriteKey(key.number, key.project, key.name, key.kind, key.origins, key.rate)
        for digest, key in found.items()
    }
