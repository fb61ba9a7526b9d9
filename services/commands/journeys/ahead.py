"""`milepost journeys dry-run`: what a definition would make of the customers there are."""

import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.commands.journeys.given import Given, find, setting
from services.commands.journeys.showing import language_option
from services.commands.serving import data_option, run, test_option
from services.commands.tables import instant, plain, table
from services.commands.welcome import first_project
from services.metrics.dry_run import Run
from services.metrics.dry_run import dry_run as walk
from shared.journeys.compile import compile_journey
from shared.journeys.definition import load
from shared.journeys.dry_run import Tally
from shared.runtime import open_database, open_store
from shared.settings import Settings
from shared.settings import load as load_settings
from shared.store import reads
from shared.store.engine import reading
from shared.store.rows import JourneyRow
from shared.store.versions import answering


@click.command("dry-run")
@click.argument("named", metavar="FILE|NAME")
@click.option("--sample", type=click.IntRange(min=1), help="Only of so many customers, the same ones each time.")
@click.option("--moves", type=click.IntRange(min=1), default=20, show_default=True, help="Show the largest so many.")
@language_option
@data_option
@test_option
def dry_run(named: str, sample: int | None, moves: int, language: str, data: Path | None, test: bool) -> None:
    """Derive every customer by a definition that is not published, and show who would stand elsewhere, and why.

    It is compared with the version in force of the journey of its name. Nothing is written; servers may run. A NAME is
    that of a journey, NAME@NUMBER (one of its versions) or a template's.
    """
    settings = load_settings(data=data)
    given = find(settings, test, named)
    row, found = run(_run(settings, test, given, sample, language))
    _tell(given, row, found, moves)


async def _run(
    settings: Settings, test: bool, given: Given, sample: int | None, language: str
) -> tuple[JourneyRow | None, Run]:
    within, now = await setting(settings, test), time.time_ns() // 1000
    async with open_store(settings), open_database(settings) as database:
        project = (await first_project(database, test)).project
        async with reading(database) as db:
            rows = {row.name: row for row in answering(await reads.journeys(db, project))}
        row = rows.get(given.definition.name)
        old = None if row is None else compile_journey(load(row.definition), within)
        tally = Tally(compile_journey(given.definition, within), old, now, language)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("Deriving customers", total=None)

            async def progress(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            found = await walk(database, project, tally, sample, None, progress)
    return row, found


def _tell(given: Given, row: JourneyRow | None, found: Run, most: int) -> None:
    tally = found.tally
    against = "no version in force" if row is None else f"{row.name} version {row.number}"
    whole = f"all {found.customers:,} customers" if tally.looked == found.customers else ""
    looked = whole or f"{tally.looked:,} of {found.customers:,} customers"
    click.echo(f"{given.called} beside {against}, {looked}, as of {instant(tally.now)} UTC:\n")
    rows = [(stage, tally.before[stage], tally.after[stage]) for stage in tally.stages()]
    rows.append(("(not in the journey)", tally.before[None], tally.after[None]))
    table(("STAGE", "NOW", "THEN", "DIFFERENCE"), [(*one, one[2] - one[1]) for one in rows])
    click.echo()
    for (source, target), n in tally.moves.most_common(most):
        click.echo(f"{n:,} from {source or '(not in the journey)'} to {target or '(not in the journey)'}, such as")
        for one in tally.shown[source, target]:
            whose = plain(found.names.get(one.customer, (0, ""))[1]) or "?"
            click.echo(f"  {whose} ({one.customer}): {plain(one.reason)}")
    if (more := len(tally.moves) - most) > 0:
        click.echo(f"and {more:,} more kinds of moves, which --moves shows")
    moved = sum(tally.moves.values())
    click.echo(f"{moved:,} customers would stand elsewhere; nothing has been written.")
    if found.skipped:
        click.echo(f"{found.skipped:,} customers were skipped, as they did more than can be held at once.")
    if found.behind:
        click.echo(f"{found.behind:,} customers wait to be derived anew; they are counted by their whole history.")
    for error in tally.errors:
        click.secho(f"cannot be derived ({tally.failed:,} customers): {plain(error)}", fg="red")
