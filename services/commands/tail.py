"""`milepost tail`: touchpoints, moves and refusals as they happen, a line each."""

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import click

from services.commands.serving import data_option, run, start_logging, test_option
from services.commands.watching import Moves, Refusals, touchpoints
from services.commands.welcome import first_project
from shared.runtime import Work, open_database, open_log, open_store, run_until, signals
from shared.settings import Settings, load


@click.command()
@data_option
@test_option
@click.option("--customer", metavar="ID", help="Only of the customer with this user id or anonymous id.")
@click.option("--rejected", is_flag=True, help="Only events that were refused.")
def tail(data: Path | None, test: bool, customer: str | None, rejected: bool) -> None:
    """Watch what comes in: touchpoints, customers' moves, and refused events.

    It begins now and ends with Ctrl-C. It works beside running servers and disturbs none. Of a customer's refused
    events it shows those of which enough was kept to tell whose they are (MILEPOST_REJECTED_BYTES).
    """
    settings = load(data=data)
    start_logging(settings)
    run(_tail(settings, test, customer, rejected))


async def _tail(settings: Settings, test: bool, customer: str | None, rejected: bool) -> None:
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(open_store(settings))
        log = await opened.enter_async_context(open_log(settings))
        database = await opened.enter_async_context(open_database(settings))
        project = (await first_project(database, test)).project
        reader = await opened.enter_async_context(log.onlooker())
        stop = opened.enter_context(signals())
        tasks: dict[str, Work] = {}
        if not rejected:
            ends = await reader.ends(range(log.partitions))
            tasks["touchpoints"] = partial(touchpoints, reader, ends, project, customer)
            tasks["moves"] = (await Moves.since_now(database, project, customer)).run
        tasks["refusals"] = (await Refusals.since_now(database, project, customer)).run
        click.echo("Watching; Ctrl-C ends it.", err=True)
        await run_until(stop, settings.drain, tasks)


COMMANDS = {"tail": tail}
