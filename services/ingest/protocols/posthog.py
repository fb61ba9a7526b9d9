"""PostHog's capture API, and what its SDKs ask beside it: configuration, flags, session recordings.

The configuration turns off what we do not do (recordings, surveys, flags, …), so that browsers load no code for it.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import unquote

import msgspec

from services.ingest.protocols.port import Answers, Envelope, Event, Protocol, Raw, Reply, Request, Takes
from services.ingest.protocols.posthog_events import Sending, in_milliseconds, to_event
from services.ingest.protocols.posthog_shapes import Body, Parts, Person, Sent
from services.ingest.protocols.reading import FAULTS, check_count, damage, malformed, text, unfit
from services.ingest.protocols.repair import from_cesu8, repaired
from services.ingest.refusals import Refusal, Refused, Unreadable

_CONFIG = re.compile(r"/array/([^/]+)/config(\.js)?")

#: What browsers do by themselves. There is nothing about surveys: even being told of none makes them load some code.
_FEATURES: dict[str, Any] = {
    "supportedCompression": ["gzip", "gzip-js"],
    "analytics": {"endpoint": "/i/v0/e/"},
    "autocapture_opt_out": False,
    "elementsChainAsString": True,
    "defaultIdentifiedOnly": True,
    "hasFeatureFlags": False,
    "sessionRecording": False,
    "heatmaps": False,
    "captureDeadClicks": False,
    "capturePerformance": False,
    "autocaptureExceptions": False,
    "siteApps": [],
}
#: No flags, under the names that versions of the API have had.
_FLAGS = {"flags": {}, "featureFlags": {}, "featureFlagPayloads": {}, "errorsWhileComputingFlags": False}

_body = msgspec.json.Decoder(Body).decode
_list = msgspec.json.Decoder(list[Sent]).decode
_sent = msgspec.json.Decoder(Sent).decode
_parts = msgspec.json.Decoder(Parts).decode
_raws = msgspec.json.Decoder(list[Raw]).decode
_person = msgspec.json.Decoder(Person).decode
_given = msgspec.json.Decoder(dict[str, Any]).decode
_keys = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


class Named(Refused):
    """An event that cannot be read, but for its uuid, by which its sender wants to hear of it."""

    def __init__(self, refused: Refused, uuid: str | None) -> None:
        super().__init__(refused.code, refused.field, refused.message)
        self.uuid = uuid


def read(body: bytes, request: Request, most: int) -> Envelope:
    """The events of a body: a batch, a list, or one event. Raises Unreadable."""
    body = from_cesu8(body)  # older browsers, for what is not in the first plane
    try:
        if body[:1] == b"[":
            whole, events = Body(), _list(body)
        else:
            whole = _body(body)
            events = [whole] if whole.batch is None else whole.batch
    except FAULTS:
        return _taken_apart(body, request, most)
    check_count(len(events), most)
    sending = _sending(request, whole, whole.sent_at or whole.sent_at_before, events[:1])
    return Envelope([_decided(event, sending) for event in events], sending.key)


def _taken_apart(body: bytes, request: Request, most: int) -> Envelope:
    """The same for a body that cannot be read as it is, event by event."""
    try:
        if body[:1] == b"[":
            whole, raws = Parts(), _raws(repaired(body, 2))
        else:
            whole = _parts(repaired(body, 3))
            raws = [Raw(repaired(body, 1))] if whole.batch is None else whole.batch
    except FAULTS as fault:
        raise malformed(fault) from None
    check_count(len(raws), most)
    events = [_careful(bytes(raw)) for raw in raws]
    readable = [event for event in events if isinstance(event, Sent)]
    sending = _sending(request, whole, text(whole.sent_at) or text(whole.sent_at_before), readable[:1])
    found = [_decided(event, sending) if isinstance(event, Sent) else event for event in events]
    return Envelope(found, sending.key)


def _careful(raw: bytes) -> Sent | Named:
    if (marked := damage(raw)) is None:
        try:
            return _sent(raw)
        except FAULTS as fault:
            marked = unfit(fault)
    try:
        return Named(marked, text(_given(raw).get("uuid")))
    except FAULTS:
        return Named(marked, None)


def _decided(sent: Sent, sending: Sending) -> Event | Named:
    try:
        return to_event(sent, sending)
    except Refused as refused:
        return Named(refused, text(sent.uuid))


def _sending(request: Request, whole: Body | Parts, sent_at: str | None, first: Sequence[Sent]) -> Sending:
    """What holds for all events. A body without a key has it in its events' properties."""
    key = text(whole.api_key) or text(whole.token)
    for event in first if key is None else ():
        key = text(event.api_key) or text(event.token) or _key_in(event.properties)
    headers = request.headers
    by_header = headers.get(b"posthog-request-timestamp", b"").decode("latin-1")
    sent_at = sent_at or by_header or in_milliseconds(request.query.get("_", ""))
    return Sending(key, sent_at, headers.get(b"posthog-sdk-info", b"").decode("latin-1") or None)


def _key_in(properties: Raw) -> str | None:
    try:
        given = _keys(properties)
        return next((text(msgspec.json.decode(given[name])) for name in ("token", "api_key") if name in given), None)
    except FAULTS:
        return None


def read_person(body: bytes, request: Request, most: int) -> Envelope:
    """What `/engage/` takes, as an event. Raises Unreadable."""
    try:
        person = _person(from_cesu8(body))
    except FAULTS as fault:
        raise malformed(fault) from None
    whose = {"$device_id": person.device_id, "$user_id": person.user_id}
    sent = Sent("$set", distinct_id=person.distinct_id, set=person.set, set_once=person.set_once)
    sent.properties = Raw(_encode({name: value for name, value in whose.items() if value is not None}))
    key = text(person.token)
    return Envelope([_decided(sent, Sending(key, None))], key)


def _counted(envelope: Envelope, accepted: int, refused: Sequence[Refusal]) -> bytes:
    """1 is what SDKs look for; what was refused is for people."""
    rejected = [{"index": one.index, "code": one.code, "field": one.field, "message": one.message} for one in refused]
    return _encode({"status": 1, "success": True, "accepted": accepted, "rejected": rejected})


def _by_uuid(envelope: Envelope, accepted: int, refused: Sequence[Refusal]) -> bytes:
    """What became of each event that has a uuid to be named by; a refused one is not to be sent again."""
    reasons = {one.index: one.message for one in refused}
    results = {}
    for index, event in enumerate(envelope.events):
        uuid = event.message_id if isinstance(event, Event) else event.uuid if isinstance(event, Named) else None
        dropped = {"result": "drop", "details": reasons[index]} if index in reasons else None
        if uuid is not None:
            results[str(uuid)] = dropped or {"result": "ok"}
    return _encode({"results": results})


def _config(_body: bytes, request: Request, known: Callable[[str], bool]) -> Reply:
    """What the browser's SDK asks for before anything else, as JSON or as a script."""
    found = _CONFIG.fullmatch(request.path)
    key = unquote(found[1]) if found else ""
    if not known(key):
        raise _unknown()
    if not (found and found[2]):
        return Reply(200, _encode(_FEATURES))
    config, configs = _encode({"config": _FEATURES, "siteApps": []}), b"window._POSTHOG_REMOTE_CONFIG"
    script = b"(%s=%s||{})[%s]=%s;\n" % (configs, configs, _encode(key), config)
    return Reply(200, script, b"application/javascript; charset=utf-8")


def _flags(body: bytes, request: Request, known: Callable[[str], bool]) -> Reply:
    """No flags; and the configuration, which SDKs asked for here before it had a path of its own."""
    try:
        given = _given(body) if body else {}
    except FAULTS as fault:
        raise malformed(fault) from None
    keys = given.get("api_key"), given.get("token"), request.query.get("api_key"), request.query.get("token")
    if not any(isinstance(key, str) and known(key) for key in keys):
        raise _unknown()
    return Reply(200, _encode(_FLAGS | _FEATURES))


def _unknown() -> Unreadable:
    return Unreadable(401, "unknown_key", "The project key is not known here, or was revoked: check it.", "api_key")


#: Browsers send again what is answered 503, and drop it after a 429.
_takes = partial(Takes, too_fast=503)
_EVENTS = _takes(read, _counted)
_ASKED = Answers(_flags, ("POST", "GET"))
_SEEN = Answers(lambda _body, _request, _known: Reply(200, b'{"status":1}'), ("POST",))
ROUTES: dict[str, Takes | Answers] = dict.fromkeys(
    ("/e", "/i/v0/e", "/batch", "/capture", "/track", "/i/v0/ai/batch"), _EVENTS
)
ROUTES |= {"/engage": _takes(read_person, _counted), "/i/v1/analytics/events": _takes(read, _by_uuid)}
ROUTES |= {"/flags": _ASKED, "/decide": _ASKED, "/s": _SEEN}


def route(path: str) -> Takes | Answers | None:
    """What a path means to PostHog's SDKs."""
    return ROUTES.get(path) or (Answers(_config) if _CONFIG.fullmatch(path) else None)


PROTOCOL = Protocol("posthog", route, (*ROUTES, "/array/{key}/config", "/array/{key}/config.js"))
