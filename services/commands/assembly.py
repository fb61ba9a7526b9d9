"""The services put together from an open log and store; `up` runs all of them, the others one each."""

import os
import socket
import time
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from services.commands.refusals import RefusalWriter
from services.commands.validating import Validator, front_keys
from services.ingest.app import App, Ingest, build_ingest
from services.ingest.door import open_door, open_tables
from services.ingest.keys import WriteKey
from services.metrics.api import validate
from services.metrics.app import Room
from services.stager import app as stager_app
from services.stager.telemetry import Telemetry
from shared.journeys import roles
from shared.log.port import Log
from shared.runtime import Work
from shared.settings import Settings
from shared.store.keyring import Kept, Keyring
from shared.store.port import Store
from shared.touch.told import Teller
from shared.tracing import Tracer


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
    # An ingest that can start without Kafka can start without the store, too.
    kept = Kept(Path(settings.spool) / "keys", WriteKey) if settings.kafka and settings.spool else None
    keys = Keyring(database, front_keys, kept=kept)
    await keys.begin()
    app = build_ingest(log, keys, refusals, settings, registry, lambda: time.time_ns() // 1000, fallback)
    return Front(app, {"the refresh of write keys": keys.run, "the record of refusals": refusals.run})


def validation(store: Store, database: AsyncEngine, settings: Settings, teller: Teller) -> Room:
    """The metrics service's room for `POST /v1/validate`. Raises BadSettings for faults in the settings' files."""
    validator = Validator(store, database, settings, open_door(settings), teller)
    return validate.room(validator.validate, teller)


def teller(settings: Settings) -> Teller:
    """What says of touchpoints what the tables know. Raises BadSettings for faults in a site's tables."""
    return Teller(open_tables(settings, roles.known()))


def stager(
    log: Log,
    store: Store,
    settings: Settings,
    registry: CollectorRegistry,
    teller: Teller,
    tracer: Tracer | None = None,
) -> Work:
    """The stager as a task, under a name that no other process has."""
    name, telemetry = f"{socket.gethostname()}-{os.getpid()}", Telemetry(registry, tracer)
    return lambda stop: stager_app.run(log, store, settings, telemetry, teller, stop, name)
