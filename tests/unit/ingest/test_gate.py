"""Back pressure: what is worked on at once is bounded, and what is more is refused at once."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from shared.log.port import Entry, Log
from shared.settings import Settings
from tests.support.front import BASIC, NOW, Front, Noted, ingest_app
from tests.support.processes import eventually

PAGE = {"messageId": "m", "anonymousId": "a"}


class Slow:
    """A log that acknowledges when it is told to."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.waiting = 0

    async def append(self, entries: Sequence[Entry]) -> None:
        self.waiting += 1
        await self.told.wait()


@asynccontextmanager
async def slow(**settings: object) -> AsyncIterator[tuple[Front, Slow]]:
    """The app over such a log."""
    log = Slow()
    settled: Log = log  # type: ignore[assignment]  # only appended to
    registry = CollectorRegistry()
    app = ingest_app(settled, Noted(), registry, Settings.model_validate(settings), NOW)
    try:
        yield Front(app, settled, registry=registry), log
    finally:
        log.told.set()


async def untouched() -> Any:
    """A body that must not be asked for."""
    raise AssertionError("the body was read")


async def refused(door: Front) -> dict[str, Any]:
    """What a request is answered whose body nobody reads; by status, headers."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [BASIC, (b"origin", b"https://shop.example")]
    scope = {"type": "http", "method": "POST", "path": "/v1/page", "scheme": "http", "headers": headers}
    await door.app(scope, untouched, send)
    return {"status": sent[0]["status"], **{name.decode(): value.decode() for name, value in sent[0]["headers"]}}


async def test_more_requests_than_allowed_are_refused_before_they_are_read() -> None:
    """503 with Retry-After while as many as allowed wait for the log; when those are answered others are taken."""
    async with slow(work_requests=3) as (door, log):
        taken = [asyncio.create_task(door.post("/v1/page", PAGE)) for _ in range(3)]
        await eventually(lambda: log.waiting == 3)
        for _ in range(5):
            answer = await refused(door)
            assert (answer["status"], answer["retry-after"]) == (503, "2")
            assert answer["access-control-allow-origin"] == "https://shop.example"
        assert door.registry.get_sample_value("milepost_refused_total", {"code": "overloaded"}) == 5
        log.told.set()
        assert [answer.status for answer in await asyncio.gather(*taken)] == [200] * 3
        assert (await door.post("/v1/page", PAGE)).status == 200


async def test_more_bytes_than_can_be_worked_off_are_refused_before_they_are_read() -> None:
    """However few requests they are."""
    body = b'{"anonymousId":"a","properties":{"x":"%s"}}' % (b"x" * 4000)
    async with slow(work_bytes=10_000) as (door, log):
        taken = [asyncio.create_task(door.post("/v1/page", body)) for _ in range(3)]
        await eventually(lambda: log.waiting == 3)
        assert (await refused(door))["status"] == 503
        log.told.set()
        assert [answer.status for answer in await asyncio.gather(*taken)] == [200] * 3
        assert (await door.post("/v1/page", body)).status == 200


@pytest.mark.parametrize("packed", [False, True])
async def test_more_bytes_than_allowed_are_refused(packed: bool) -> None:
    """Counted as they come and as they are unpacked; what was held is free again once it is answered."""
    body = b'{"anonymousId":"a","properties":{"x":"%s"}}' % (b"x" * 4000)
    body = gzip.compress(body) if packed else body
    async with slow(body_bytes=10_000) as (door, log):
        taken = [asyncio.create_task(door.post("/v1/page", body, pieces=4)) for _ in range(2)]
        await eventually(lambda: log.waiting == 2)
        answer = await door.post("/v1/page", body, pieces=4)
        assert (answer.status, answer.body["code"]) == (503, "overloaded")
        log.told.set()
        assert [answer.status for answer in await asyncio.gather(*taken)] == [200] * 2
        assert (await door.post("/v1/page", body, pieces=4)).status == 200


async def test_a_body_that_is_still_coming_takes_nobodys_place() -> None:
    """Slow senders hold the bytes that they sent and nothing else; one that goes away holds nothing."""
    async with slow(work_requests=1, body_bytes=10_000) as (door, log):
        log.told.set()
        parts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {"type": "http", "method": "POST", "path": "/v1/page", "scheme": "http", "headers": [BASIC]}
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        slow_one = asyncio.ensure_future(door.app(scope, parts.get, send))
        parts.put_nowait({"type": "http.request", "body": b"x" * 9990, "more_body": True})
        await eventually(parts.empty)
        assert (await door.post("/v1/page", b"{}")).status == 400
        assert (await door.post("/v1/page", PAGE)).status == 503  # ten bytes are left
        parts.put_nowait({"type": "http.disconnect"})
        await slow_one
        assert sent == []
        assert (await door.post("/v1/page", PAGE)).status == 200


@pytest.mark.parametrize("body", [b"", b"nonsense", b"\x1f\x8bnonsense", b"x" * 6000])
async def test_a_refused_request_holds_nothing(body: bytes) -> None:
    """However it is refused."""
    async with slow(work_requests=1, body_bytes=8000, request_bytes=5000) as (door, log):
        log.told.set()
        for _ in range(10):
            assert (await door.post("/v1/page", body)).status in (400, 413)
        assert (await door.post("/v1/page", PAGE)).status == 200
