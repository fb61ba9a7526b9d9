"""The stager as a service: what `milepost stager` and `milepost up` run."""

import asyncio

from services.stager.consumer import Stager
from services.stager.garbage import collecting
from services.stager.telemetry import Telemetry
from shared.log.port import Log
from shared.settings import Settings
from shared.store.port import Store
from shared.touch.told import Teller


async def run(
    log: Log, store: Store, settings: Settings, telemetry: Telemetry, teller: Teller, stop: asyncio.Event, name: str
) -> None:
    """Stages records until `stop` is set, as member `name` of the group. The transaction at hand is finished first."""
    async with store.session() as session, log.reader(name) as reader:
        with collecting() as garbage:
            await Stager(session, reader, settings, telemetry, teller, name).run(stop, garbage)
