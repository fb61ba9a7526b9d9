"""The health of a process, as an orchestrator asks for it."""

import httpx
import pytest
from prometheus_client import CollectorRegistry

from services.commands.health import health
from services.commands.serving import App, Receive, Scope, Send
from shared.log.port import LogUnavailable
from shared.store.port import StoreMismatch, StoreUnavailable
from shared.telemetry import STAGER_RECORDS


async def well() -> None:
    """A check that finds nothing."""


async def get(app: App, path: str) -> httpx.Response:
    """The app's answer."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://milepost") as client:
        return await client.get(path)


async def test_a_healthy_process() -> None:
    """It lives, is ready, and shows what it counts; anything else is not there."""
    counts = CollectorRegistry()
    STAGER_RECORDS.new(counts).inc(3)
    app = health([well], counts)
    assert (await get(app, "/livez")).json() == {"status": "ok"}
    assert (await get(app, "/readyz")).json() == {"status": "ok"}
    assert "milepost_stager_records_total 3.0" in (await get(app, "/metrics")).text
    assert (await get(app, "/else")).status_code == 404


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LogUnavailable("kafka-1.internal does not answer"), "the log"),
        (StoreUnavailable("postgres.internal does not answer"), "the store"),
        (StoreMismatch("the store's schema is 0001"), "milepost setup"),
        (TimeoutError(), "too long"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_is_amiss(error: Exception, told: str) -> None:
    """What a check finds makes it unready, told without inner addresses; the process lives all the same."""

    async def amiss() -> None:
        raise error

    app = health([well, amiss])
    answer = await get(app, "/readyz")
    assert answer.status_code == 503
    assert told in answer.json()["message"]
    assert "internal" not in answer.text
    assert (await get(app, "/livez")).status_code == 200


async def test_other_paths_are_others() -> None:
    """With another app behind it, everything but health is that app's."""

    async def others(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = health([well], others=others)
    assert (await get(app, "/metrics")).status_code == 418
    assert (await get(app, "/readyz")).status_code == 200
