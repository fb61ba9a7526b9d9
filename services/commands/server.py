"""`milepost ingest`, `milepost stager` and `milepost metrics`: one service each, over Kafka and PostgreSQL."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import click

from services.commands import assembly
from services.commands.disks import watch_disk
from services.commands.health import health
from services.commands.refusals import RefusalWriter
from services.commands.serving import App, Receive, Scope, Send, address, listen, run, server, start_logging
from services.commands.tracing import Traces
from services.ingest import cors
from services.ingest.refusals import Refused
from services.ingest.replies import error, respond
from services.ingest.side import alone
from services.metrics.app import build_metrics
from shared.log.port import LogUnavailable
from shared.runtime import (
    Work,
    agree,
    embedded,
    open_database,
    open_front_log,
    open_log,
    open_store,
    run_until,
    signals,
)
from shared.settings import Settings, load
from shared.store.port import StoreUnavailable
from shared.telemetry import registry

#: Seconds until what cannot be reached at the start is tried again.
PAUSE = 3.0

_logger = logging.getLogger(__name__)

#: What a service is: an app for its port, and tasks beside it. The stack closes what it opens.
Service = Callable[[Settings, AsyncExitStack], Awaitable[tuple[App, dict[str, Work]]]]


async def ingest(settings: Settings, opened: AsyncExitStack) -> tuple[App, dict[str, Work]]:
    """Takes events from sites to the log."""
    counts = registry()
    log = await opened.enter_async_context(open_front_log(settings, counts))
    if settings.spool:
        watch_disk("spool", Path(settings.spool), counts)
    await _check_store(settings)
    database = await opened.enter_async_context(open_database(settings))
    refusals = RefusalWriter(database)
    opened.push_async_callback(refusals.flush)
    front = await assembly.front(log, database, refusals, settings, counts)
    traces = Traces(settings, "ingest")
    return alone(traces.events(front.app, front.app.takes), log, counts), front.tasks | traces.tasks()


async def _check_store(settings: Settings) -> None:
    """Raises StoreMismatch unless the store is of this version; one that cannot be reached is a spool's to bear."""
    try:
        async with open_store(settings):
            pass
    except StoreUnavailable:
        if not settings.spool:
            raise


async def stager(settings: Settings, opened: AsyncExitStack) -> tuple[App, dict[str, Work]]:
    """Takes records from the log to the store."""
    log = await opened.enter_async_context(open_log(settings))
    store = await opened.enter_async_context(open_store(settings))
    await agree(log, await opened.enter_async_context(open_database(settings)))
    counts, traces = registry(), Traces(settings, "stager")
    staging = assembly.stager(log, store, settings, counts, assembly.teller(settings), traces.tracer)
    return health([log.healthy, store.check], counts), {"the stager": staging} | traces.tasks()


async def metrics(settings: Settings, opened: AsyncExitStack) -> tuple[App, dict[str, Work]]:
    """Answers people and Prometheus from the store."""
    log = await opened.enter_async_context(open_log(settings))
    store = await opened.enter_async_context(open_store(settings))
    database = await opened.enter_async_context(open_database(settings))
    teller = assembly.teller(settings)
    rooms = [assembly.validation(store, database, settings, teller)]
    traces = Traces(settings, "metrics")
    app = build_metrics(store, database, log, settings, teller, [registry()], rooms)
    # The server began before the app was there, and tells it of no beginning and no end.
    await opened.enter_async_context(app.router.lifespan_context(app))
    return traces.questions(app), traces.tasks()


def patient(service: Service) -> Service:
    """The service, which waits where Kafka or the store cannot be reached when it starts; a mismatch still ends it.

    Not for ingest: what nobody can take yet had better be refused than kept waiting.
    """

    async def wait(settings: Settings, opened: AsyncExitStack) -> tuple[App, dict[str, Work]]:
        while True:
            async with AsyncExitStack() as attempt:
                try:
                    made = await service(settings, attempt)
                except (LogUnavailable, StoreUnavailable) as error:
                    _logger.warning("waiting to start: %s", error)
                else:
                    opened.push_async_exit(attempt.pop_all())
                    return made
            await asyncio.sleep(PAUSE)

    return wait


class Starting:
    """An app that answers from the first moment on: that the process lives and is not ready, until `begin`.

    Whatever else is asked is to be asked again: 404 would tell an SDK to give its events up.
    """

    def __init__(self) -> None:
        self._app = health([self._not_yet], others=_later)

    def begin(self, app: App) -> None:
        """From now on this app answers."""
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return self._app(scope, receive, send)

    async def _not_yet(self) -> None:
        raise LogUnavailable("it is starting")


async def _later(scope: Scope, _receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        reply = error(503, Refused("unavailable", "", "The server is starting. Try again."))
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        await respond(send, reply, cors.allowing(origin), ("POST",))


async def _serve(name: str, service: Service, settings: Settings) -> None:
    async with AsyncExitStack() as opened:
        listener = opened.enter_context(listen(settings))
        stop, app = opened.enter_context(signals()), Starting()
        serving = asyncio.ensure_future(server(app, listener, settings)(stop))
        opening = asyncio.ensure_future(service(settings, opened))
        asked = asyncio.ensure_future(stop.wait())
        tasks: dict[str, Work] = {}
        try:
            await asyncio.wait((serving, opening, asked), return_when=asyncio.FIRST_COMPLETED)
            if opening.done():
                made, tasks = opening.result()
                app.begin(made)
                click.echo(f"Milepost {name} runs at {address(settings, listener)}.")
            await run_until(stop, settings.drain, {"the HTTP server": lambda _stop: serving, **tasks})
        finally:
            for task in (asked, opening, serving):
                task.cancel()
            await asyncio.gather(asked, opening, serving, return_exceptions=True)


def _command(name: str, service: Service, about: str) -> click.Command:
    def command(host: str | None, port: int | None) -> None:
        settings = load(host=host, port=port)
        if embedded(settings):
            raise click.ClickException(
                f"milepost {name} works over Kafka and PostgreSQL: set MILEPOST_KAFKA and MILEPOST_DATABASE. "
                "Without them `milepost up` runs everything in one process."
            )
        start_logging(settings)
        run(_serve(name, service, settings))
        click.echo("Stopped.")

    options = [
        click.Option(["--host"], help="Address to listen on.  [default: 127.0.0.1]"),
        click.Option(["--port"], type=int, help="Port to listen on.  [default: 8000]"),
    ]
    return click.Command(name, callback=command, params=list(options), help=about)


_HEALTH = "/livez, /readyz and /metrics are on its port. Run as many as the load needs."

COMMANDS = {
    "ingest": _command("ingest", ingest, f"Run ingest alone: events come in over HTTP and go to Kafka. {_HEALTH}"),
    "stager": _command(
        "stager", patient(stager), f"Run a stager alone: records go from Kafka, staged, to PostgreSQL. {_HEALTH}"
    ),
    "metrics": _command(
        "metrics",
        patient(metrics),
        f"Run metrics alone: answers for people and for Prometheus from PostgreSQL. {_HEALTH}",
    ),
}
