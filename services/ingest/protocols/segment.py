"""Segment's HTTP tracking API: a body becomes events, and nothing more is done to them here.

A batch is decoded as a whole. Only when that fails is it taken apart, so that one event that cannot be read is refused
alone. Free-form parts stay bytes and are looked at when an event is decided on.
"""

import base64
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import msgspec

from services.ingest.protocols.port import Answers, Envelope, Event, Protocol, Raw, Reply, Request, Takes
from services.ingest.protocols.reading import (
    FAULTS,
    careful,
    check_count,
    decode_event,
    decode_raw,
    malformed,
    text,
)
from services.ingest.protocols.repair import repaired
from services.ingest.refusals import Unreadable
from shared.events import EMPTY

#: Types of events by the letters that stand for them in paths.
SHORT = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"}
#: One transparent pixel.
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_SETTINGS = re.compile(r"/v1/projects/([^/]+)/settings")


class Batch(msgspec.Struct, rename="camel"):
    """A batch whose events are all well typed."""

    batch: list[Event]
    write_key: str | None = None
    sent_at: str | None = None
    context: Raw = EMPTY


class _Parts(msgspec.Struct, rename="camel"):
    """A batch of anything."""

    batch: list[Raw]
    write_key: Any = None
    sent_at: str | None = None
    context: Raw = EMPTY


_batch = msgspec.json.Decoder(Batch).decode
_parts = msgspec.json.Decoder(_Parts).decode
_encode = msgspec.json.Encoder().encode


def many(body: bytes, request: Request, most: int) -> Envelope:
    """The events of a batch. Raises Unreadable if it is not one, or holds more than `most` events."""
    try:
        batch = _batch(body)
    except FAULTS:
        envelope = _taken_apart(body, most)
    else:
        check_count(len(batch.batch), most)
        envelope = Envelope(batch.batch, batch.write_key, batch.sent_at, batch.context)
    return envelope if envelope.sent_at else envelope._replace(sent_at=_sent(request))


def one(body: bytes, request: Request, kind: str | None) -> Envelope:
    """A body that is one event, of this type whatever it says itself. Raises Unreadable if it is not JSON."""
    try:
        event = decode_event(body)
    except FAULTS:
        fixed = repaired(body, 1)
        try:
            decode_raw(fixed)
        except FAULTS as fault:
            raise malformed(fault) from None
        careful_event = careful(fixed)
        if not isinstance(careful_event, Event):
            return Envelope([careful_event])
        event = careful_event
    if kind is not None:
        event.type = kind
    return Envelope([event], text(event.write_key), None if event.sent_at else _sent(request))


def _taken_apart(body: bytes, most: int) -> Envelope:
    try:
        parts = _parts(repaired(body, 3))
    except FAULTS as fault:
        raise malformed(fault) from None
    check_count(len(parts.batch), most)
    return Envelope([careful(bytes(raw)) for raw in parts.batch], text(parts.write_key), parts.sent_at, parts.context)


def _sent(request: Request) -> str | None:
    """When the request was sent, as a header says: RudderStack's browser SDK has one."""
    said = request.headers.get(b"sentat")
    return said.decode("latin-1") if said else None


def _of(kind: str) -> Takes:
    return Takes(lambda body, request, _most: one(body, request, kind))


def _pixel(kind: str) -> Takes:
    """An image on a page or in a mail that nobody looks at."""
    return _of(kind)._replace(
        answer=lambda _envelope, _accepted, _refused: GIF, methods=("GET",), content_type=b"image/gif"
    )


def _settings(_body: bytes, request: Request, known: Callable[[str], bool]) -> Reply:
    """What the browser's SDK asks for before it sends: where to send to."""
    found = _SETTINGS.fullmatch(request.path)
    key = unquote(found[1]) if found else ""
    if not known(key):
        raise Unreadable(401, "unknown_key", "The write key is not known here, or was revoked: check it.", "writeKey")
    scheme, _, host = request.base.partition("://")
    source = {"apiKey": key, "apiHost": f"{host}/v1", "protocol": scheme}
    # More than one integration would make the SDK look for code of others to load; its own metrics are not needed.
    body = {"integrations": {"Segment.io": source}, "plan": {}, "metrics": {"sampleRate": 0}}
    return Reply(200, _encode(body))


#: The browser's own metrics, which nobody needs.
_METRICS = Answers(lambda _body, _request, _known: Reply(200, b'{"success":true}'), ("POST",))

_MANY = Takes(many)
ROUTES: dict[str, Takes | Answers] = {f"/v1/{kind}": _of(kind) for kind in SHORT.values()}
ROUTES |= {f"/v1/{short}": ROUTES[f"/v1/{kind}"] for short, kind in SHORT.items()}
ROUTES |= {"/v1/batch": _MANY, "/v1/b": _MANY, "/v1/import": _MANY, "/v1/m": _METRICS}
_PIXELS = {f"/v1/pixel/{kind}": _pixel(kind) for kind in SHORT.values()}
_ASKED = Answers(_settings)


def route(path: str) -> Takes | Answers | None:
    """What a path means to Segment's SDKs."""
    return ROUTES.get(path) or _PIXELS.get(path) or (_ASKED if _SETTINGS.fullmatch(path) else None)


PROTOCOL = Protocol("segment", route, (*ROUTES, "/v1/pixel/{method}", "/v1/projects/{key}/settings"))
