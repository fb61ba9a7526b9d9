"""Traces of a process's requests and work, sent to the collector that the settings name; none are made without one."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from services.commands.serving import App, Receive, Scope, Send
from shared.runtime import Work
from shared.settings import Settings
from shared.tracing import SERVER, Span, Tracer, parent_of

#: Seconds between two requests to the collector, and seconds that one may take.
EVERY, PATIENCE = 2.0, 5.0

_logger = logging.getLogger(__name__)


class Traces:
    """A process's traces. Off, `tracer` is None, apps stay as they are, and there is no task."""

    def __init__(self, settings: Settings, service: str) -> None:
        self.tracer = Tracer(f"milepost-{service}", version("milepost")) if settings.traces else None
        self._address = f"{settings.traces}/v1/traces"
        self._share = settings.traces_share

    def events(self, app: App, takes: Callable[[str], bool]) -> App:
        """The app, with a share of the requests to the paths that it `takes` events at traced."""
        return app if self.tracer is None else _traced(app, self.tracer, "ingest", self._share, takes)

    def questions(self, app: App) -> App:
        """The app, with all questions traced."""
        return app if self.tracer is None else _traced(app, self.tracer, "question", 1, lambda path: path[:4] == "/v1/")

    def tasks(self) -> dict[str, Work]:
        """What sends the traces."""
        return {} if self.tracer is None else {"the sending of traces": self._send}

    async def _send(self, stop: asyncio.Event) -> None:
        import httpx  # not needed where traces are off

        tracer, complaint, last = self.tracer, "", False
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            while tracer is not None and not last:
                try:
                    await asyncio.wait_for(stop.wait(), EVERY)
                    last = True
                except TimeoutError:
                    last = False
                body = tracer.take()
                if body is None:
                    continue
                try:
                    (await client.post(self._address, json=body)).raise_for_status()
                    complaint = ""
                except httpx.HTTPError as error:
                    if complaint != (complaint := str(error) or type(error).__name__):
                        _logger.warning("traces are not taken by %s: %s", self._address, complaint)


def _traced(app: App, tracer: Tracer, name: str, share: float, of: Callable[[str], bool]) -> App:
    """The app, with a share of its requests to some paths recorded. Their addresses are told as routes, without ids."""

    async def traced(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not of(scope["path"]) or random.random() >= share:  # noqa: S311 - a sample
            await app(scope, receive, send)
            return
        began, status = time.time_ns(), 0

        async def sending(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await app(scope, receive, sending)
        finally:
            parent = parent_of(dict(scope["headers"]).get(b"traceparent"))
            told = {"http.request.method": scope["method"], "http.response.status_code": status}
            if (route := getattr(scope.get("route"), "path", "")) or name == "ingest":
                told["http.route"] = route or scope["path"]
            failed = not 0 < status < 500
            tracer.record(Span(name, began, time.time_ns(), told, SERVER, parent, failed))

    return traced
