"""A log with a bounded spool on the local disk before it, for a log that is a network away.

What the log does not acknowledge by its deadline is made durable here, acknowledged, and given to the log when it
takes records again: oldest first, across restarts, deleted only once the log has acknowledged it. While the log is
known to be away, appends come straight here, so that answers stay quick.

An append that was given up may still reach the log, and is then there twice: the stager counts an id once per
customer. A key's records may change places on the way through the spool: event time orders them, not the log.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from prometheus_client import CollectorRegistry

from shared import telemetry
from shared.log.gather import Budget, Lane
from shared.log.port import Entry, Log, LogMismatch, LogUnavailable, Reader
from shared.log.spool_file import chunks, frame, read
from shared.log.spool_folder import BROKEN, Folder, Segment, take

T = TypeVar("T")
Opening = Callable[[], AbstractAsyncContextManager[Log]]

#: Seconds between two looks whether the log takes records again.
PROBE = 0.25
#: Seconds between two looks for what dead processes left.
ADOPT = 5.0
#: Values that the drain appends at once, in bytes: its share of the log beside what comes in.
CHUNK = 512 << 10

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bounds:
    """Of a spool: its bytes on disk, the bytes in flight to log and disk, and the seconds that starting waits for the
    log, and an append for the disk."""

    on_disk: int
    in_flight: int
    start: float = 2.0
    deadline: float = 10.0


@asynccontextmanager
async def open_spooled_log(
    opening: Opening, partitions: int, root: Path, bounds: Bounds, registry: CollectorRegistry
) -> AsyncIterator["SpooledLog"]:
    """The log that `opening` opens, with a spool in a folder of this process's own below `root`.

    A log that cannot be reached is opened as soon as it can be. Raises LogMismatch if the log says so at once, and
    LogUnavailable if the folder cannot be used. On leaving, what was appended is in the log or in the spool.
    """
    try:
        folder = await asyncio.to_thread(take, root)
    except OSError as error:
        raise LogUnavailable(f"the spool {root} cannot be used: {error.strerror or error}") from error
    log = SpooledLog(opening, partitions, folder, bounds, registry)
    try:
        await log.begin()
        yield log
    finally:
        await log.close()


class SpooledLog:
    """A Log. Made by `open_spooled_log`."""

    def __init__(
        self, opening: Opening, partitions: int, folder: Folder, bounds: Bounds, registry: CollectorRegistry
    ) -> None:
        self.partitions = partitions
        self._opening, self._folder, self._bounds = opening, folder, bounds
        self._log: Log | None = None
        self._opened = AsyncExitStack()
        self._budget = Budget(bounds.in_flight)
        self._lane: Lane[list[bytes]] = Lane(list, self._write, Budget(bounds.in_flight), bounds.deadline)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._reserved = 0
        #: Why the log takes nothing, and since when; None: it took the last that it was given.
        self._away: Exception | None = LogUnavailable("not connected yet")
        self._since = time.monotonic()
        self._fault = ""
        self._wake, self._tried, self._quiet = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._appending = 0
        self._closed = False
        self._tending: asyncio.Task[None] | None = None
        self._spooled = telemetry.SPOOLED.new(registry)
        self._drained = telemetry.SPOOL_DRAINED.new(registry)
        self._broken = telemetry.SPOOL_BROKEN.new(registry)
        self._refused = telemetry.SPOOL_REFUSED.new(registry)
        telemetry.SPOOL_BYTES.new(registry).set_function(lambda: folder.bytes)
        telemetry.SPOOL_LIMIT.new(registry).set(bounds.on_disk)
        telemetry.SPOOL_RECORDS.new(registry).set_function(lambda: folder.records)
        telemetry.SPOOL_OLDEST.new(registry).set_function(lambda: folder.oldest)

    async def begin(self) -> None:
        """Returns when the log was reached or was not, and at the latest when starting has to go on without it."""
        self._tending = asyncio.create_task(self._tend())
        tried = asyncio.ensure_future(self._tried.wait())
        await asyncio.wait((tried,), timeout=self._bounds.start)
        tried.cancel()
        if isinstance(self._away, LogMismatch):
            raise self._away

    async def close(self) -> None:
        """Refuses further appends; those under way end in the log or in the spool."""
        self._closed = True
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.wait((self._tending,))
        await self._opened.aclose()
        if self._appending:
            await self._quiet.wait()
        await self._lane.drain()
        await self._call(self._folder.close)
        self._thread.shutdown()

    async def append(self, entries: Sequence[Entry]) -> None:
        if self._closed:
            raise LogUnavailable("the log is being closed")
        size = sum([len(value) for _, value in entries])
        self._budget.take(size)
        self._appending += 1
        try:
            if self._log is not None and self._away is None:
                try:
                    await self._log.append(entries)
                    return
                except LogUnavailable as error:
                    self._lost(error)
            if entries:
                await self._spool(entries)
        finally:
            self._budget.give(size)
            self._answered()

    async def healthy(self) -> None:
        """Returns if the log takes records, or the spool does meanwhile."""
        if self._away is None and self._log is not None:
            try:
                await self._log.healthy()
                return
            except LogUnavailable as error:
                self._lost(error)
        if isinstance(self._away, LogMismatch):
            raise LogUnavailable(str(self._away))
        if self._folder.bytes >= self._bounds.on_disk:
            raise LogUnavailable(f"the spool is full ({self._folder.bytes:,} bytes), and {self._away}")
        if self._fault:
            try:
                await self._call(self._folder.probe)
            except OSError as error:
                raise self._unusable(error) from error
            self._fault = ""

    @property
    def waiting(self) -> int:
        """Records that wait for the log."""
        return self._folder.records

    async def start(self, partition: int) -> int:
        return await self._reached().start(partition)

    async def end(self, partition: int) -> int:
        return await self._reached().end(partition)

    def reader(self, name: str) -> AbstractAsyncContextManager[Reader]:
        return self._reached().reader(name)

    def onlooker(self) -> AbstractAsyncContextManager[Reader]:
        return self._reached().onlooker()

    def _answered(self) -> None:
        self._appending -= 1
        if self._closed and not self._appending:
            self._quiet.set()

    def _reached(self) -> Log:
        if self._log is None:
            raise LogUnavailable(str(self._away))
        return self._log

    async def _spool(self, entries: Sequence[Entry]) -> None:
        """Makes the entries durable on this disk. Raises LogUnavailable."""
        frames = list(map(frame, entries))
        size = sum(map(len, frames))
        if self._folder.bytes + self._reserved + size > self._bounds.on_disk:
            self._refused.labels("full").inc()
            raise LogUnavailable(f"the spool is full ({self._folder.bytes:,} bytes), and {self._away}")
        self._reserved += size
        try:
            self._lane.content.extend(frames)
            if error := await self._lane.join(0):
                self._refused.labels("disk").inc()
                raise error
        finally:
            self._reserved -= size
        self._spooled.inc(len(frames))
        self._wake.set()

    async def _write(self, frames: list[bytes]) -> None:
        try:
            await self._call(self._folder.write, frames)
        except OSError as error:
            raise self._unusable(error) from error
        self._fault = ""

    def _unusable(self, error: OSError) -> LogUnavailable:
        fault = f"the spool {self._folder.path} cannot be written: {error.strerror or error}"
        if fault != self._fault:
            _logger.error("%s", fault)
        self._fault = fault
        return LogUnavailable(fault)

    def _lost(self, error: Exception) -> None:
        """Appends go to the spool from here on."""
        if self._away is None:
            self._since = time.monotonic()
        if self._away is None or not self._tried.is_set() or type(error) is not type(self._away):
            _logger.warning("the log takes nothing, events go to the spool: %s", error)
        self._away = error
        self._wake.set()

    def _found(self) -> None:
        """Appends go to the log again."""
        if self._away is not None:
            gone, waiting = time.monotonic() - self._since, self._folder.records
            if waiting or self._tried.is_set():
                _logger.warning("the log takes records again after %.1f s; %d wait in the spool", gone, waiting)
            self._away = None

    async def _tend(self) -> None:
        """Watches a log that is away, drains the spool into one that is not, and looks after dead processes."""
        while True:
            self._wake.clear()
            try:
                await self._look()
                self._tried.set()
                await self._drain()
            except (LogUnavailable, LogMismatch) as error:
                self._lost(error)
                self._tried.set()
                await asyncio.sleep(PROBE if isinstance(error, LogUnavailable) else ADOPT)
            except Exception as error:
                _logger.exception("draining the spool failed, and is begun again")
                self._lost(error)
                await asyncio.sleep(ADOPT)
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), ADOPT)

    async def _look(self) -> None:
        """Raises LogUnavailable or LogMismatch unless the log can be expected to take records."""
        if self._log is None:
            self._log = await self._opened.enter_async_context(self._opening())
        elif self._away is not None:
            await self._log.healthy()
        if not self._folder.records:
            self._found()
        try:
            await self._call(self._folder.adopt, self._bounds.on_disk - self._folder.bytes - self._reserved)
        except OSError as error:
            _logger.error("what another process left in the spool cannot be taken over: %s", error)

    async def _drain(self) -> None:
        """Gives everything spooled to the log. What fails to be acknowledged stays, and is given again."""
        log = self._reached()
        drained = 0
        while segment := await self._call(self._folder.first):
            try:
                contents = read(await asyncio.to_thread(segment.path.read_bytes))
            except OSError as error:
                _logger.error("%d spooled records in %s cannot be read: %s", segment.records, segment.path, error)
                await self._drop(segment, max(1, segment.records))
                continue
            for chunk in chunks(contents.entries[segment.drained :], CHUNK):
                await log.append(chunk)
                self._found()
                segment.drained += len(chunk)
                drained += len(chunk)
                self._drained.inc(len(chunk))
            await self._drop(segment, contents.broken)
        if drained:
            _logger.warning("the spool is empty again: the log has taken its %d records", drained)

    async def _drop(self, segment: Segment, broken: int) -> None:
        if broken:
            self._broken.inc(broken)
            said = "%s is damaged in %d places: what is whole was drained, and the file is kept as %s"
            _logger.error(said, segment.path, broken, BROKEN)
        try:
            await self._call(self._folder.drop, segment, broken > 0)
        except OSError as error:
            _logger.error("%s stays, and is sent again by the next process: %s", segment.path, error)

    async def _call(self, work: Callable[..., T], *given: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *given))
