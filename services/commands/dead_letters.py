"""`milepost dead-letters`: what on the log could not be decoded, and putting it right."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncEngine

from services.commands.mending import mended, with_fields
from services.commands.serving import data_option, run
from services.commands.tables import instant, plain, readable, table
from shared.events import Undecodable, encode, read
from shared.log.port import Entry, Log
from shared.runtime import open_database, open_log, open_store
from shared.settings import load
from shared.store import dead_letters as store
from shared.store.dead_letters import DeadLetter, Place
from shared.store.engine import reading, writing

#: Letters put on the log at once.
BATCH = 500


class PlaceType(click.ParamType[Place]):
    """PARTITION:POSITION."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        """A place from its text."""
        parts = str(value).split(":")
        if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
            self.fail(f"{value!r} is no place: `milepost dead-letters list` shows them, such as 3:1042", param, ctx)
        return Place(int(parts[0]), int(parts[1]))


PLACE = PlaceType()


@click.group("dead-letters")
def dead_letters() -> None:
    """Values on the log that the stager could not decode.

    Ingest writes none such; somebody else does, or a newer version. Each is kept and called by its PLACE on the log.
    Repair it, then replay it; after an upgrade that can read it, replay it as it is.
    """


@asynccontextmanager
async def _opened(data: Path | None) -> AsyncIterator[tuple[Log, AsyncEngine]]:
    settings = load(data=data)
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(open_store(settings))
        log = await opened.enter_async_context(open_log(settings))
        yield log, await opened.enter_async_context(open_database(settings))


@dead_letters.command("list")
@data_option
@click.option("--replayed/--waiting", default=None, help="Only those that were, or were not, replayed.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
def list_letters(data: Path | None, replayed: bool | None, limit: int) -> None:
    """Show them, the last places on the log first."""

    async def find() -> list[DeadLetter]:
        async with _opened(data) as (_, database), reading(database) as db:
            return await store.find(db, replayed=replayed, limit=limit)

    rows = [(_name(one.place), instant(one.at or None), len(one.value), _state(one), one.reason) for one in run(find())]
    table(("PLACE", "STAGED UNTIL (UTC)", "BYTES", "STATE", "REASON"), rows)


def _name(place: Place) -> str:
    return f"{place.partition}:{place.position}"


def _state(letter: DeadLetter) -> str:
    if letter.replayed_at is not None:
        return f"replayed {instant(letter.replayed_at)}"
    return "waits" if letter.repaired is None else f"repaired {instant(letter.repaired_at)}"


@dead_letters.command("show")
@data_option
@click.argument("place", type=PLACE)
def show_letter(data: Path | None, place: Place) -> None:
    """Show the one at PLACE. Why it is a dead letter, what it says, and its repair if there is one."""
    letter = run(_get(data, place))
    click.echo(f"place   {_name(place)}, {len(letter.value):,} bytes\nstate   {_state(letter)}")
    click.echo(f"reason  {plain(letter.reason)}\n\n{readable(letter.value)}")
    if letter.repaired is not None:
        click.echo(f"\nRepaired:\n\n{readable(letter.repaired)}")


async def _get(data: Path | None, place: Place) -> DeadLetter:
    async with _opened(data) as (_, database), reading(database) as db:
        letter = await store.get(db, place)
    if letter is None:
        raise click.ClickException(f"there is no dead letter {_name(place)}: `milepost dead-letters list` shows them")
    return letter


@dead_letters.command("repair")
@data_option
@click.argument("place", type=PLACE)
@click.option("--file", type=click.File("rb"), help="A file with the record as it should be; - is standard input.")
@click.option("--set", "given", multiple=True, metavar="FIELD=VALUE", help="Change a field; no VALUE: take it away.")
def repair_letter(data: Path | None, place: Place, file: Any, given: Sequence[str]) -> None:
    """Make a record of the one at PLACE. Nothing is sent yet: `milepost dead-letters replay` does that.

    Without --file or --set it opens in your editor. What comes out must be a record, as `show` shows them: a JSON
    object with project, messageId, type, at and receivedAt (both in microseconds), and userId or anonymousId.
    """
    letter = run(_get(data, place))
    if letter.replayed_at is not None:
        raise click.ClickException(f"the dead letter {_name(place)} was replayed: what is on the log is never changed")
    value = letter.value if letter.repaired is None else letter.repaired
    if file is not None:
        value = file.read()
    if given:
        value = with_fields(value, given)
    if file is None and not given:
        edited = click.edit(readable(value), extension=".json")
        if edited is None:
            raise click.ClickException("Nothing was changed.")
        value = edited.encode()
    repaired = mended(value)

    async def keep() -> None:
        async with _opened(data) as (_, database), writing(database) as db:
            await store.repair(db, place, repaired, _now())

    run(keep())
    click.echo(f"Repaired: `milepost dead-letters replay {_name(place)}` sends it.")


@dead_letters.command("replay")
@data_option
@click.argument("places", type=PLACE, nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that wait and can be read.")
def replay_letters(data: Path | None, places: Sequence[Place], every: bool) -> None:
    """Put those at PLACES on the log again. They go repaired, or as they are if this version can read them.

    Each is received anew, now: what was known before stays as it was. Whoever is interrupted does it again; what is
    twice on the log counts once. Exit code 1 if one cannot be read.
    """
    if bool(places) == every:
        raise click.UsageError("Name places, or --all.")
    sent, refused = run(_replay_named(data, places) if places else _replay_all(data))
    for place, reason in refused:
        click.echo(f"{_name(place)}: {plain(reason)}", err=True)
    click.echo(f"{sent:,} dead letters replayed, {len(refused):,} left.")
    if refused:
        raise SystemExit(1)


Outcome = tuple[int, list[tuple[Place, str]]]
"""How many were put on the log, and which were not, with the reason."""


async def _replay_named(data: Path | None, places: Sequence[Place]) -> Outcome:
    letters = [await _get(data, place) for place in dict.fromkeys(places)]
    async with _opened(data) as (log, database):
        return await replay(log, database, letters)


async def _replay_all(data: Path | None) -> Outcome:
    sent, refused, before = 0, list[tuple[Place, str]](), None
    async with _opened(data) as (log, database):
        while True:
            async with reading(database) as db:
                letters = await store.find(db, replayed=False, before=before, limit=BATCH)
            if not letters:
                return sent, refused
            done, left = await replay(log, database, letters)
            sent, refused, before = sent + done, refused + left, letters[-1].place


async def replay(log: Log, database: AsyncEngine, letters: Sequence[DeadLetter]) -> Outcome:
    """Appends them, then notes that they were replayed.

    If it is stopped in between they wait still, and the next replay appends them again: the stager finds the second by
    its message id and counts it as a duplicate, so that every position of the log is accounted for all the same.
    """
    entries, places, refused = list[Entry](), list[Place](), list[tuple[Place, str]]()
    for letter in letters:
        try:
            if letter.replayed_at is not None:
                raise Undecodable(f"it was replayed at {instant(letter.replayed_at)}")
            record = replace(read(letter.value if letter.repaired is None else letter.repaired), received=_now())
        except Undecodable as error:
            refused.append((letter.place, str(error)))
            continue
        entries.append(Entry(record.source.encode(), encode(record)))
        places.append(letter.place)
    await log.append(entries)
    async with writing(database) as db:
        for place in places:
            await store.replayed(db, place, _now())
    return len(places), refused


def _now() -> int:
    return time.time_ns() // 1000


COMMANDS = {"dead-letters": dead_letters}
