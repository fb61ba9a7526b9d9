"""`milepost place`: a customer set in a stage by hand."""

import getpass
from contextlib import AsyncExitStack
from pathlib import Path

import click

from services.commands import assembly
from services.commands.serving import data_option, run, test_option
from services.commands.tables import plain
from services.commands.welcome import first_project
from services.metrics.api.answers import By
from services.metrics.errors import Refused
from services.metrics.lookup import find
from services.metrics.placing import LONGEST, checked
from services.metrics.placing import place as put
from services.metrics.service import Service
from shared.placement import Placement
from shared.runtime import open_database, open_log, open_store
from shared.settings import Settings, load
from shared.store.engine import reading


@click.command()
@data_option
@test_option
@click.argument("customer")
@click.argument("journey")
@click.argument("stage")
@click.option("--why", required=True, metavar="TEXT", help="For whoever asks later why the customer is there.")
@click.option("--who", metavar="NAME", help="Who places.  [default: your login name]")
@click.option(
    "--by",
    type=click.Choice(["user", "anonymous", "email", "customer"]),
    help="What CUSTOMER is.  [default: a user id, anonymous id or e-mail address]",
)
def place(
    data: Path | None, test: bool, customer: str, journey: str, stage: str, why: str, who: str | None, by: By | None
) -> None:
    """Place CUSTOMER in a STAGE of a JOURNEY, or in none, by hand.

    It holds until the next move that the journey's rules make. The placement goes on the log as an event does, and
    counts as soon as the stager has it: at once, if a server runs.
    """
    if not why.strip() or max(len(why), len(who or "")) > LONGEST:
        raise click.UsageError(f"A reason has from 1 to {LONGEST:,} characters, a name as many at most.")
    said = Placement(journey, stage, who or _login(), why)
    try:
        run(_place(load(data=data), test, customer, by, said))
    except Refused as refused:
        raise click.ClickException(_told(refused)) from None
    click.echo(f"Placed: {plain(customer)} is in {stage} of {journey} as soon as this is staged.")


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "the command line"


async def _place(settings: Settings, test: bool, customer: str, by: By | None, said: Placement) -> None:
    async with AsyncExitStack() as opened:
        store = await opened.enter_async_context(open_store(settings))
        log = await opened.enter_async_context(open_log(settings))
        database = await opened.enter_async_context(open_database(settings))
        service = Service(store, database, log, settings, assembly.teller(settings))
        project = (await first_project(database, test)).project
        async with reading(database) as db:
            row = await service.journey(db, project, said.journey)
            checked(service.definition(row), said.stage)
            found = await find(db, project, customer, by, service.secret)
            await put(db, log, project, found.row.customer, said)


def _told(refused: Refused) -> str:
    """A refusal in words, with the candidates where an id means several customers."""
    candidates = [f"--by {one['by']} {plain(one['id'])}" for one in refused.more.get("candidates", ())]
    return "\n  ".join([refused.message, *candidates])


COMMANDS = {"place": place}
