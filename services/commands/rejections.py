"""`milepost rejections`: events that were refused, and why."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from services.commands.serving import data_option, run, test_option
from services.commands.tables import instant, plain, readable, table
from services.commands.welcome import first_project
from services.metrics import instants
from shared.runtime import open_database, open_store
from shared.settings import load
from shared.store import rejections as store
from shared.store.engine import reading
from shared.store.rejections import WHOLE, Kept


@click.group()
def rejections() -> None:
    """Events that were refused, and whole requests of which nothing could be taken.

    Each is kept for 30 days, of each code the newest 2,500; Prometheus counts all of them
    (milepost_refused_total). `milepost tail --rejected` shows them as they come.
    """


@rejections.command("list")
@data_option
@test_option
@click.option("--code", help="Only those refused for this reason, such as missing_id.")
@click.option("--key", help="Only those sent with the write key of this name or number.")
@click.option("--since", metavar="DATE", help="Only those received from this date or instant on, as 2026-03-31.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="So many, the newest.")
def list_rejections(
    data: Path | None, test: bool, code: str | None, key: str | None, since: str | None, limit: int
) -> None:
    """Show the newest, the newest first."""
    found = run(_find(data, test, code, key, since, limit))
    head = ("NUMBER", "RECEIVED (UTC)", "KEY", "EVENT", "CODE", "FIELD", "MESSAGE")
    table(head, [_row(one) for one in found])


async def _find(
    data: Path | None, test: bool, code: str | None, key: str | None, since: str | None, limit: int
) -> list[Kept]:
    settings = load(data=data)
    async with open_store(settings), open_database(settings) as database:
        project = await first_project(database, test)
        try:
            start = None if since is None else instants.parse(since, ZoneInfo(project.time_zone), "start")
        except ValueError as error:
            raise click.UsageError(f"--since: {error}") from None
        async with reading(database) as db:
            return await store.find(db, project.project, code=code, key=key, since=start, limit=limit)


def _row(one: Kept) -> tuple[str, ...]:
    said = one.rejection
    return str(one.number), instant(said.at), one.key_name, event(said.index), said.code, said.field, said.message


def event(index: int) -> str:
    """Which of its request's events it was."""
    return "whole request" if index == WHOLE else f"event {index}"


@rejections.command("show")
@data_option
@test_option
@click.argument("number", type=int)
def show_rejection(data: Path | None, test: bool, number: int) -> None:
    """Show the one of this NUMBER. With the event as it was sent, so much of it as was kept."""
    one = run(_get(data, test, number))
    if one is None:
        raise click.ClickException(f"there is no rejection {number}, or no longer: `milepost rejections list`")
    said = one.rejection
    when = datetime.fromtimestamp(said.at / 1e6, UTC)
    click.echo(f"received  {when:%F %T.%f} UTC, with the write key {plain(one.key_name)}")
    click.echo(f"which     {event(said.index)}" + (f", {said.size:,} bytes" if said.size else ""))
    click.echo(f"code      {said.code}" + (f", field {plain(said.field)}" if said.field else ""))
    click.echo(f"message   {plain(said.message)}")
    if said.body:
        cut = f" (the first {len(said.body):,} bytes)" if len(said.body) < said.size else ""
        click.echo(f"\nAs it was sent{cut}:\n\n{readable(said.body)}")


async def _get(data: Path | None, test: bool, number: int) -> Kept | None:
    settings = load(data=data)
    async with open_store(settings), open_database(settings) as database:
        project = await first_project(database, test)
        async with reading(database) as db:
            return await store.get(db, project.project, number)


COMMANDS = {"rejections": rejections}
