"""What the front door would make of a body, without taking it."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from services.ingest.batch import arrival_of, decide
from services.ingest.body import plain
from services.ingest.door import Door
from services.ingest.keys import WriteKey
from services.ingest.protocols.all import PROTOCOLS
from services.ingest.protocols.port import Request, Takes
from services.ingest.refusals import Refusal, Unreadable
from services.ingest.routes import Routes
from shared.events import TYPES, Record, read
from shared.settings import Settings


class Judged(NamedTuple):
    """The path that the body was read as sent to, the key that counted, and what becomes of each event, in order."""

    path: str
    key: WriteKey
    events: list[Record | Refusal]


class Judge:
    """The rules of the front door. `find` gives the write key of a text, None if there is none."""

    def __init__(self, settings: Settings, door: Door) -> None:
        self._settings, self._door = settings, door
        self._routes = Routes(PROTOCOLS, settings.path_prefix)

    def judge(
        self, body: bytes, path: str | None, usual: WriteKey, find: Callable[[str], WriteKey | None], now: int
    ) -> Judged:
        """As if it came now, in microseconds, with the key that the body names, else with the `usual` one.

        Without a path it is Segment's for such a body. Raises Unreadable, and LookupError for a path that takes no
        events.
        """
        body = plain(body, self._settings.request_bytes)
        if not body:
            raise Unreadable(400, "empty_body", "The body is empty: send JSON.")
        place = self._routes.find(path or _usual_path(body))
        if not isinstance(place.target, Takes):
            raise LookupError("no events go to this path: name one such as /v1/track")
        request = Request({"method": "POST", "headers": [], "query_string": b""}, place.path, lambda _: "")
        envelope = place.target.read(body, request, self._settings.batch_events)
        key = usual if envelope.key is None else find(envelope.key)
        if key is None or key.project != usual.project:
            raise Unreadable(400, "unknown_key", "The write key is not known here, or was revoked.", "writeKey")
        arrival = arrival_of(envelope, key, now, self._settings, self._door)
        entries, refused = decide(envelope, arrival, self._settings.batch_events)
        refusals = {refusal.index: refusal for refusal in refused}
        taken = iter(entries)
        events = [refusals[n] if n in refusals else read(next(taken).value) for n in range(len(envelope.events))]
        return Judged(place.path, key, events)


class _Shape(msgspec.Struct):
    batch: msgspec.Raw | None = None
    type: str | None = None


def _usual_path(body: bytes) -> str:
    try:
        shape = msgspec.json.decode(body, type=_Shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "/v1/batch"
    return f"/v1/{shape.type}" if shape.batch is None and shape.type in TYPES else "/v1/batch"
