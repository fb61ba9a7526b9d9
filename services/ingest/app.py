"""The front door: raw ASGI, because every event passes here.

A request is read, decoded, decided on event by event, and answered 200 once the log has acknowledged what was taken.
Whatever goes wrong is an answer with a code and a message, which old SDKs need; never a stack or an inner address.
"""

import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from services.ingest import cors
from services.ingest.accept import Arrival, accept
from services.ingest.body import Gone, Receive, Scope, plain, read
from services.ingest.credentials import keys_given
from services.ingest.keys import Keys, WriteKey
from services.ingest.protocols.all import PROTOCOLS
from services.ingest.protocols.port import Answers, Envelope, Reply, Request, Takes
from services.ingest.protocols.reading import FAULTS, unfit
from services.ingest.refusals import WHOLE, Refusal, Refusals, Refused, Unreadable, with_bodies
from services.ingest.telemetry import Telemetry
from services.ingest.times import instant
from shared.events import EMPTY
from shared.log.port import Entry, Log, LogUnavailable
from shared.settings import Settings

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Seconds after which a client may try again.
RETRY_AFTER = 2
#: A batch of more than so many times the events allowed is not decided on event by event.
HOPELESS = 4
#: The most that each event may get from its batch's common context, in bytes.
CONTEXT_BYTES = 4096
#: No path of ours is longer, in characters; and so many are remembered with what they mean.
PATH_CHARACTERS, PATHS = 200, 1024

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
        return scope["type"] == "http" and route(scope["path"]) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            found = route(scope["path"])
            if found is None and self._fallback is not None:
                await self._fallback(scope, receive, send)
            else:
                await self._http(found, scope, receive, send)
        elif self._fallback is not None:
            await self._fallback(scope, receive, send)
        elif scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{event}.complete"})

    async def _http(self, found: Takes | Answers | None, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        methods = () if found is None else found.methods
        headers = cors.allowing(origin)
        try:
            if found is None:
                reply = Reply(404, _error("not_found", "There is nothing here: events go to /v1/batch or /v1/track."))
            elif method in methods:
                request = Request(scope, "/" + scope["path"].strip("/"), self._address)
                if isinstance(found, Takes):
                    reply = await self._take(found, request, scope, receive)
                else:
                    body = await read(receive, self._settings.request_bytes) if method == "POST" else b""
                    reply = found.reply(body, request, lambda key: self._keys.find(key) is not None)
            elif method == "OPTIONS":
                reply, headers = Reply(204, b""), cors.preflight(origin, (*methods, "OPTIONS"))
            else:
                reply = Reply(405, _error("method_not_allowed", f"Send this with {methods[0]}."))
        except Gone:
            return
        except Unreadable as refused:
            self._telemetry.turned_away(refused.code)
            reply = Reply(refused.status, _error(refused.code, str(refused), refused.field))
        except LogUnavailable as unavailable:
            self._telemetry.turned_away("unavailable")
            self._complain(unavailable)
            reply = _unavailable("The log takes nothing at the moment; nothing was accepted. Try again.")
        except Exception:
            _logger.exception("a request to %s failed", scope["path"])
            self._telemetry.turned_away("internal")
            reply = _unavailable("Something failed here; nothing was accepted. Try again.")
        await _respond(send, reply, headers, methods)

    async def _take(self, takes: Takes, request: Request, scope: Scope, receive: Receive) -> Reply:
        began = time.perf_counter()
        body, named = b"", None
        try:
            limit = self._settings.request_bytes
            if request.method == "GET":
                body = plain(request.query.get("data", "").encode(), limit)
            else:
                body = await read(receive, limit)
            if not body:
                raise Unreadable(400, "empty_body", "The body is empty: send JSON.")
            envelope = takes.read(body, request, HOPELESS * self._settings.batch_events)
            named = envelope.key
            arrival = self._arrival(envelope, self._find_key(keys_given(scope["headers"], request, named)))
        except Unreadable as whole:
            self._note_whole(whole, keys_given(scope["headers"], request, named), body)
            raise
        entries, refused = self._decide(envelope, arrival)
        await self._log.append(entries)
        self._complaint = ""
        for refusal in with_bodies(refused, body, len(envelope.events), self._settings.rejected_bytes):
            self._refusals.note(refusal)
        codes = Counter([refusal.code for refusal in refused])
        self._telemetry.answered(time.perf_counter() - began, len(body), len(entries), codes)
        if takes.answer is None or (refused and not entries):
            return _verdict(len(entries), refused)
        return Reply(200, takes.answer(envelope, len(entries), refused), takes.content_type)

    def _note_whole(self, refused: Unreadable, given: Iterable[str], body: bytes) -> None:
        """Notes a request of which nothing could be taken, if it is known whose it was."""
        if key := next((key for text in given if text and (key := self._keys.find(text))), None):
            said = Refusal(key.project, key.number, self._clock(), WHOLE, refused.code, refused.field, str(refused))
            for refusal in with_bodies([said], body, 0, self._settings.rejected_bytes):
                self._refusals.note(refusal)

    def _find_key(self, given: Iterable[str]) -> WriteKey:
        unknown = False
        for text in given:
            if text:
                if key := self._keys.find(text):
                    return key
                unknown = True
        if unknown:
            raise Unreadable(
                401, "unknown_key", "The write key is not known here, or was revoked: check it.", "writeKey"
            )
        raise Unreadable(
            401, "missing_key", "No write key: send it as writeKey, or as user name of Basic authorization.", "writeKey"
        )

    def _arrival(self, envelope: Envelope, key: WriteKey) -> Arrival:
        """What a request says once for all its events. Raises Unreadable."""
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
            except FAULTS as fault:
                wrong = unfit(fault, "context")
                raise Unreadable(400, wrong.code, str(wrong), wrong.field) from None
        return Arrival(key.project, key.number, self._clock(), self._settings.event_bytes, sent, context)

    def _decide(self, envelope: Envelope, arrival: Arrival) -> tuple[list[Entry], list[Refusal]]:
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


def route(path: str) -> Takes | Answers | None:
    """What a path means to the first protocol that knows it, with a slash at its end or without."""
    return _route(path) if len(path) <= PATH_CHARACTERS else None


@lru_cache(PATHS)
def _route(path: str) -> Takes | Answers | None:
    path = "/" + path.strip("/")
    return next((found for protocol in PROTOCOLS if (found := protocol.route(path)) is not None), None)


def _verdict(accepted: int, refused: Sequence[Refusal]) -> Reply:
    if not refused:
        return Reply(200, b'{"success":true,"accepted":%d,"rejected":[]}' % accepted)
    rejected = [{"index": one.index, "code": one.code, "field": one.field, "message": one.message} for one in refused]
    if accepted:
        return Reply(200, _encode({"success": True, "accepted": accepted, "rejected": rejected}))
    first = refused[0]
    return Reply(400, _error(first.code, first.message, first.field, {"accepted": 0, "rejected": rejected}))


def _error(code: str, message: str, field: str = "", more: Mapping[str, object] | None = None) -> bytes:
    named = {"field": field} if field else {}
    return _encode({"success": False, "code": code, "message": message, **named, **(more or {})})


def _unavailable(message: str) -> Reply:
    return Reply(503, _error("unavailable", message))


async def _respond(send: Send, reply: Reply, headers: cors.Headers, methods: tuple[str, ...]) -> None:
    status, answer, content_type = reply
    headers = [*headers, (b"content-length", b"%d" % len(answer))]
    if answer:
        headers.append((b"content-type", content_type))
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", b"%d" % RETRY_AFTER))
    elif status == HTTPStatus.UNAUTHORIZED:
        # Not Basic, at which a browser would ask its user for a password.
        headers.append((b"www-authenticate", b'Bearer realm="milepost"'))
    elif status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", ", ".join((*methods, "OPTIONS")).encode()))
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": answer})
