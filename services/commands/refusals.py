"""Writes refused events' reasons into the store, beside the requests that they came with."""

import asyncio
import logging
import time
from dataclasses import astuple

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.refusals import Refusal
from shared.store import rejections
from shared.store.engine import writing
from shared.store.port import StoreUnavailable
from shared.store.rows import Rejection

#: Held until they are written; what comes beyond is forgotten here, and stays in the counters.
HELD = 5_000
#: Seconds between two writes.
EVERY = 1.0
#: Seconds between two looks for those that are too old.
FORGET = 3_600.0

_logger = logging.getLogger(__name__)


class RefusalWriter:
    """Where ingest notes refusals (`services.ingest.refusals.Refusals`); `run` it beside ingest, then `flush` it."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database
        self._held: list[Rejection] = []
        self._writing = asyncio.Lock()

    def note(self, refusal: Refusal) -> None:
        """Takes one, at once."""
        if len(self._held) < HELD:
            self._held.append(Rejection(*astuple(refusal)))

    async def run(self, stop: asyncio.Event) -> None:
        """Writes them down until the event is set, and forgets the old ones."""
        forget_at = 0.0
        while not stop.is_set():
            await self.flush()
            if time.monotonic() >= forget_at:
                forget_at = time.monotonic() + FORGET
                await self._forget()
            try:
                await asyncio.wait_for(stop.wait(), EVERY)
            except TimeoutError:
                continue

    async def flush(self) -> None:
        """Writes down what is held; while the store cannot be reached it stays held."""
        async with self._writing:
            held = self._held[:HELD]
            if not held:
                return
            try:
                async with writing(self._database) as db:
                    await rejections.add(db, held)
            except StoreUnavailable as error:
                _logger.warning("the reasons of %d refused events wait to be written: %s", len(held), error)
            else:
                del self._held[: len(held)]

    async def _forget(self) -> None:
        try:
            async with writing(self._database) as db:
                await rejections.forget(db)
        except StoreUnavailable as error:
            _logger.warning("old rejections are kept for longer: %s", error)
