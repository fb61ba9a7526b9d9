"""The front door: raw ASGI, because every event passes here.

A request is read, decoded, decided on event by event, and answered 200 once the log has acknowledged what was taken.
Whatever goes wrong is an answer with a code and a message, which old SDKs need; never a stack or an inner address.
"""

import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import msgspec
from prometheus_client import CollectorRegistry

from services.ingest import cors
from services.ingest.accept import Arrival, accept
from services.ingest.body import Gone, Receive, Scope, key_in_header, read
from services.ingest.keys import Keys, WriteKey
from services.ingest.protocols import segment
from services.ingest.refusals import Refusal, Refusals, Refused, Unreadable
from services.ingest.telemetry import Telemetry
from services.ingest.times import instant
from shared.events import EMPTY
from shared.log.port import Entry, Log, LogUnavailable
from shared.settings import Settings

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: What each path takes: a batch, the browser's own metrics (which nobody needs), or one event of a type.
BATCH, METRICS = "batch", "metrics"
_SHORT = {
    "t": "track",
    "i": "identify",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
    "b": BATCH,
    "m": METRICS,
}
ROUTES = {f"/v1/{path}": takes for path, takes in _SHORT.items()}
ROUTES |= {f"/v1/{takes}": takes for takes in _SHORT.values() if takes != METRICS} | {"/v1/import": BATCH}
SETTINGS = re.compile(r"/v1/projects/([^/]+)/settings")

#: Seconds after which a client may try again.
RETRY_AFTER = 2
#: A batch of more than so many times the events allowed is not decided on event by event.
HOPELESS = 4
#: The most that each event may get from its batch's common context, in bytes.
CONTEXT_BYTES = 4096

_logger = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw] | None).decode


def build_ingest(
    log: Log,
    keys: Keys,
    refusals: Refusals,
    settings: Settings,
    registry: CollectorRegistry,
    clock: Callable[[], int],
    fallback: App | None = None,
) -> "Ingest":
    """The app, counting into this registry. `clock` tells the time in microseconds.

    Paths that are not ingest's go to `fallback`; without one they are answered 404.
    """
    return Ingest(log, keys, refusals, settings, Telemetry(registry), clock, fallback)


class Ingest:
    """An ASGI app. Made by `build_ingest`."""

    def __init__(
        self,
        log: Log,
        keys: Keys,
        refusals: Refusals,
        settings: Settings,
        telemetry: Telemetry,
        clock: Callable[[], int],
        fallback: App | None,
    ) -> None:
        self._log, self._keys, self._refusals, self._settings = log, keys, refusals, settings
        self._telemetry, self._clock, self._fallback = telemetry, clock, fallback
        self._complaint = ""

    def handles(self, scope: Scope) -> bool:
        """Whether the request is for ingest, whatever its method."""
        path = _path(scope)
        return scope["type"] == "http" and (path in ROUTES or SETTINGS.fullmatch(path) is not None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.handles(scope) and self._fallback is not None:
            await self._fallback(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{event}.complete"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = _path(scope), scope["method"]
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        takes = ROUTES.get(path)
        headers = cors.allowing(origin)
        try:
            if takes is not None and method == "POST":
                status, answer = await self._post(takes, scope, receive)
            else:
                status, answer = self._other(path, method, scope)
            if method == "OPTIONS" and status == HTTPStatus.NO_CONTENT:
                headers = cors.preflight(origin, _methods(path))
        except Gone:
            return
        except Unreadable as refused:
            self._telemetry.turned_away(refused.code)
            status, answer = refused.status, _error(refused.code, str(refused), refused.field)
        except LogUnavailable as unavailable:
            self._telemetry.turned_away("unavailable")
            self._complain(unavailable)
            status, answer = _unavailable("The log takes nothing at the moment; nothing was accepted. Try again.")
        except Exception:
            _logger.exception("a request to %s failed", path)
            self._telemetry.turned_away("internal")
            status, answer = _unavailable("Something failed here; nothing was accepted. Try again.")
        await _respond(send, status, answer, headers, _methods(path))

    async def _post(self, takes: str, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        began = time.perf_counter()
        body = await read(receive, self._settings.request_bytes)
        if takes == METRICS:
            return 200, b'{"success":true}'
        most = HOPELESS * self._settings.batch_events
        envelope = segment.many(body, most) if takes == BATCH else segment.one(body)
        key = self._find_key(key_in_header(scope["headers"]), envelope.key)
        arrival = self._arrival(envelope, key, None if takes == BATCH else takes)
        entries, refused = self._decide(envelope, arrival)
        await self._log.append(entries)
        self._complaint = ""
        for refusal in refused:
            self._refusals.note(refusal)
        codes = Counter([refusal.code for refusal in refused])
        self._telemetry.answered(time.perf_counter() - began, len(body), len(entries), codes)
        return _verdict(len(entries), refused)

    def _find_key(self, *given: str | None) -> WriteKey:
        for text in given:
            if text and (key := self._keys.find(text)):
                return key
        if any(given):
            raise Unreadable(
                401, "unknown_key", "The write key is not known here, or was revoked: check it.", "writeKey"
            )
        raise Unreadable(
            401, "missing_key", "No write key: send it as writeKey, or as user name of Basic authorization.", "writeKey"
        )

    def _arrival(self, envelope: segment.Envelope, key: WriteKey, kind: str | None) -> Arrival:
        """What a request says once for all its events. Raises Unreadable."""
        settings = self._settings
        try:
            sent = instant(envelope.sent_at, "sentAt") if envelope.sent_at else None
        except Refused as refused:
            raise Unreadable(400, refused.code, str(refused), refused.field) from None
        context = None
        if envelope.context is not EMPTY:
            if len(envelope.context) > CONTEXT_BYTES:
                raise Unreadable(
                    400,
                    "context_too_large",
                    f"A batch's common context may have {CONTEXT_BYTES} bytes: send what is more with each event.",
                    "context",
                )
            try:
                context = _object(envelope.context)
            except segment.FAULTS as fault:
                unfit = segment.unfit(fault, "context")
                raise Unreadable(400, unfit.code, str(unfit), unfit.field) from None
        return Arrival(key.project, key.number, self._clock(), settings.event_bytes, kind, sent, context)

    def _decide(self, envelope: segment.Envelope, arrival: Arrival) -> tuple[list[Entry], list[Refusal]]:
        """Takes or refuses each event."""
        entries: list[Entry] = []
        refused: list[Refusal] = []
        limit = self._settings.batch_events
        for index, event in enumerate(envelope.events):
            try:
                if index >= limit:
                    raise Refused("too_many_events", "", f"A batch takes {limit} events: send this one in another.")
                if isinstance(event, Refused):
                    raise event
                entries.append(accept(event, arrival))
            except Refused as fault:
                said = arrival.project, arrival.key, arrival.received, index, fault.code, fault.field, str(fault)
                refused.append(Refusal(*said))
        return entries, refused

    def _other(self, path: str, method: str, scope: Scope) -> tuple[int, bytes]:
        """Everything but sending: preflights, the browser SDK's settings, and what is not there."""
        methods = _methods(path)
        if not methods:
            return 404, _error("not_found", "There is nothing here: events go to /v1/batch or /v1/track.")
        if method == "OPTIONS":
            return 204, b""
        if method not in methods:
            return 405, _error("method_not_allowed", f"Send this with {methods[0]}.")
        found = SETTINGS.fullmatch(path)
        text = unquote(found[1]) if found else ""
        if self._keys.find(text) is None:
            return 401, _error("unknown_key", "The write key is not known here, or was revoked: check it.", "writeKey")
        scheme, _, host = self._address(scope).partition("://")
        source = {"apiKey": text, "apiHost": f"{host}/v1", "protocol": scheme}
        # More than one integration would make the SDK look for code of others to load; its own metrics are not needed.
        return 200, _encode({"integrations": {"Segment.io": source}, "plan": {}, "metrics": {"sampleRate": 0}})

    def _address(self, scope: Scope) -> str:
        """Where the browser is to send to: the public address, else the one that it called."""
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if self._settings.public_url or not re.fullmatch(r"[\w.:\[\]-]+", host):
            return self._settings.public_url or f"http://{self._settings.host}:{self._settings.port}"
        return f"{scope['scheme']}://{host}"

    def _complain(self, unavailable: LogUnavailable) -> None:
        """Once for each reason, not once for each request."""
        if str(unavailable) != self._complaint:
            self._complaint = str(unavailable)
            _logger.warning("the log is unavailable: %s", unavailable)


def _path(scope: Scope) -> str:
    path: str = scope.get("path", "")
    return path.rstrip("/")


def _methods(path: str) -> tuple[str, ...]:
    if path in ROUTES:
        return "POST", "OPTIONS"
    return ("GET", "OPTIONS") if SETTINGS.fullmatch(path) else ()


def _verdict(accepted: int, refused: list[Refusal]) -> tuple[int, bytes]:
    if not refused:
        return 200, b'{"success":true,"accepted":%d,"rejected":[]}' % accepted
    rejected = [{"index": one.index, "code": one.code, "field": one.field, "message": one.message} for one in refused]
    if accepted:
        return 200, _encode({"success": True, "accepted": accepted, "rejected": rejected})
    first = refused[0]
    return 400, _error(first.code, first.message, first.field, {"accepted": 0, "rejected": rejected})


def _error(code: str, message: str, field: str = "", more: Mapping[str, object] | None = None) -> bytes:
    named = {"field": field} if field else {}
    return _encode({"success": False, "code": code, "message": message, **named, **(more or {})})


def _unavailable(message: str) -> tuple[int, bytes]:
    return 503, _error("unavailable", message)


async def _respond(send: Send, status: int, answer: bytes, headers: cors.Headers, methods: tuple[str, ...]) -> None:
    headers = [*headers, (b"content-length", b"%d" % len(answer))]
    if answer:
        headers.append((b"content-type", b"application/json"))
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", b"%d" % RETRY_AFTER))
    elif status == HTTPStatus.UNAUTHORIZED:
        # Not Basic, at which a browser would ask its user for a password.
        headers.append((b"www-authenticate", b'Bearer realm="milepost"'))
    elif status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", ", ".join(methods).encode()))
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": answer})
