"""The ingest app as it is served: on a thread of this process, or as a process of its own.

`python -m tests.support.server LOG PORT` serves until SIGTERM; LOG is an address of tests.contract.log_backends.
"""

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvloop
from prometheus_client import CollectorRegistry

from services.commands.serving import look_seldom, server
from services.ingest.app import App
from services.ingest.side import alone
from shared.log.port import Log
from shared.runtime import signals
from shared.settings import Settings
from tests.contract.log_backends import open_backend
from tests.support.front import Noted, ingest_app
from tests.support.processes import wait_until


@dataclass
class Served:
    """A running server."""

    url: str
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    refused: Noted = field(default_factory=Noted)

    def app(self, log: Log, settings: Settings) -> App:
        """Its app, with one write key: front.KEY."""
        return alone(ingest_app(log, self.refused, self.registry, settings), log, self.registry)


@contextmanager
def ingest_server(address: str, around: Callable[[App], App] = lambda app: app, **settings: object) -> Iterator[Served]:
    """Serves ingest over the log at this address, with `around` around it, on a thread; ends it on leaving."""
    listener = socket.create_server(("127.0.0.1", 0))
    ingest = Served(f"http://127.0.0.1:{listener.getsockname()[1]}")

    stops: list[Callable[[], object]] = []

    async def main() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        stops.append(lambda: loop.call_soon_threadsafe(stop.set))
        limits = Settings.model_validate(settings)
        async with open_backend(address) as log:
            await server(around(ingest.app(log, limits)), listener, limits)(stop)

    # The socket listens already: a request that comes before the server waits for it.
    thread = threading.Thread(target=uvloop.run, args=(main(),), name="ingest")
    thread.start()
    try:
        yield ingest
    finally:
        wait_until(lambda: stops)
        stops[0]()
        thread.join(20)
        listener.close()


async def _serve(address: str, port: str) -> None:
    settings = Settings()
    async with open_backend(address) as log:
        with signals() as stop, socket.create_server(("127.0.0.1", int(port)), backlog=2048) as listener:
            await server(Served("").app(log, settings), listener, settings)(stop)


if __name__ == "__main__":
    look_seldom()
    uvloop.run(_serve(*sys.argv[1:]))
