"""Running servers in this process: the port, the loop, uvicorn without its signals, logging."""

import asyncio
import gc
import logging
import resource
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
import uvicorn
import uvloop

from services.commands.connection import Bounds, Connection, watch
from shared.runtime import Work
from shared.settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
T = TypeVar("T")

#: Files that a process has open beside its connections, at most: databases, logs, Kafka.
SPARE_FILES = 200

#: Objects made, less those that are gone, between two looks for cycles.
OBJECTS = 20_000

#: Seconds between two lines from one place in the Kafka client.
REPEAT = 10.0

#: Names the folder of the embedded log and store, for whoever keeps it elsewhere.
data_option = click.option(
    "--data", type=click.Path(path_type=Path), help="Folder of the log and the store.  [default: data]"
)

#: Means the project of the test keys' events.
test_option = click.option("--test", is_flag=True, help="Of the test project, where test keys send to.")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a command to its end on a new, fast event loop."""
    look_seldom()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def look_seldom() -> None:
    """Has Python look for cycles now and then: it would after every 700 objects, and a request alone makes hundreds."""
    gc.freeze()  # what the modules have made stays
    gc.set_threshold(OBJECTS)


def start_logging(settings: Settings) -> None:
    """Log lines go to standard error; standard output is for what a command has to say."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Repeats())
    logging.basicConfig(
        handlers=[handler],
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for chatty in ("aiokafka", "alembic", "httpx", "uvicorn"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # it warns of what strangers send


class _Repeats(logging.Filter):
    """Lets the Kafka client say the same thing once in a while: it tries again many times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is logged."""
        where = record.pathname, record.lineno
        if not record.name.startswith("aiokafka"):
            return True
        if record.created - self._said.get(where, 0) < REPEAT:
            return False
        self._said[where] = record.created
        return True


def listen(settings: Settings) -> socket.socket:
    """The port, taken. A port or address that cannot be had is told in a sentence."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as failure:
        raise click.ClickException(
            f"Cannot listen on {settings.host} port {settings.port} ({failure.strerror}): "
            "stop what uses it, or choose others with --host and --port."
        ) from None


def address(settings: Settings, listener: socket.socket) -> str:
    """The URL that people and sites reach the listening port at."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared with, not listened on
        host = "localhost"
    return settings.public_url or (f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")


def server(app: App, listener: socket.socket, settings: Settings) -> Work:
    """The HTTP server as a task: told to stop, it takes no more requests and finishes those it has."""

    async def serve(stop: asyncio.Event) -> None:
        bounds = Bounds(
            files_for(settings.connections), settings.head_bytes, settings.head_seconds, settings.body_seconds
        )
        config = uvicorn.Config(
            app,
            interface="asgi3",
            http=partial(Connection, bounds=bounds),  # type: ignore[arg-type] # makes a protocol, as a class would
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_keep_alive=settings.keep_alive,
            timeout_graceful_shutdown=max(1, int(settings.drain) - 1),
        )
        uvicorn_server = _Server(config)

        async def end() -> None:
            await stop.wait()
            uvicorn_server.should_exit = True

        beside = [asyncio.create_task(end()), asyncio.create_task(watch(uvicorn_server.server_state.connections))]
        try:
            await uvicorn_server.serve([listener])
        finally:
            for task in beside:
                task.cancel()

    return serve


def files_for(connections: int) -> int:
    """So many connections, or as many as the system lets this process open beside its other files."""
    wanted = connections + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else max(1, min(connections, soft - SPARE_FILES))


class _Server(uvicorn.Server):
    """Uvicorn's server; signals are the process's business (`shared.runtime.signals`)."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override] # a narrower type than its own
        return nullcontext()
