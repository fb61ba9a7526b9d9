"""Keys and tokens in force, in memory: asked at every request, refreshed in the background."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.store.admin import hashed
from shared.store.engine import reading
from shared.store.port import StoreUnavailable

K = TypeVar("K")

_logger = logging.getLogger(__name__)


class Keyring(Generic[K]):
    """What `load` reads, by the hashes of the secrets. `refresh` it once, then `run` it beside the service.

    A key made or revoked takes effect within `every` seconds. While the store cannot be reached the keys last read
    stay in force, so that events can still be taken.
    """

    def __init__(
        self, database: AsyncEngine, load: Callable[[AsyncConnection], Awaitable[Mapping[bytes, K]]], every: float = 3
    ) -> None:
        self._database, self._load, self._every = database, load, every
        self._keys: Mapping[bytes, K] = {}

    def find(self, secret: str) -> K | None:
        """What belongs to this key or token; None if there is none in force."""
        return self._keys.get(hashed(secret))

    async def refresh(self) -> None:
        """Reads them now. Raises StoreUnavailable."""
        async with reading(self._database) as db:
            self._keys = await self._load(db)

    async def run(self, stop: asyncio.Event) -> None:
        """Refreshes until the event is set."""
        reachable = True
        while not stop.is_set():
            try:
                await self.refresh()
                reachable = True
            except StoreUnavailable as error:
                if reachable:
                    _logger.warning("keys cannot be refreshed, those known stay in force: %s", error)
                reachable = False
            try:
                await asyncio.wait_for(stop.wait(), self._every)
            except TimeoutError:
                continue
