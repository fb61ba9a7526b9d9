"""`milepost journeys publish`, `status`, `cut-over`, `rollback`, `pause`, `resume` and `retire`."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import click
from sqlalchemy.ext.asyncio import AsyncConnection

from services.commands.journeys.adding import publish as publish_text
from services.commands.serving import data_option, run, test_option
from services.commands.tables import instant, table
from services.commands.welcome import first_project
from shared.runtime import open_database, open_store
from shared.settings import Settings
from shared.settings import load as load_settings
from shared.store import reads, versions
from shared.store.engine import reading, writing
from shared.store.rows import JourneyRow
from shared.store.versions import VersionRefused

Change = Callable[[AsyncConnection, int, str, int | None], Awaitable[JourneyRow]]

_number = click.option("--version", "number", type=click.IntRange(1), metavar="N", help="This version.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--template", metavar="NAME", help="Publish one of `milepost journeys templates` instead of a file.")
@click.option("--hold", "held", is_flag=True, help="Let it not answer until `milepost journeys cut-over`.")
@data_option
@test_option
def publish(file: Path | None, template: str | None, held: bool, data: Path | None, test: bool) -> None:
    """Publish the journey of FILE, or a new version of one.

    Every customer is derived by it beside live traffic; then it answers, and until then the version before does.
    Problems in the file are listed all at once, each with its line and a remedy. A journey of which an example of its
    own fails is not published. The same file again changes nothing.
    """
    publish_text(file, template, data, test, held)


@click.command()
@click.argument("journey", required=False)
@data_option
@test_option
def status(journey: str | None, data: Path | None, test: bool) -> None:
    """Show every version of JOURNEY, or of all: what it is, and how far it is filled."""
    head = ("JOURNEY", "VERSION", "STATE", "ANSWERS", "FILLED", "CUSTOMERS LEFT", "ADDED (UTC)", "RETIRED (UTC)")
    table(head, run(_status(load_settings(data=data), test, journey)))


async def _status(settings: Settings, test: bool, journey: str | None) -> list[tuple[object, ...]]:
    async with open_store(settings), open_database(settings) as database:
        project = (await first_project(database, test)).project
        async with reading(database) as db:
            rows = await reads.journeys(db, project)
            done = await versions.progress(db, project)
            left = {row.version: await versions.left(db, row) for row in rows}
    current = versions.answering(rows)
    found = list[tuple[object, ...]]()
    for row in sorted(rows, key=lambda row: (row.name, row.number)):
        if journey in (None, row.name):
            answers, share = row in current, done[row.version].share if row.version in done else 1.0
            told = versions.state(row, answers), "yes" if answers else "", f"{int(share * 100)}%", left[row.version]
            found.append((row.name, row.number, *told, instant(row.made_at), instant(row.retired_at)))
    if not found and journey is not None:
        raise click.ClickException(f"there is no journey {journey!r}: `milepost journeys list` shows those there are")
    return found


@click.command("cut-over")
@click.argument("journey")
@_number
@data_option
@test_option
def cut_over(journey: str, number: int | None, data: Path | None, test: bool) -> None:
    """Let another version of JOURNEY answer, by default the newest that does not.

    It does at once, or as soon as every customer is derived by it.
    """
    _change(versions.cut_over, journey, number, data, test)


@click.command()
@click.argument("journey")
@click.option("--to", "number", type=click.IntRange(1), metavar="N", help="To this version.")
@data_option
@test_option
def rollback(journey: str, number: int | None, data: Path | None, test: bool) -> None:
    """Let a former version of JOURNEY answer again, by default the last one that did.

    It was kept up to date all the time: it answers at once, and nothing is rewritten.
    """
    _change(versions.roll_back, journey, number, data, test)


@click.command()
@click.argument("journey")
@_number
@data_option
@test_option
def pause(journey: str, number: int | None, data: Path | None, test: bool) -> None:
    """Stop filling a version of JOURNEY, by default the newest that is being filled."""
    _change(versions.pause, journey, number, data, test)


@click.command()
@click.argument("journey")
@_number
@data_option
@test_option
def resume(journey: str, number: int | None, data: Path | None, test: bool) -> None:
    """Go on filling a version of JOURNEY from where it was paused."""
    _change(versions.resume, journey, number, data, test)


@click.command()
@click.argument("journey")
@click.argument("number", type=click.IntRange(1), metavar="N")
@data_option
@test_option
def retire(journey: str, number: int, data: Path | None, test: bool) -> None:
    """Stop keeping version N of JOURNEY up to date, for good. What it knew until now can still be asked."""
    _change(lambda db, project, name, _: versions.retire(db, project, name, number), journey, number, data, test)


def _change(change: Change, journey: str, number: int | None, data: Path | None, test: bool) -> None:
    row, state = run(_changed(load_settings(data=data), test, change, journey, number))
    click.echo(f"{row.name} version {row.number} is {state}.")


async def _changed(
    settings: Settings, test: bool, change: Change, journey: str, number: int | None
) -> tuple[JourneyRow, str]:
    """The version that was changed, and what it is then."""
    async with open_store(settings), open_database(settings) as database:
        project = (await first_project(database, test)).project
        try:
            async with writing(database) as db:
                row = await change(db, project, journey, number)
                rows = await reads.journeys(db, project)
        except VersionRefused as error:
            raise click.ClickException(str(error)) from None
    return row, versions.state(row, row.version in {one.version for one in versions.answering(rows)})


OF_VERSIONS = (publish, status, cut_over, rollback, pause, resume, retire)
