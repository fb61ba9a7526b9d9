"""`milepost up`: everything in one process, on one origin."""

from contextlib import AsyncExitStack
from pathlib import Path

import click

from services.commands.assembly import front, stager
from services.commands.health import health
from services.commands.serving import address, data_option, listen, run, server, start_logging
from services.commands.welcome import first_secrets, furnish, greeting
from services.ingest.side import describe
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
from shared.telemetry import registry


@click.command()
@data_option
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one.  [default: 8000]")
def up(data: Path | None, host: str | None, port: int | None) -> None:
    """Run everything in one process: ingest, stager and metrics.

    Its log and its store are SQLite files in the data folder, unless settings name Kafka and PostgreSQL. The first
    start prints a write key and a query token. Ctrl-C ends it within seconds; the next start goes on where it was.
    """
    settings = load(data=data, host=host, port=port)
    start_logging(settings)
    run(_up(settings))
    click.echo("Stopped.")


async def _up(settings: Settings) -> None:
    async with AsyncExitStack() as opened:
        if embedded(settings):
            opened.enter_context(sole_server(folder(settings)))
        listener = opened.enter_context(listen(settings))
        await make(settings)
        log = await opened.enter_async_context(open_log(settings))
        store = await opened.enter_async_context(open_store(settings))
        database = await opened.enter_async_context(open_database(settings))
        await furnish(store, database)
        secrets = await first_secrets(database)
        counts = registry()
        metrics = build_metrics(store, database, log, settings, [counts])
        own = metrics.openapi
        metrics.openapi = lambda: describe(own())  # type: ignore[method-assign] # FastAPI's documented way to add to it
        rest = health([log.healthy, store.check], others=metrics)
        ingest = await front(log, database, settings, counts, rest)
        stop = opened.enter_context(signals())
        click.echo(greeting(address(settings, listener), settings, secrets))
        opened.push_async_callback(ingest.refusals.flush)
        serving = {"the HTTP server": server(ingest.app, listener, settings)}
        beside = stager(log, store, settings, counts) | ingest.tasks | retention(log, database)
        await run_until(stop, settings.drain, serving | beside)


COMMANDS = {"up": up}
