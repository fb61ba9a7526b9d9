"""`milepost journeys fit`: how a journey fits the names that a site sends."""

import time
from pathlib import Path

import click

from services.commands.journeys.given import find
from services.commands.journeys.showing import language_option
from services.commands.serving import data_option, run, test_option
from services.commands.tables import instant, plain, table
from services.commands.welcome import first_project
from shared.events import DAY
from shared.journeys.fit import Fit, Guess, Met, Silent, fit
from shared.runtime import open_database, open_store
from shared.settings import Settings
from shared.settings import load as load_settings
from shared.store import naming
from shared.store.engine import reading


@click.command("fit")
@click.argument("named", metavar="FILE|NAME")
@click.option("--days", type=click.IntRange(min=1), default=30, show_default=True, help="Silent: not met for so long.")
@click.option("--names", type=click.IntRange(min=1), default=20, show_default=True, help="Show the most frequent.")
@language_option
@data_option
@test_option
def fit_journey(named: str, days: int, names: int, language: str, data: Path | None, test: bool) -> None:
    """Show which names no rule reads, which roles and rules nothing has met, and what to bind.

    What is suggested is printed as YAML to paste into the journey; nothing is applied. A NAME is that of a journey (its
    version in force), NAME@NUMBER (one of its versions) or a template's.
    """
    settings = load_settings(data=data)
    given = find(settings, test, named)
    met = run(_met(settings, test))
    _tell(fit(given.text, met, time.time_ns() // 1000 - days * DAY, language), given.called, days, names)


async def _met(settings: Settings, test: bool) -> list[Met]:
    async with open_store(settings), open_database(settings) as database:
        project = (await first_project(database, test)).project
        async with reading(database) as db:
            return await naming.met(db, project)


def _tell(found: Fit, called: str, days: int, most: int) -> None:
    if not found.events:
        click.echo("No names have been counted yet: they are from the first event on that this version stages.")
        return
    if found.unread:
        click.echo(f"Names that no rule of {called} reads:\n")
        rows = [
            (one.met.type, one.met.name, one.met.n, instant(one.met.last_at), _guess(one.guess))
            for one in found.unread[:most]
        ]
        table(("TYPE", "NAME", "TIMES", "LAST (UTC)", "PROBABLY"), rows)
        if (more := len(found.unread) - most) > 0:
            click.echo(f"and {more:,} more, which --names shows")
    else:
        click.echo(f"Every name is read by a rule of {called}.")
    if found.others:
        click.echo(f"{found.others:,} touchpoints had names beyond those that are counted one by one.")
    _silent("Roles that nothing has met", found.roles, days)
    _silent("Rules that nothing has met, by type and name", found.conditions, days)
    if found.bindings:
        click.echo("\nWhat is probably meant, to paste into the journey once you have read it:\n")
        click.echo(found.bindings, nl=False)


def _guess(guess: Guess | None) -> str:
    return "" if guess is None else f"{guess.role}, like {guess.known}"


def _silent(head: str, silent: list[Silent], days: int) -> None:
    never = [one.said for one in silent if one.last_at is None]
    if never:
        click.echo(f"\n{head}: {plain('; '.join(never))}.")
    if fallen := [one for one in silent if one.last_at is not None]:
        click.echo(f"\n{head} for {days} days:\n")
        table(("", "TIMES", "LAST (UTC)"), [(one.said, one.n, instant(one.last_at)) for one in fallen])
