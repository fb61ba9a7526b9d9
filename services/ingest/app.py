"""The front door: raw ASGI, because every event passes here.

A request is read, decoded, decided on event by event, and answered 200 once the log has acknowledged what was taken.
Whatever goes wrong is an answer with a code and a message, which old SDKs need; never a stack or an inner address.
"""

import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus

from prometheus_client import CollectorRegistry

from services.ingest import cors
from services.ingest.batch import arrival_of, decide
from services.ingest.body import Gone, Receive, Scope, plain, read
from services.ingest.credentials import keys_given
from services.ingest.door import Door, open_door
from services.ingest.gate import Gate, Held
from services.ingest.keys import Keys, WriteKey
from services.ingest.permits import Permits
from services.ingest.protocols.all import PROTOCOLS
from services.ingest.protocols.port import Reply, Request, Takes
from services.ingest.refusals import WHOLE, Refusal, Refusals, Refused, Unreadable, with_bodies
from services.ingest.replies import Send, error, respond, verdict
from services.ingest.routes import Place, Routes
from services.ingest.telemetry import Telemetry
from shared.log.port import Log, LogUnavailable
from shared.settings import Settings

App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: A batch of more than so many times the events allowed is not decided on event by event.
HOPELESS = 4
#: What a path that is not there is told to a page that asks for it first.
ANY = ("GET", "POST")
NONE: Counter[str] = Counter()

_logger = logging.getLogger(__name__)


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

    Paths that are nobody's go to `fallback`, which may give them back to `Ingest.unknown`; without one they are
    answered 404, as are those that look like an SDK's.
    Raises BadSettings for faults in the files that the settings name.
    """
    telemetry = Telemetry(registry, settings.metric_series)
    return Ingest(log, keys, refusals, settings, telemetry, clock, fallback, open_door(settings, telemetry.bot))


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
        door: Door,
    ) -> None:
        self._log, self._keys, self._refusals, self._settings = log, keys, refusals, settings
        self._telemetry, self._clock, self._fallback = telemetry, clock, fallback
        self._routes = Routes(PROTOCOLS, settings.path_prefix)
        self._gate, self._permits = Gate(settings.work_requests, settings.work_bytes, settings.body_bytes), Permits()
        self._door, self._complaint = door, ""
        # What privacy takes out of events is not kept with those that were refused.
        self._kept_bytes = settings.rejected_bytes if door.privacy is None else 0

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            place = self._routes.find(scope["path"])
            if place.target is not None or place.family != "other" or self._fallback is None:
                return self._http(place, scope, receive, send)
        return (self._fallback or _lifespan)(scope, receive, send)

    def takes(self, path: str) -> bool:
        """Whether events are sent to this path."""
        return isinstance(self._routes.find(path).target, Takes)

    async def unknown(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI app for a request of which the fallback knows nothing either."""
        await self._http(self._routes.find(scope["path"]), scope, receive, send)

    async def _http(self, place: Place, scope: Scope, receive: Receive, send: Send) -> None:
        target, method = place.target, scope["method"]
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        methods = ANY if target is None else target.methods
        headers, again = cors.allowing(origin), None
        try:
            if method == "OPTIONS":
                reply, headers = Reply(204, b""), cors.preflight(origin, (*methods, "OPTIONS"))
            elif target is None:
                self._telemetry.unknown(place.family)
                message = "There is nothing here: events go to /v1/batch or /v1/track."
                reply = error(404, Refused("not_found", "", message))
            elif method not in methods:
                reply = error(405, Refused("method_not_allowed", "", f"Send this with {methods[0]}."))
            else:
                request = Request(scope, place.path, lambda scope: self._address(scope, place.prefix))
                held = self._gate.enter()
                try:
                    if isinstance(target, Takes):
                        reply = await self._take(target, request, scope, receive, held, place.family)
                    else:
                        body = await read(receive, self._settings.request_bytes, held) if method == "POST" else b""
                        reply = target.reply(body, request, lambda key: self._keys.find(key) is not None)
                finally:
                    held.leave()
        except Gone:
            return
        except Unreadable as refused:
            self._telemetry.turned_away(refused.code)
            reply, again = error(refused.status, refused), refused.again
        except LogUnavailable as unavailable:
            self._telemetry.turned_away("unavailable")
            self._complain(unavailable)
            reply = _unavailable("The log takes nothing at the moment; nothing was accepted. Try again.")
        except Exception:
            _logger.exception("a request to %s failed", scope["path"])
            self._telemetry.turned_away("internal")
            reply = _unavailable("Something failed here; nothing was accepted. Try again.")
        await respond(send, reply, headers, methods, again)

    async def _take(
        self, takes: Takes, request: Request, scope: Scope, receive: Receive, held: Held, sdk: str
    ) -> Reply:
        began = time.perf_counter()
        body, named = b"", None
        try:
            limit = self._settings.request_bytes
            if request.method == "GET":
                body = plain(request.query.get("data", "").encode(), limit)
            else:
                body = await read(receive, limit, held)
            if not body:
                raise Unreadable(400, "empty_body", "The body is empty: send JSON.")
            envelope = takes.read(body, request, HOPELESS * self._settings.batch_events)
            named = envelope.key
            key = self._find_key(keys_given(scope["headers"], request, named))
            self._permits.check(key, request, len(envelope.events), takes.too_fast)
            visitor = self._door.visitor(key.kind, scope)
            arrival = arrival_of(envelope, key, self._clock(), self._settings, self._door, visitor)
        except Unreadable as whole:
            if whole.again is None and whole.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                self._note_whole(whole, keys_given(scope["headers"], request, named), body)
            raise
        entries, refused = decide(envelope, arrival, self._settings.batch_events)
        appending = time.perf_counter()
        await self._log.append(entries)
        self._telemetry.appended(time.perf_counter() - appending)
        self._complaint = ""
        for refusal in with_bodies(refused, body, len(envelope.events), self._kept_bytes):
            self._refusals.note(refusal)
        codes = Counter([refusal.code for refusal in refused]) if refused else NONE
        self._telemetry.answered(time.perf_counter() - began, len(body), len(entries), codes, key.name, sdk)
        if takes.answer is None or (refused and not entries):
            return verdict(len(entries), refused)
        return Reply(200, takes.answer(envelope, len(entries), refused), takes.content_type)

    def _note_whole(self, refused: Unreadable, given: Iterable[str], body: bytes) -> None:
        """Notes a request of which nothing could be taken, if it is known whose it was."""
        if key := next((key for text in given if text and (key := self._keys.find(text))), None):
            said = Refusal(key.project, key.number, self._clock(), WHOLE, refused.code, refused.field, str(refused))
            for refusal in with_bodies([said], body, 0, self._kept_bytes):
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

    def _address(self, scope: Scope, prefix: str) -> str:
        """Where a site is to send to: the public address, else the one that it called; with the prefix if it did."""
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        public = self._settings.public_url
        if public:
            return public if public.endswith(prefix) else public + prefix
        if re.fullmatch(r"[\w.:\[\]-]+", host):
            return f"{scope['scheme']}://{host}{prefix}"
        return f"http://{self._settings.host}:{self._settings.port}{prefix}"

    def _complain(self, unavailable: LogUnavailable) -> None:
        """Once for each reason, not once for each request."""
        if str(unavailable) != self._complaint:
            self._complaint = str(unavailable)
            _logger.warning("the log is unavailable: %s", unavailable)


async def _lifespan(_scope: Scope, receive: Receive, send: Send) -> None:
    for event in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{event}.complete"})


def _unavailable(message: str) -> Reply:
    return error(503, Refused("unavailable", "", message))
