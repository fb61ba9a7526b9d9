"""Keys and tokens in force, in memory: asked at every request, refreshed in the background."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Generic, TypeVar

import msgspec
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
        self,
        database: AsyncEngine,
        load: Callable[[AsyncConnection], Awaitable[Mapping[bytes, K]]],
        every: float = 3,
        kept: "Kept[K] | None" = None,
    ) -> None:
        self._database, self._load, self._every, self._kept = database, load, every, kept
        self._keys: Mapping[bytes, K] = {}

    def find(self, secret: str) -> K | None:
        """What belongs to this key or token; None if there is none in force."""
        return self._keys.get(hashed(secret))

    async def refresh(self) -> None:
        """Reads them now. Raises StoreUnavailable."""
        async with reading(self._database) as db:
            self._keys = await self._load(db)
        if self._kept is not None:
            self._kept.save(self._keys)

    async def begin(self) -> None:
        """Reads them for the first time; where the store cannot be reached, those that were kept.

        Raises StoreUnavailable if none were.
        """
        try:
            await self.refresh()
        except StoreUnavailable as error:
            kept = self._kept.load() if self._kept is not None else None
            if kept is None:
                raise
            _logger.warning("the keys known the last time are in force: %s", error)
            self._keys = kept

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


class Kept(Generic[K]):
    """The keys last read, in a file: their hashes, and what belongs to them, of the type given."""

    def __init__(self, path: Path, kind: type[K]) -> None:
        self._path = path
        self._decode = msgspec.msgpack.Decoder(dict[bytes, kind]).decode  # type: ignore[valid-type] # known when it runs
        self._saved = b""

    def save(self, keys: Mapping[bytes, K]) -> None:
        """Keeps them, if they are others than before; a disk that takes nothing is told, and no more."""
        data = msgspec.msgpack.encode(dict(keys))
        if data == self._saved:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._path.parent, prefix=self._path.name, delete=False) as file:
                file.write(data)
            Path(file.name).replace(self._path)
            self._saved = data
        except OSError as error:
            _logger.warning("keys cannot be kept in %s: %s", self._path, error)

    def load(self) -> Mapping[bytes, K] | None:
        """Those kept; None if there are none that can be read."""
        try:
            return self._decode(self._path.read_bytes())
        except (OSError, msgspec.MsgspecError) as error:
            _logger.warning("no keys were kept in %s: %s", self._path, error)
            return None
