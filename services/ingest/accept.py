"""What is taken and what is refused: an event as sent becomes a record, or a reason.

Numbers given as identifiers become text; what is empty counts as absent. Everything else that is wrong is refused.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from services.ingest.door import NOBODY, Door, Visitor
from services.ingest.naming import MESSAGE_ID_CHARACTERS, SHORT, identifier, message_id_of, name_of, of_nobody
from services.ingest.protocols.port import Event
from services.ingest.protocols.reading import FAULTS, read_event, too_deep, unfit
from services.ingest.protocols.repair import DEPTH, depth, from_cesu8
from services.ingest.refusals import Refusal, Refused
from services.ingest.times import FIRST, corrected, instant
from shared.events import EMPTY, TYPES, Record, encode
from shared.log.port import Entry

Raw = msgspec.Raw

#: A free-form part of up to so many bytes cannot be too deep, as each level takes two brackets.
FLAT = 2 * DEPTH
#: How JSON writes NUL, and what to look for first, since one byte is found much faster than six.
NUL, BACKSLASH = rb"\u0000", ord("\\")
_KINDS = frozenset(TYPES)
#: What is told by a part that is empty.
UNTOLD: Mapping[str, Any] = {}


class _Context(msgspec.Struct):
    """What is looked at in a context."""

    traits: Raw = EMPTY


_context = msgspec.json.Decoder(_Context).decode
_decode = msgspec.json.Decoder(dict[str, Any] | None).decode
_entries = msgspec.json.Decoder(dict[str, Raw] | None).decode


class Arrival(NamedTuple):
    """What the events of one request have in common; times are in microseconds.

    `sent` is when the whole request was sent; `context` is merged into each event's own. `door` has the rules for
    every event (None: none), `visitor` is who sent the request. `guarded` aliases join no users.
    """

    project: int
    key: int
    received: int
    event_bytes: int
    sent: int | None = None
    context: dict[str, Raw] | None = None
    imported: bool = False
    door: Door | None = None
    visitor: Visitor = NOBODY
    guarded: bool = False


def accept(event: Event, arrival: Arrival) -> Entry:
    """The event's record as it goes to the log. Raises Refused."""
    record = to_record(event, arrival)
    value = encode(record)
    if len(value) > arrival.event_bytes or BACKSLASH in value:
        value = finished(record, arrival.event_bytes)
    # As Entry(…), which is a function of its own in Python and takes three times as long.
    return tuple.__new__(Entry, ((record.user or record.anonymous or "").encode(), value))


def accept_line(
    raw: bytes, project: int, key: int, now: int, event_bytes: int = 32 << 10, door: Door | None = None
) -> Record | Refusal:
    """One line of an import; `now` is the time of importing, in microseconds.

    The line says itself when it was received: at `receivedAt`, else at its own time, but not after `now`. Its
    `timestamp` is taken as it is, unless `originalTimestamp`, `sentAt` and `receivedAt` tell the corrected one. A line
    without a message id gets one made of its bytes, so that importing it again changes nothing.
    """
    arrival = Arrival(project, key, now, event_bytes, imported=True, door=door)
    try:
        event = read_event(raw)
        received = None if event.received_at is None else instant(_text(event.received_at), "receivedAt")
        if event.original_timestamp is None or event.sent_at is None or received is None:
            event.sent_at = None
            event.timestamp = event.timestamp or event.original_timestamp
        else:
            event.timestamp = event.original_timestamp
        if received is None and event.timestamp is not None:
            received = instant(event.timestamp, "timestamp")
        if event.message_id is None or event.message_id == "":
            event.message_id = blake2b(raw, digest_size=16).hexdigest()
        arrival = arrival._replace(received=now if received is None else min(received, now))
        record = to_record(event, arrival)
        finished(record, event_bytes)
    except Refused as refused:
        return Refusal(project, key, now, 0, refused.code, refused.field, str(refused))
    return record


def to_record(event: Event, arrival: Arrival) -> Record:
    """The record of an event, not `finished` yet. Raises Refused.

    Written so that the usual event calls little: the helpers see what is out of the ordinary.
    """
    project, key, received, _, sent, common, imported, door, visitor, guarded = arrival
    kind = event.type
    if kind not in _KINDS:
        raise _unknown_type(kind)
    user, anonymous, previous, group, name = event.user_id, event.anonymous_id, None, None, None
    if user is not None and (type(user) is not str or not 0 < len(user) <= SHORT):
        user = identifier(user, "userId")
    if anonymous is not None and (type(anonymous) is not str or not 0 < len(anonymous) <= SHORT):
        anonymous = identifier(anonymous, "anonymousId")
    if door is not None:
        never = door.never
        if user in never:
            user = None
        if anonymous in never:
            anonymous = None
    if user is None and anonymous is None:
        raise of_nobody(event)
    if kind == "track":
        name = event.event
        if not name or len(name) > SHORT or name.isspace():
            name = name_of(name, "event")
            if name is None:
                raise Refused("missing_event", "event", "A track event needs a name: send it as event.")
    elif kind == "page" or kind == "screen":
        name = name_of(event.name, "name")
    elif kind == "alias":
        previous = identifier(event.previous_id, "previousId")
        if previous is None or user is None or (door is not None and previous in door.never):
            field = "userId" if previous and user is None else "previousId"
            raise Refused("missing_id", field, "An alias needs both previousId and userId: send the two that are one.")
    elif kind == "group":
        group = identifier(event.group_id, "groupId")
    message_id = event.message_id
    if type(message_id) is not str or not 0 < len(message_id) <= MESSAGE_ID_CHARACTERS:
        message_id = message_id_of(event)
    said = event.timestamp or event.original_timestamp
    at, clamped = received, False
    if said:
        if event.sent_at:
            sent = instant(event.sent_at, "sentAt")
        at = instant(said, "timestamp")
        if sent is not None or not FIRST <= at <= received:
            at, clamped = corrected(at, sent, received)
    properties, traits, context = event.properties, event.traits, event.context
    if common:
        context = _merged(common, context)
    told = UNTOLD
    # They are decoded once so that whoever reads them later can, too; null is an empty one.
    try:
        if properties is not EMPTY and _decode(properties) is None:
            properties = EMPTY
        if traits is not EMPTY and _decode(traits) is None:
            traits = EMPTY
        if context is not EMPTY:
            found = _decode(context)
            context, told = (EMPTY, UNTOLD) if found is None else (context, found)
    except FAULTS:
        properties, _ = _mended(properties, "properties")
        traits, _ = _mended(traits, "traits")
        context, told = _mended(context, "context")
    if len(properties) > FLAT or len(traits) > FLAT or len(context) > FLAT:
        _check_depth(properties, traits, context)
    excluded, seen = False, None
    if door is not None:
        if door.privacy is not None:
            properties, traits, context = door.privacy.apply(properties, traits, context)
            told = _decode(context) or UNTOLD
        properties, context, excluded, seen = door.marks(properties, context, told, visitor)
    if kind == "identify" and traits is EMPTY and context is not EMPTY:
        traits = _traits_in(context)
    return Record(
        project,
        message_id,
        kind,
        at,
        received,
        user,
        anonymous,
        previous,
        group,
        name,
        properties,
        traits,
        context,
        key,
        clamped,
        imported,
        guarded and kind == "alias",
        excluded,
        seen,
    )


def finished(record: Record, limit: int) -> bytes:
    """The record as a value of the log. Raises Refused if it is too large, or names somebody or something with a NUL,
    which databases cannot keep as text."""
    value = encode(record)
    if len(value) > limit:
        raise Refused("event_too_large", "", f"The event has {len(value)} bytes, more than {limit}: send less in it.")
    if BACKSLASH in value and NUL in value:
        named = {
            "messageId": record.id,
            "userId": record.user,
            "anonymousId": record.anonymous,
            "previousId": record.previous,
            "groupId": record.group,
            "event" if record.type == "track" else "name": record.name,
        }
        for field, text in named.items():
            if text and "\0" in text:
                raise Refused("invalid_text", field, f"{field} has a NUL character: send it without.")
    return value


def _unknown_type(kind: str | None) -> Refused:
    if kind:
        return Refused("unknown_type", "type", f"type must be one of {', '.join(TYPES)}.")
    return Refused("missing_type", "type", f"type is missing: send one of {', '.join(TYPES)}.")


def _mended(value: Raw, field: str) -> tuple[Raw, Mapping[str, Any]]:
    """A free-form part and what is in it, out of CESU-8 if that is what it was. Raises Refused."""
    try:
        told = _decode(value)
    except FAULTS as fault:
        if (mended := from_cesu8(bytes(value))) != bytes(value):
            return _mended(Raw(mended), field)
        raise unfit(fault, field) from None
    return (EMPTY, UNTOLD) if told is None else (value, told)


def _check_depth(properties: Raw, traits: Raw, context: Raw) -> None:
    """Raises Refused for the first part that nests too deeply: the event itself is one level more."""
    for part, field in ((properties, "properties"), (traits, "traits"), (context, "context")):
        if len(part) > FLAT and depth(bytes(part)) >= DEPTH:
            raise too_deep(field)


def _traits_in(context: Raw) -> Raw:
    """RudderStack's SDKs send the traits of an identify in its context, and only there."""
    found = _context(context).traits
    return found if bytes(found).startswith(b"{") else EMPTY


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Refused("invalid_type", "receivedAt", "receivedAt must be text.")
    return value


def _merged(common: dict[str, Raw], own: Raw) -> Raw:
    """The event's own entries win."""
    try:
        return Raw(msgspec.json.encode({**common, **(_entries(own) or {})}))
    except FAULTS as fault:
        raise unfit(fault, "context") from None
