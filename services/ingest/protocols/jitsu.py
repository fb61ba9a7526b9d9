"""Jitsu's HTTP API: one event to a path that names its type, or a batch; `s2s` in the path means that a server sends.

The SDK takes only keys shaped `key:secret` and sends them in X-Write-Key. The part before the colon is our write key;
what follows is not looked at, for a write key is no secret. In the body the SDK masks the key.
"""

from collections.abc import Sequence

import msgspec

from services.ingest.protocols import segment
from services.ingest.protocols.port import Answers, Envelope, Event, Protocol, Raw, Request, Takes
from services.ingest.refusals import Refusal
from services.ingest.replies import verdict

_MASK = "***"


class _Properties(msgspec.Struct):
    """What is looked at in a page's properties."""

    name: str | None = None


_properties = msgspec.json.Decoder(_Properties).decode


def as_jitsu_means_it(envelope: Envelope) -> Envelope:
    """The SDK sends a page's name as one of its properties, and its key masked: neither is what it seems."""
    for event in envelope.events:
        if isinstance(event, Event) and event.type == "page" and event.name is None:
            event.name = _name_in(event.properties)
    key = envelope.key
    return envelope._replace(key=None if key is None or key.endswith(_MASK) else key.partition(":")[0])


def _name_in(properties: Raw) -> str | None:
    try:
        return _properties(properties).name
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None  # whoever decides on the event looks at them again


def _answer(_envelope: Envelope, accepted: int, refused: Sequence[Refusal]) -> bytes:
    """Ours, with what Jitsu's own server says."""
    return b'{"ok":%b,%b' % (b"false" if refused else b"true", verdict(accepted, refused).body[1:])


def _one(kind: str | None) -> Takes:
    def read(body: bytes, request: Request, _most: int) -> Envelope:
        return as_jitsu_means_it(segment.one(body, request, kind))

    return Takes(read, _answer)


def _many(body: bytes, request: Request, most: int) -> Envelope:
    return as_jitsu_means_it(segment.many(body, request, most))


#: By what follows `/api/s`, where `event`, or nothing, leaves it to the event to tell its type.
_TAKES = {kind: _one(kind) for kind in segment.SHORT.values()}
_TAKES |= {short: _TAKES[kind] for short, kind in segment.SHORT.items()}
_TAKES |= {"event": _one(None), "e": _one(None), "": _one(None), "batch": Takes(_many, _answer)}
_ROUTES: dict[str, Takes | Answers] = {
    f"{base}/{what}".rstrip("/"): takes for base in ("/api/s", "/api/s/s2s") for what, takes in _TAKES.items()
}

PROTOCOL = Protocol("jitsu", _ROUTES.get, ("/api/s/{type}", "/api/s/batch", "/api/s/s2s/{type}", "/api/s/s2s/batch"))
