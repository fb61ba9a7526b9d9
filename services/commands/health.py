"""Whether a process lives and can do its work, for orchestrators; and its counts, for Prometheus."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from services.commands.serving import App, Receive, Scope, Send
from shared.log.port import LogUnavailable
from shared.metric import CONTENT_TYPE, Source, exposition
from shared.store.port import StoreMismatch, StoreUnavailable

#: Raises LogUnavailable, StoreUnavailable or StoreMismatch when something is amiss.
Check = Callable[[], Awaitable[None]]

REASONS: dict[type[Exception], str] = {
    LogUnavailable: "the log cannot be reached",
    StoreUnavailable: "the store cannot be reached",
    StoreMismatch: "the store's schema is not this version's: run `milepost setup`",
    TimeoutError: "the log or the store takes too long to answer",
}

#: Seconds that a check may take.
PATIENCE = 3.0
JSON = "application/json"

_logger = logging.getLogger(__name__)


def health(checks: Sequence[Check], *counts: Source, others: App | None = None) -> App:
    """Answers /livez and /readyz, and everything else by `others`; without it /metrics, with these counts."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path")
        if path == "/livez":
            await _answer(send, 200, b'{"status":"ok"}')
        elif path == "/readyz":
            reason = await _amiss(checks)
            body = {"code": "not_ready", "message": reason} if reason else {"status": "ok"}
            await _answer(send, 503 if reason else 200, msgspec.json.encode(body))
        elif others is not None:
            await others(scope, receive, send)
        elif path == "/metrics":
            await _answer(send, 200, exposition(*counts), CONTENT_TYPE)
        elif scope["type"] == "http":
            await _answer(send, 404, b'{"code":"not_found","message":"here are /livez, /readyz and /metrics"}')

    return app


async def _amiss(checks: Sequence[Check]) -> str:
    """What people outside may know of the first check that fails; the log of the process tells the rest."""
    try:
        async with asyncio.timeout(PATIENCE):
            for check in checks:
                await check()
    except tuple(REASONS) as error:
        _logger.warning("not ready: %s", error or "a check took too long")
        return next(reason for kind, reason in REASONS.items() if isinstance(error, kind))
    return ""


async def _answer(send: Send, status: int, body: bytes, kind: str = JSON) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
