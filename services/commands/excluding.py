"""`milepost exclude`: touchpoints that are to count for nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec

from services.commands.access import administer
from services.commands.login import login
from services.commands.serving import data_option, run, test_option
from services.commands.tables import instant, plain, table
from services.commands.welcome import first_project
from services.metrics import instants
from shared.exclusion import Filter, Scalar, check, say
from shared.runtime import open_database, open_store
from shared.settings import Settings, load
from shared.store import amendments
from shared.store.engine import reading, writing
from shared.store.preview import Preview, preview
from shared.store.rows import DONE, Amendment

_OPTIONS = (
    click.option("--ip", "ips", multiple=True, metavar="RANGE", help="Sent from this address or range, as 10.0.0.0/8."),
    click.option(
        "--email-domain", "email_domains", multiple=True, metavar="DOMAIN", help="With a trait email of this domain."
    ),
    click.option("--user-agent", "agents", multiple=True, metavar="TEXT", help="With this text in the user agent."),
    click.option(
        "--host", "hosts", multiple=True, metavar="DOMAIN", help="Of a page of this host; *.example.com: all below it."
    ),
    click.option("--key", "keys", multiple=True, metavar="NAME", help="Sent with the write key of this name."),
    click.option("--property", "properties", multiple=True, metavar="PATH=VALUE", help="With this property."),
    click.option("--id", "ids", multiple=True, help="Of this user id or anonymous id."),
    click.option("--device", "devices", multiple=True, metavar="ID", help="Of this anonymous id, signed in or not."),
    click.option("--message", "messages", multiple=True, metavar="ID", help="The event of this message id."),
    click.option("--since", metavar="DATE", help="From this date or instant on."),
    click.option("--until", metavar="DATE", help="Up to this date or instant, inclusive."),
)


def _filter_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group()
def exclude() -> None:
    """Touchpoints that count for nothing: of staff, of tests, of a bot.

    All options given must hold; of one given repeatedly, any will do. Nothing is deleted: undoing brings all back.
    """


@exclude.command("preview")
@data_option
@test_option
@_filter_options
@click.option("--show", type=click.IntRange(0, 1000), default=10, show_default=True, help="Show so many of them.")
def preview_exclusion(data: Path | None, test: bool, show: int, **given: Any) -> None:
    """Count what would be hidden, and show some of it. Writes nothing."""
    found = run(_preview(load(data=data), test, show, given))
    if found.shown:
        head = ("HAPPENED (UTC)", "TYPE", "NAME", "SENT WITH", "MESSAGE ID")
        shown = (record for _, record in found.shown)
        table(head, [(instant(one.at), one.type, one.name or "", one.source, one.id) for one in shown])
        click.echo()
    click.echo(f"{found.touchpoints:,} touchpoints of {found.customers:,} customers would be hidden.")


async def _preview(settings: Settings, test: bool, show: int, given: dict[str, Any]) -> Preview:
    async with open_store(settings), open_database(settings) as database:
        project = await first_project(database, test)
        filter = _filter(ZoneInfo(project.time_zone), given)
        async with reading(database) as db:
            try:
                return await preview(db, project.project, filter, show)
            except ValueError as error:
                raise click.UsageError(str(error)) from None


@exclude.command("apply")
@data_option
@test_option
@_filter_options
@click.option("--why", required=True, metavar="TEXT", help="For whoever asks later.")
@click.option("--who", metavar="NAME", help="Who excludes.  [default: your login name]")
def apply_exclusion(data: Path | None, test: bool, why: str, who: str | None, **given: Any) -> None:
    """Hide it, past and future. A running server begins at once, customer by customer."""
    made = run(_apply(load(data=data), test, given, who or login(), why))
    click.echo(f"Exclusion {made.number} is made: {plain(say(amendments.filter_of(made)))}.")


async def _apply(settings: Settings, test: bool, given: dict[str, Any], who: str, why: str) -> Amendment:
    async with open_store(settings), open_database(settings) as database:
        project = await first_project(database, test)
        filter = _filter(ZoneInfo(project.time_zone), given)
        async with writing(database) as db:
            try:
                return await amendments.exclude(db, project.project, filter, who, why)
            except ValueError as error:
                raise click.UsageError(str(error)) from None


@exclude.command("undo")
@data_option
@test_option
@click.argument("number", type=int)
def undo_exclusion(data: Path | None, test: bool, number: int) -> None:
    """Bring back what the exclusion of this NUMBER hides."""
    if not administer(data, lambda db, project: amendments.undo(db, project, number, *amendments.EXCLUDING), test):
        raise click.ClickException(f"no exclusion {number} stands: `milepost exclude list` shows them")
    click.echo(f"Exclusion {number} is undone.")


@exclude.command("list")
@data_option
@test_option
def list_exclusions(data: Path | None, test: bool) -> None:
    """Show the exclusions, undone ones too."""
    found = administer(data, lambda db, project: amendments.listed(db, project, *amendments.EXCLUDING), test)
    head = ("NUMBER", "HIDES", "WHO", "WHY", "MADE (UTC)", "UNDONE", "DONE")
    table(head, [(str(row.number), say(amendments.filter_of(row)), *standing(row)) for row in found])


def standing(row: Amendment) -> tuple[str, str, str, str, str]:
    """Who made an amendment, why and when, when it was undone, and whether the stager is through with it."""
    return row.who, row.why, instant(row.made_at), instant(row.undone_at), "yes" if row.place == DONE else "not yet"


def _filter(zone: ZoneInfo, given: dict[str, Any]) -> Filter:
    fields = {name: value for name, value in given.items() if value}
    try:
        for name, day in (("since", "start"), ("until", "end")):
            if name in fields:
                fields[name] = instants.parse(fields[name], zone, "start" if day == "start" else "end")
        fields["properties"] = dict(map(_property, fields.pop("properties", ())))
        filter = Filter(**fields)
        check(filter)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return filter


def _property(text: str) -> tuple[str, Scalar]:
    path, equals, value = text.partition("=")
    if not (path and equals):
        raise ValueError(f"--property {text!r}: write it as plan=internal")
    try:
        found = msgspec.json.decode(value)
    except msgspec.DecodeError:
        return path, value
    return path, found if isinstance(found, str | int | float | bool) else value


COMMANDS = {"exclude": exclude}
