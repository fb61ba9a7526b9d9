"""The parts of a running process: its log and store, its folder, its signals, its tasks.

The one place where adapters are chosen: a server named in the settings, else a SQLite file in the data folder. The
servers' adapters are imported when they are chosen, so that the embedded product does not carry their drivers.
"""

import asyncio
import fcntl
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.log.port import Log, LogUnavailable
from shared.log.sqlite import SqliteLog, open_sqlite_log
from shared.settings import Settings
from shared.store import reads, sqlite
from shared.store.engine import engine, reading
from shared.store.port import Store, StoreMismatch, StoreUnavailable
from shared.store.schema import setup

#: Something that runs until the event is set, and then ends what it has begun and returns.
Work = Callable[[asyncio.Event], Awaitable[None]]

DAY_SECONDS = 86_400
#: Seconds between two looks for what an embedded log need not keep any longer.
TRIM_SECONDS = 600.0

_logger = logging.getLogger(__name__)


class FolderInUse(Exception):
    """Another server runs on the data folder."""


class Died(Exception):
    """A task of the process ended on its own: with the error that is this one's cause, or without any."""


def open_log(settings: Settings) -> AbstractAsyncContextManager[Log]:
    """The log that the settings name. Entering raises LogMismatch or LogUnavailable."""
    if settings.kafka:
        from shared.log.kafka import open_kafka_log

        return open_kafka_log(settings)
    return open_sqlite_log(
        folder(settings) / "log.sqlite",
        settings.partitions,
        settings.retention_days * DAY_SECONDS,
        settings.append_deadline,
        settings.append_bytes,
    )


def open_front_log(settings: Settings, registry: CollectorRegistry) -> AbstractAsyncContextManager[Log]:
    """The log for whoever answers sites: with a spool before it if the settings name one, which counts in the registry.

    The embedded log needs none: it is on the same disk. Entering raises LogMismatch, and LogUnavailable if neither
    log nor spool can be used.
    """
    if not (settings.kafka and settings.spool):
        return open_log(settings)
    from shared.log.spool import Bounds, open_spooled_log

    after = settings.spool_after
    opening = partial(open_log, settings.model_copy(update={"append_deadline": after}))
    bounds = Bounds(settings.spool_bytes, settings.append_bytes, after, settings.append_deadline)
    return open_spooled_log(opening, settings.partitions, Path(settings.spool), bounds, registry)


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """The store that the settings name, of this version. Raises StoreMismatch or StoreUnavailable."""
    address = store_address(settings)
    if isinstance(address, Path):
        opening: AbstractAsyncContextManager[Store] = sqlite.open(address, settings.lease)
    else:
        from shared.store import postgres

        opening = postgres.open(address, settings.lease)
    async with opening as store:
        await store.check()
        yield store


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The store's connections for questions and administration (`shared.store.engine`)."""
    database = engine(store_address(settings))
    try:
        yield database
    finally:
        await database.dispose()


def store_address(settings: Settings) -> str | Path:
    """Where the store is: a postgresql:// address, or the path of a SQLite file."""
    return settings.database.get_secret_value() or settings.data / "store.sqlite"


async def make(settings: Settings) -> None:
    """Makes or upgrades the topic and the schema; changes nothing where all is well, and works beside running services.

    Raises LogMismatch, LogUnavailable, StoreMismatch or StoreUnavailable.
    """
    if embedded(settings):
        folder(settings)
    if settings.kafka:
        from shared.log.kafka import setup_kafka

        await setup_kafka(settings)
    else:
        async with open_log(settings):
            pass  # the file is made when it is opened
    await setup(store_address(settings), settings.partitions, settings.time_zone, settings.shared_devices)


def embedded(settings: Settings) -> bool:
    """Whether the log or the store lies in the data folder."""
    return not (settings.kafka and settings.database.get_secret_value())


def folder(settings: Settings) -> Path:
    """The data folder, made (for its owner only) if it is not there."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return settings.data


async def agree(log: Log, database: AsyncEngine) -> None:
    """Raises StoreMismatch if the store does not know all partitions of the log."""
    async with reading(database) as db:
        known = len(await reads.positions(db))
    if known < log.partitions:
        raise StoreMismatch(f"the log has {log.partitions} partitions, the store knows {known}: run `milepost setup`")


def retention(log: Log, database: AsyncEngine) -> dict[str, Work]:
    """The task that drops what is old and staged from an embedded log; Kafka does that for itself."""
    return {"the log's retention": partial(_trim, log, database)} if isinstance(log, SqliteLog) else {}


async def _trim(log: SqliteLog, database: AsyncEngine, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            async with reading(database) as db:
                positions = await reads.positions(db)
            await log.trim({one.partition: one.position for one in positions})
        except (LogUnavailable, StoreUnavailable) as error:
            _logger.warning("the log keeps what is old for longer: %s", error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), TRIM_SECONDS)


@contextmanager
def sole_server(path: Path) -> Iterator[None]:
    """Holds the data folder for one server. Raises FolderInUse. The kernel lets go of it when the process dies."""
    lock = os.open(path / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
            raise FolderInUse(
                f"A Milepost server (process {holder}) already runs on the folder {path}: "
                "stop it, or name another folder with --data."
            ) from None
        os.truncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(lock)


@contextmanager
def signals() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set; a second signal has its usual effect, for those who cannot wait."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    asked = (signal.SIGINT, signal.SIGTERM)

    def ask() -> None:
        stop.set()
        for number in asked:
            loop.remove_signal_handler(number)

    for number in asked:
        loop.add_signal_handler(number, ask)
    try:
        yield stop
    finally:
        for number in asked:
            loop.remove_signal_handler(number)


async def run_until(stop: asyncio.Event, drain: float, tasks: Mapping[str, Work]) -> None:
    """Runs the named tasks until `stop` is set, gives them `drain` seconds to end, and cancels what is left then.

    When one ends before it was asked to, the others are stopped in the same way, and Died is raised from its error.
    """
    running = [asyncio.create_task(_named(name, work, stop), name=name) for name, work in tasks.items()]
    asked = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({*running, asked}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        first = [task for task in running if task.done()]
        _, late = await asyncio.wait(running, timeout=drain)
        for task in late:
            _logger.warning("%s was not done after %g s and is cut off", task.get_name(), drain)
    finally:
        asked.cancel()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    for task in (*first, *running):
        if not task.cancelled() and (error := task.exception()):
            raise error


async def _named(name: str, work: Work, stop: asyncio.Event) -> None:
    try:
        await work(stop)
    except Exception as error:
        raise Died(f"{name} failed: {error}") from error
    if not stop.is_set():
        raise Died(f"{name} ended although nothing asked it to")
