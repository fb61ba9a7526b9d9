"""`milepost import`: events from a file, through the same validation as those that come over HTTP."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import dropwhile
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.commands import assembly
from services.commands.lines import Bookmark, Line, Source, opened
from services.commands.serving import data_option, run, start_logging
from services.commands.stages import show_stages
from services.commands.welcome import first_project, furnish
from services.ingest.accept import accept_line
from services.ingest.door import Door, open_door
from services.ingest.refusals import Refusal
from shared.events import Record, encode
from shared.log.port import Entry, Log
from shared.runtime import (
    FolderInUse,
    Work,
    embedded,
    folder,
    make,
    open_database,
    open_log,
    open_store,
    run_until,
    signals,
    sole_server,
)
from shared.settings import Settings, load
from shared.store import reads
from shared.store.engine import reading
from shared.telemetry import registry

#: Records appended at once, and the longest line in bytes.
BATCH, LINE = 1000, 1 << 20
#: Seconds between two looks at how far the stager is.
LOOK = 0.3


class Counts(NamedTuple):
    """Lines that became records, lines that were refused, and the line up to which an earlier run had come."""

    taken: int
    refused: int
    earlier: int


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@data_option
@click.option("--strict", is_flag=True, help="Exit code 2 if a line was refused.")
def import_(file: str, data: Path | None, strict: bool) -> None:
    """Bring in the events of FILE, or of standard input if it is `-`.

    A line is one event as JSON, as Segment's SDKs send it and warehouses export it; the file may be packed with gzip.
    `receivedAt`, `sentAt` and `originalTimestamp` are taken from the line. An interrupted import goes on where it was,
    and the same file given twice changes nothing. Refused lines are listed with their numbers.

    If no server runs on the data folder the events are staged here; otherwise the server does it.
    """
    settings = load(data=data)
    start_logging(settings)
    try:
        with opened(file) as source:
            counts = run(_import(settings, source))
    except (OSError, EOFError) as damaged:
        raise click.ClickException(f"{file} cannot be read to its end: {damaged}") from None
    if strict and counts.refused:
        raise SystemExit(2)


async def _import(settings: Settings, source: Source) -> Counts:
    async with AsyncExitStack() as stack:
        here = embedded(settings) and stack.enter_context(_held(settings))
        if here:
            await make(settings)
        log = await stack.enter_async_context(open_log(settings))
        store = await stack.enter_async_context(open_store(settings))
        database = await stack.enter_async_context(open_database(settings))
        if here:
            await furnish(store, database, settings)
        project = await first_project(database)
        bookmark = Bookmark(folder(settings), source)
        stop = stack.enter_context(signals())
        with _progress() as progress:
            counts = await _append(log, source, bookmark, project.project, settings, progress, stop)
            tasks: dict[str, Work] = {}
            if here:
                tasks["the stager"] = assembly.stager(log, store, settings, registry(), assembly.teller(settings))
            watch = _Watch(log, database, project.project, progress)
            await run_until(stop, settings.drain, tasks | {"the watch": watch.run})
        earlier = f" from line {counts.earlier + 1:,} on" if counts.earlier else ""
        click.echo(f"{counts.taken:,} events taken, {counts.refused:,} lines refused{earlier}.")
        if not watch.done:
            raise click.ClickException("Interrupted: run it again to go on.")
        bookmark.remove()
        await show_stages(database, project)
    return counts


@contextmanager
def _held(settings: Settings) -> Iterator[bool]:
    """Whether the folder is ours, as no server runs on it."""
    try:
        with sole_server(folder(settings)):
            yield True
    except FolderInUse:
        yield False


def _progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"), TimeRemainingColumn()
    return Progress(*columns, console=Console(stderr=True, soft_wrap=True))


def decide(
    lines: Iterable[Line], project: int, now: int, event_bytes: int, door: Door
) -> Iterator[tuple[int, Record | Refusal]]:
    """What becomes of each line, by its number; `now` is when it is imported, in microseconds."""
    for number, text in lines:
        if text is None:
            message = f"The line is longer than {LINE} bytes."
            yield number, Refusal(project, 0, now, 0, "line_too_long", "", message)
        else:
            yield number, accept_line(text, project, 0, now, event_bytes, door)


async def _append(
    log: Log,
    source: Source,
    bookmark: Bookmark,
    project: int,
    settings: Settings,
    progress: Progress,
    stop: asyncio.Event,
) -> Counts:
    """Puts every line that is an event on the log; the bookmark follows what is durable."""
    task = progress.add_task("Reading", total=source.size or None, state="")
    taken = refused = 0
    number = earlier = bookmark.line
    batch: list[Entry] = []

    async def flush() -> None:
        await log.append(batch)
        batch.clear()
        bookmark.move(number)
        progress.update(task, completed=source.read(), state=f"{taken:,} events")

    fresh = dropwhile(lambda line: line.number <= earlier, source.lines(LINE))
    now, door = time.time_ns() // 1000, open_door(settings)
    for number, outcome in decide(fresh, project, now, settings.event_bytes, door):
        if isinstance(outcome, Refusal):
            refused += 1
            where = f" ({outcome.field})" if outcome.field else ""
            progress.console.print(Text(f"line {number}: {outcome.code}{where}: {outcome.message}"))
        else:
            taken += 1
            batch.append(Entry(outcome.source.encode(), encode(outcome)))
        if len(batch) >= BATCH:
            await flush()
        if stop.is_set():
            break
    await flush()
    return Counts(taken, refused, earlier)


class _Watch:
    """Waits until what was on the log when it began is staged and derived, and then sets `stop` itself."""

    def __init__(self, log: Log, database: AsyncEngine, project: int, progress: Progress) -> None:
        self._log, self._database, self._project, self._progress = log, database, project, progress
        self.done = False

    async def run(self, stop: asyncio.Event) -> None:
        """Looks at the store, and shows how far it is."""
        ends = {partition: await self._log.end(partition) for partition in range(self._log.partitions)}
        task = self._progress.add_task("Staging", total=None, state="")
        total = 0
        while not stop.is_set():
            async with reading(self._database) as db:
                positions, backlog = await reads.positions(db), await reads.backlog(db, self._project)
            missing = sum(max(0, ends[one.partition] - one.position) for one in positions)
            waiting = backlog.queued + backlog.due
            total = max(total, missing)
            if not missing and not waiting:
                self.done = True
                self._progress.update(task, total=1, completed=1, state="all derived")
                stop.set()
                return
            state = f"{missing:,} records to stage, {waiting:,} customers to derive"
            self._progress.update(task, total=total + 1, completed=total - missing, state=state)
            await asyncio.sleep(LOOK)


COMMANDS = {"import": import_}
