"""`milepost unmerge`: statements of who is who, taken back."""

from pathlib import Path

import click

from services.commands.access import administer
from services.commands.excluding import standing
from services.commands.login import login
from services.commands.serving import data_option, run, test_option
from services.commands.tables import instant, plain, table
from services.commands.welcome import first_project
from services.metrics.api.answers import By
from services.metrics.errors import Refused
from services.metrics.stating import Stated, chosen, statements
from shared.runtime import open_database, open_store
from shared.settings import Settings, load
from shared.statement import Said
from shared.store import amendments
from shared.store.engine import reading, writing
from shared.store.rows import RETRACTS, Amendment

_by = click.option(
    "--by",
    type=click.Choice(["user", "anonymous", "email", "customer"]),
    help="What CUSTOMER is.  [default: a user id, anonymous id or e-mail address]",
)


@click.group()
def unmerge() -> None:
    """Take apart what an identify or an alias made one customer by mistake.

    A statement that is taken back is as if it had not been made. Its event stays, and others that say the same hold:
    take back all that do.
    """


@unmerge.command("statements")
@data_option
@test_option
@_by
@click.argument("customer")
def list_statements(data: Path | None, test: bool, by: By | None, customer: str) -> None:
    """Show what has made CUSTOMER one: every link and alias, with its message id."""
    found = run(_statements(load(data=data), test, customer, by))
    head = ("HAPPENED (UTC)", "TYPE", "USER", "AND", "MESSAGE ID", "TAKEN BACK")
    table(head, [(instant(one.said.at), *_words(one.said), one.said.id, _by_number(one)) for one in found])


def _words(one: Said) -> tuple[str, str, str]:
    return one.type, one.user, f"{'is' if one.joins else 'has the device'} {one.other}"


def _by_number(one: Stated) -> str:
    return "" if one.retraction is None else f"by {one.retraction}"


async def _statements(settings: Settings, test: bool, customer: str, by: By | None) -> list[Stated]:
    async with open_store(settings), open_database(settings) as database:
        project = await first_project(database, test)
        async with reading(database) as db:
            try:
                return await statements(db, project.project, customer, by, settings.hash_secret.get_secret_value())
            except Refused as refused:
                raise click.ClickException(refused.message) from None


@unmerge.command("apply")
@data_option
@test_option
@_by
@click.argument("customer")
@click.argument("messages", nargs=-1, required=True, metavar="MESSAGE_ID...")
@click.option("--why", required=True, metavar="TEXT", help="For whoever asks later.")
@click.option("--who", metavar="NAME", help="Who takes it back.  [default: your login name]")
def apply_retraction(
    data: Path | None, test: bool, by: By | None, customer: str, messages: tuple[str, ...], why: str, who: str | None
) -> None:
    """Take back these statements of CUSTOMER. A running server does it at once."""
    made = run(_apply(load(data=data), test, customer, by, messages, who or login(), why))
    click.echo(f"Retraction {made.number} is made: {len(messages):,} statements of {plain(customer)}.")


async def _apply(
    settings: Settings, test: bool, customer: str, by: By | None, messages: tuple[str, ...], who: str, why: str
) -> Amendment:
    async with open_store(settings), open_database(settings) as database:
        project, secret = (await first_project(database, test)).project, settings.hash_secret.get_secret_value()
        async with writing(database) as db:
            try:
                found = chosen(await statements(db, project, customer, by, secret), messages)
            except Refused as refused:
                raise click.ClickException(refused.message) from None
            return await amendments.retract(db, project, amendments.Retraction(found), who, why)


@unmerge.command("undo")
@data_option
@test_option
@click.argument("number", type=int)
def undo_retraction(data: Path | None, test: bool, number: int) -> None:
    """Let the statements that the retraction of this NUMBER took back hold again."""
    if not administer(data, lambda db, project: amendments.undo(db, project, number, RETRACTS), test):
        raise click.ClickException(f"no retraction {number} stands: `milepost unmerge list` shows them")
    click.echo(f"Retraction {number} is undone.")


@unmerge.command("list")
@data_option
@test_option
def list_retractions(data: Path | None, test: bool) -> None:
    """Show the retractions, undone ones too."""
    found = administer(data, lambda db, project: amendments.listed(db, project, RETRACTS), test)
    head = ("NUMBER", "TAKES BACK", "WHO", "WHY", "MADE (UTC)", "UNDONE", "DONE")
    table(head, [(str(row.number), _taken(row), *standing(row)) for row in found])


def _taken(row: Amendment) -> str:
    said = amendments.retraction_of(row).statements
    shown = "; ".join(f"{one.user} {_words(one)[2]} ({one.id})" for one in said[:3])
    return shown + (f"; and {len(said) - 3} more" if len(said) > 3 else "")


COMMANDS = {"unmerge": unmerge}
