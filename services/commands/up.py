"""`milepost up`: everything in one process, on one origin."""

import re
from contextlib import AsyncExitStack, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click

from services.commands.assembly import front, stager, teller, validation
from services.commands.disks import watch_disk
from services.commands.ephemeral import Pausable, Trial
from services.commands.health import health
from services.commands.refusals import RefusalWriter
from services.commands.serving import address, data_option, listen, run, server, start_logging
from services.commands.tracing import Traces
from services.commands.welcome import Secrets, first_secrets, furnish, greeting
from services.ingest.side import describe
from services.metrics.api.ephemeral import room
from services.metrics.app import build_metrics
from shared.runtime import (
    embedded,
    folder,
    make,
    open_database,
    open_log,
    open_store,
    retention,
    run_until,
    signals,
    sole_server,
)
from shared.settings import Settings, load
from shared.store.engine import writing
from shared.store.ephemeral import choose_secrets
from shared.telemetry import registry


class Chosen(NamedTuple):
    """The key and the token that a server which is thrown away is to have; None: new ones."""

    key: str | None
    token: str | None


def _secret(_: click.Context, option: click.Parameter, text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[\w.-]{1,100}", text, re.ASCII):
        raise click.BadParameter("letters, digits, dots, dashes and underscores make one", param=option)
    return text


@click.command()
@data_option
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one.  [default: 8000]")
@click.option("--ephemeral", is_flag=True, help="On a new folder, gone when it ends; with /v1/_test/, for your tests.")
@click.option("--write-key", callback=_secret, help="The write key of an ephemeral server, so that tests can know it.")
@click.option("--query-token", callback=_secret, help="Its query token.")
def up(
    data: Path | None,
    host: str | None,
    port: int | None,
    ephemeral: bool,
    write_key: str | None,
    query_token: str | None,
) -> None:
    """Run everything in one process: ingest, stager and metrics.

    Its log and its store are SQLite files in the data folder, unless settings name Kafka and PostgreSQL. The first
    start prints a write key and a query token. Ctrl-C ends it within seconds; the next start goes on where it was.
    """
    if ephemeral and data:
        raise click.UsageError("--ephemeral makes a folder of its own: leave --data out.")
    if not ephemeral and (write_key or query_token):
        raise click.UsageError("--write-key and --query-token are for --ephemeral: `milepost keys` makes lasting ones.")
    with TemporaryDirectory(prefix="milepost-") if ephemeral else nullcontext() as own:
        servers = (
            {"kafka": "", "database": "", "bots": "include"} if ephemeral else {}
        )  # tests run in headless browsers
        settings = load(data=own or data, host=host, port=port, **servers)
        start_logging(settings)
        run(_up(settings, Chosen(write_key, query_token) if ephemeral else None))
    click.echo("Stopped.")


async def _up(settings: Settings, chosen: Chosen | None) -> None:
    async with AsyncExitStack() as opened:
        if embedded(settings):
            opened.enter_context(sole_server(folder(settings)))
        listener = opened.enter_context(listen(settings))
        await make(settings)
        log = await opened.enter_async_context(open_log(settings))
        store = await opened.enter_async_context(open_store(settings))
        database = await opened.enter_async_context(open_database(settings))
        await furnish(store, database, settings)
        secrets = await first_secrets(database)
        if chosen and secrets:
            async with writing(database) as db:
                await choose_secrets(db, *chosen)
            secrets = Secrets(chosen.key or secrets.key, chosen.token or secrets.token)
        counts = registry()
        if embedded(settings):
            watch_disk("data", folder(settings), counts)
        refusals = RefusalWriter(database)
        opened.push_async_callback(refusals.flush)
        tells = teller(settings)
        traces = Traces(settings, "up")
        staging = Pausable(stager(log, store, settings, counts, tells, traces.tracer))
        rooms = [validation(store, database, settings, tells)]
        if chosen:
            rooms.append(room(Trial(log, database, refusals, staging), tells))
        metrics = build_metrics(store, database, log, settings, tells, [counts], rooms)
        own = metrics.openapi
        metrics.openapi = lambda: describe(own())  # type: ignore[method-assign] # FastAPI's documented way to add to it
        rest = health([log.healthy, store.check], others=traces.questions(metrics))
        ingest = await front(log, database, refusals, settings, counts, rest)
        metrics.router.default = ingest.app.unknown
        stop = opened.enter_context(signals())
        click.echo(greeting(address(settings, listener), settings, secrets, ephemeral=chosen is not None))
        app = traces.events(ingest.app, ingest.app.takes)
        serving = {"the HTTP server": server(app, listener, settings), "the stager": staging.run}
        await run_until(stop, settings.drain, serving | ingest.tasks | retention(log, database) | traces.tasks())


COMMANDS = {"up": up}
