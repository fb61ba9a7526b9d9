"""Running servers in this process: the port, the loop, uvicorn without its signals, logging."""

import asyncio
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import click
import uvicorn
import uvloop

from shared.runtime import Work
from shared.settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
T = TypeVar("T")


#: Names the folder of the embedded log and store, for whoever keeps it elsewhere.
data_option = click.option(
    "--data", type=click.Path(path_type=Path), help="Folder of the log and the store.  [default: data]"
)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a command to its end on a new, fast event loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def start_logging(settings: Settings) -> None:
    """Log lines go to standard error; standard output is for what a command has to say."""
    logging.basicConfig(
        stream=sys.stderr,
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for chatty in ("aiokafka", "alembic", "httpx", "uvicorn"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))


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


def server(app: App, listener: socket.socket, drain: float) -> Work:
    """The HTTP server as a task: told to stop, it takes no more requests and finishes those it has."""

    async def serve(stop: asyncio.Event) -> None:
        config = uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, int(drain) - 1),
        )
        uvicorn_server = _Server(config)

        async def end() -> None:
            await stop.wait()
            uvicorn_server.should_exit = True

        ending = asyncio.create_task(end())
        try:
            await uvicorn_server.serve([listener])
        finally:
            ending.cancel()

    return serve


class _Server(uvicorn.Server):
    """Uvicorn's server; signals are the process's business (`shared.runtime.signals`)."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override] # a narrower type than its own
        return nullcontext()
