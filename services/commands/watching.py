"""What `milepost tail` shows, and how it learns of it: the log from its end on, the store by looking again."""

import asyncio
import json
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

import click
import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.commands.rejections import event
from services.commands.tables import instant, plain
from services.metrics.service import stage_name
from shared.events import SECOND, Record, decode
from shared.journeys.definition import load
from shared.log.port import Reader
from shared.store import following, people, reads, rejections
from shared.store.engine import reading
from shared.store.rejections import Kept
from shared.store.rows import ANONYMOUS, CAUSES, USER, LedgerRow
from shared.store.versions import answering

#: Seconds between two looks at the store.
LOOK = 0.5
#: Values read from a partition, and lines shown of one look, at most.
MANY = 500
#: How far back a move may be recorded to be found: what the stager has not caught up with, and some seconds more.
SLACK = 60 * SECOND


def show(at: int, kind: str, colour: str, who: str, what: str, aside: str = "") -> None:
    """One line, in colour on a terminal. Times are those of the event, in UTC."""
    line = [
        click.style(instant(at), dim=True),
        click.style(f"{kind:10}", fg=colour),
        click.style(f"{plain(who):24}", bold=True),
        plain(what),
    ]
    click.echo("  ".join([*line, click.style(aside, dim=True)] if aside else line))


async def touchpoints(
    reader: Reader, positions: dict[int, int], project: int, customer: str | None, stop: asyncio.Event
) -> None:
    """Shows the records that come to lie on the log after these positions; of an import only how many, if of all."""
    while not stop.is_set():
        imported = 0
        for partition, position in positions.items():
            chunk = await reader.read(partition, position, MANY)
            positions[partition] = chunk.next
            for record in _records(chunk.values):
                if record.project != project or customer not in (None, record.user, record.anonymous):
                    continue
                if record.imported and customer is None:
                    imported += 1
                else:
                    _touchpoint(record)
        if imported:
            show(time.time_ns() // 1000, "import", "cyan", "", f"{imported:,} touchpoints of the past")
        await reader.wait(LOOK)


def _records(values: Iterable[bytes]) -> Iterator[Record]:
    for value in values:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError):  # the stager keeps it as a dead letter
            yield decode(value)


def _touchpoint(record: Record) -> None:
    name = record.name or record.group or record.previous or ""
    show(record.at, "touchpoint", "cyan", record.source, f"{record.type} {name}".rstrip())


class Moves:
    """Customers' moves as the ledger gets them. Made by `since_now`."""

    def __init__(self, database: AsyncEngine, project: int, customer: str | None, since: dict[int, int]) -> None:
        self._database, self._project, self._customer, self._since = database, project, customer, since
        self._known = time.time_ns() // 1000

    @classmethod
    async def since_now(cls, database: AsyncEngine, project: int, customer: str | None) -> "Moves":
        """Begins with the next entry of each writer."""
        async with reading(database) as db:
            return cls(database, project, customer, await following.next_seqs(db))

    async def run(self, stop: asyncio.Event) -> None:
        """Shows them until told to stop."""
        while not stop.is_set():
            await self._look()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK)

    async def _look(self) -> None:
        async with reading(self._database) as db:
            clock, seqs = await reads.freshness(db), await following.next_seqs(db)
            written = sum(seqs.values()) - sum(self._since.get(writer, 0) for writer in seqs)
            if written:
                journeys = {row.version: row for row in await reads.journeys(db, self._project)}
                if self._customer is None:
                    bound = min(self._known, clock) - SLACK
                    found = await following.entries(db, self._project, list(journeys), self._since, bound, MANY)
                else:
                    found = await self._of(db, self._customer)
                names = await people.names(db, self._project, [row.customer for row in found])
        self._known = clock
        if written:
            self._since = seqs
            stages = {row.version: load(row.definition) for row in answering(journeys.values())}
            for row in found:
                if row.version not in stages:
                    continue  # nobody is told of moves in versions that do not answer
                who = names.get(row.customer, (USER, str(row.customer)))[1]
                definition = stages[row.version]
                source, target = (stage_name(definition, number) or "absent" for number in (row.source, row.target))
                self._show(row, who, f"{journeys[row.version].name}: {source} → {target}")
            if self._customer is None and (unseen := written - len(found)):
                show(clock, "move", "green", "", f"and {unseen:,} more, of the past or of many at once")

    async def _of(self, db: AsyncConnection, customer: str) -> list[LedgerRow]:
        numbers = {n for kind in (USER, ANONYMOUS) for n in await people.find(db, self._project, kind, customer)}
        rows = [row for number in numbers for row in await people.ledger(db, self._project, number)]
        return [row for row in rows if row.seq >= self._since.get(row.writer, 0)]

    def _show(self, row: LedgerRow, who: str, what: str) -> None:
        if row.sign > 0:
            show(row.at, "move", "green", who, what, CAUSES[row.cause])
        else:
            show(row.at, "undone", "yellow", who, what, CAUSES[row.cause])


class Refusals:
    """Refused events, with the reason. Made by `since_now`."""

    def __init__(self, database: AsyncEngine, project: int, customer: str | None, since: int) -> None:
        self._database, self._project, self._customer, self._since = database, project, customer, since

    @classmethod
    async def since_now(cls, database: AsyncEngine, project: int, customer: str | None) -> "Refusals":
        """Begins with the next one. With a customer, only those whose event holds that id."""
        async with reading(database) as db:
            return cls(database, project, customer, await rejections.newest(db, project))

    async def run(self, stop: asyncio.Event) -> None:
        """Shows them until told to stop."""
        while not stop.is_set():
            async with reading(self._database) as db:
                fresh = await rejections.find(db, self._project, after=self._since, limit=MANY)
            for one in reversed(fresh):
                if self._customer is None or names(one.rejection.body, self._customer):
                    self._show(one)
            self._since = max([self._since, *(one.number for one in fresh)])
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK)

    def _show(self, one: Kept) -> None:
        said = one.rejection
        what = f"{said.code} {said.field}".rstrip()
        aside = f"milepost rejections show {one.number}"
        show(said.at, "refused", "red", f"{one.key_name}, {event(said.index)}", f"{what}: {said.message}", aside)


def names(body: bytes, id: str) -> bool:
    """Whether an event as it was sent has this text, or this number, as a value."""
    values = (json.dumps(id), json.dumps(id, ensure_ascii=False), id if id.isdigit() else "")
    text = body.decode("utf-8", "replace")
    return any(re.search(rf"[:\[]\s*{re.escape(value)}\s*[,\]}}]", text) for value in values if value)
