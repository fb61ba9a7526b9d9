"""The ingest app under uvicorn: on a thread of this process, or as a process of its own.

`python -m tests.support.server LOG PORT` serves until SIGTERM; LOG is an address of tests.contract.log_backends.
"""

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
import uvloop
from prometheus_client import CollectorRegistry

from services.ingest.app import App
from services.ingest.side import alone
from shared.log.port import Log
from shared.settings import Settings
from tests.contract.log_backends import open_backend
from tests.support.front import Noted, ingest_app


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
    stop = threading.Event()

    async def main() -> None:
        async with open_backend(address) as log:
            app = around(ingest.app(log, Settings.model_validate(settings)))
            server = uvicorn.Server(_config(app))
            serving = asyncio.ensure_future(server.serve([listener]))
            await asyncio.to_thread(stop.wait)
            server.should_exit = True
            await serving

    # The socket listens already: a request that comes before the server waits for it.
    thread = threading.Thread(target=uvloop.run, args=(main(),), name="ingest")
    thread.start()
    try:
        yield ingest
    finally:
        stop.set()
        thread.join(20)
        listener.close()


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(app, http="httptools", ws="none", log_config=None, access_log=False, lifespan="off")


async def _serve(address: str, port: str) -> None:
    async with open_backend(address) as log:
        app = Served("").app(log, Settings())
        await uvicorn.Server(_config(app)).serve([socket.create_server(("127.0.0.1", int(port)))])


if __name__ == "__main__":
    uvloop.run(_serve(*sys.argv[1:]))
