"""Sites that send to a running ingest all the time, and remember what it answered."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import httpx

#: Events in a request.
BATCH = 10


class Answer(NamedTuple):
    """When a request was answered (monotonic), how, and after how many seconds."""

    at: float
    status: int
    seconds: float
    headers: httpx.Headers
    text: str


class Load:
    """`sites` connections that each send batches of events of their own users, one after the other."""

    def __init__(self, url: str, key: str, sites: int = 8) -> None:
        self.url, self.key = url, key
        self.acknowledged: list[str] = []
        self.answers: list[Answer] = []
        self._sites = sites
        self._sent = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Load"]:
        """Sends for as long as the context lasts; requests under way are then answered."""
        stop = asyncio.Event()
        limits = httpx.Limits(max_connections=self._sites)
        async with httpx.AsyncClient(base_url=self.url, auth=(self.key, ""), timeout=30, limits=limits) as client:
            sites = [asyncio.create_task(self._site(client, stop)) for _ in range(self._sites)]
            try:
                yield self
            finally:
                stop.set()
                await asyncio.gather(*sites)

    def since(self, moment: float) -> list[Answer]:
        """What was asked since then, and answered."""
        return [one for one in self.answers if one.at - one.seconds >= moment]

    async def send(self, client: httpx.AsyncClient, padding: int = 0) -> Answer:
        """One batch; what is acknowledged is remembered."""
        ids = [f"id-{self._sent + n}" for n in range(BATCH)]
        self._sent += BATCH
        batch: list[dict[str, Any]] = [
            {"type": "track", "event": "Order Completed", "userId": f"user {one}", "messageId": one} for one in ids
        ]
        if padding:
            batch[0]["properties"] = {"padding": "x" * padding}
        began = time.monotonic()
        response = await client.post("/v1/batch", json={"batch": batch})
        now = time.monotonic()
        answer = Answer(now, response.status_code, now - began, response.headers, response.text)
        self.answers.append(answer)
        if answer.status == 200:
            assert response.json()["accepted"] == BATCH, answer.text
            self.acknowledged += ids
        return answer

    async def _site(self, client: httpx.AsyncClient, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(httpx.TransportError):  # not answered, so not acknowledged
                await self.send(client)
            await asyncio.sleep(0.01)
