"""A TCP proxy that can be frozen, made deaf and cut: what lies between a process and its server."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Self

CHUNK = 1 << 16


class Proxy:
    """Listens on `port` and passes everything on to the server's port; it has a thread of its own."""

    def __init__(self, server: int) -> None:
        self._server, self.port = server, 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._refusing, self._marker = False, b""
        self._flows, self._hears = asyncio.Event(), asyncio.Event()
        self._writers = set[asyncio.StreamWriter]()

    def __enter__(self) -> Self:
        self._thread.start()
        self._flows.set()
        self._hears.set()
        self._listener = self._do(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def freeze(self) -> None:
        """Passes nothing on, either way, and closes nothing: a network that is gone."""
        self._call(self._flows.clear)

    def deafen(self, marker: bytes) -> None:
        """From the next request that holds these bytes on, passes on what clients ask and keeps all answers back."""
        self._marker = marker

    @property
    def deaf(self) -> bool:
        """Whether answers are being kept back."""
        return not self._hears.is_set()

    def cut(self) -> None:
        """Breaks all connections, with what was kept back, and refuses others."""
        self._refusing = True
        self._call(self._break)

    def mend(self) -> None:
        """Passes everything on again, what was kept back first."""
        self._refusing, self._marker = False, b""
        self._call(self._flows.set)
        self._call(self._hears.set)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _call(self, change: Callable[[], None]) -> None:
        async def called() -> None:
            change()

        self._do(called())

    def _break(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _end(self) -> None:
        self._listener.close()
        self._flows.set()
        self._hears.set()
        self._break()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._server)
        self._writers |= {writer, back}
        try:
            asking = asyncio.create_task(self._pass(reader, back, self._flows))
            answering = asyncio.create_task(self._pass(there, writer, self._flows, self._hears))
            await asyncio.wait((asking, answering), return_when=asyncio.FIRST_COMPLETED)
            asking.cancel()
            answering.cancel()
        finally:
            self._writers -= {writer, back}
            writer.transport.abort()
            back.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *gates: asyncio.Event) -> None:
        with suppress(ConnectionError):
            while data := await source.read(CHUNK):
                if self._marker and self._marker in data and self._hears not in gates:
                    self._hears.clear()
                for gate in gates:
                    await gate.wait()
                target.write(data)
                await target.drain()
