"""Segment's HTTP tracking API: a body becomes events, and nothing more is done to them here.

A batch is decoded as a whole. Only when that fails is it taken apart, so that one event that cannot be read is refused
alone. Free-form parts stay bytes and are looked at when an event is decided on.
"""

import re
from typing import Any, NamedTuple

import msgspec

from services.ingest.protocols.repair import DEEP, DEPTH, HALF, repaired
from services.ingest.refusals import Refused, Unreadable
from shared.events import EMPTY

Raw = msgspec.Raw
Identifier = str | int | float | None


class Event(msgspec.Struct, gc=False, rename="camel"):
    """An event as sent; times and identifiers are not looked at yet."""

    type: str | None = None
    message_id: Identifier = None
    user_id: Identifier = None
    anonymous_id: Identifier = None
    previous_id: Identifier = None
    group_id: Identifier = None
    event: str | None = None
    name: str | None = None
    timestamp: str | None = None
    original_timestamp: str | None = None
    sent_at: str | None = None
    received_at: Any = None
    write_key: Any = None
    properties: Raw = EMPTY
    traits: Raw = EMPTY
    context: Raw = EMPTY


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


class Envelope(NamedTuple):
    """What came in one request; an event that cannot be read is its refusal."""

    events: "list[Event | Refused] | list[Event]"
    key: str | None = None
    sent_at: str | None = None
    context: Raw = EMPTY


#: What decoding hostile bytes may raise.
FAULTS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_batch = msgspec.json.Decoder(Batch).decode
_parts = msgspec.json.Decoder(_Parts).decode
_event = msgspec.json.Decoder(Event).decode
_raw = msgspec.json.Decoder(Raw).decode


def many(body: bytes, most: int) -> Envelope:
    """The events of a batch. Raises Unreadable if it is not one, or holds more than `most` events."""
    try:
        batch = _batch(body)
    except FAULTS:
        return _taken_apart(body, most)
    _check_count(len(batch.batch), most)
    return Envelope(batch.batch, batch.write_key, batch.sent_at, batch.context)


def one(body: bytes) -> Envelope:
    """A body that is one event. Raises Unreadable if it is not JSON."""
    try:
        event = _event(body)
    except FAULTS:
        fixed = repaired(body, 1)
        try:
            _raw(fixed)
        except FAULTS as fault:
            raise _malformed(fault) from None
        event_or_fault = _careful(fixed)
        key = None if isinstance(event_or_fault, Refused) else _text(event_or_fault.write_key)
        return Envelope([event_or_fault], key)
    return Envelope([event], _text(event.write_key))


def read_event(raw: bytes) -> Event:
    """One event from its own bytes. Raises Refused."""
    try:
        event = _event(raw)
    except FAULTS:
        result = _careful(repaired(raw, 1))
        if isinstance(result, Refused):
            raise result from None
        return result
    return event


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise Unreadable(400, "too_many_events", f"The batch holds {count} events: send fewer at a time.", "batch")


def _taken_apart(body: bytes, most: int) -> Envelope:
    try:
        parts = _parts(repaired(body, 3))
    except msgspec.ValidationError as fault:
        refused = wrong_type(fault)
        raise Unreadable(400, "invalid_batch", str(refused), refused.field) from None
    except FAULTS as fault:
        raise _malformed(fault) from None
    _check_count(len(parts.batch), most)
    return Envelope([_careful(bytes(raw)) for raw in parts.batch], _text(parts.write_key), parts.sent_at, parts.context)


def _careful(raw: bytes) -> Event | Refused:
    """An event, or exactly what is wrong with it."""
    if HALF in raw:
        return Refused("invalid_json", "", "The event has half of a surrogate pair: send whole characters.")
    if DEEP in raw:
        return too_deep()
    try:
        return _event(raw)
    except FAULTS as fault:
        return unfit(fault)


def unfit(fault: Exception, field: str = "") -> Refused:
    """What is wrong with an event, or this part of one, that cannot be decoded."""
    if isinstance(fault, msgspec.ValidationError):
        return wrong_type(fault, field)
    if isinstance(fault, UnicodeDecodeError):
        return Refused("invalid_utf8", field, f"{field or 'The event'} has bytes that are not UTF-8.")
    if isinstance(fault, RecursionError):
        return too_deep(field)
    return Refused("invalid_json", field, f"{field or 'The event'} is not valid JSON: {fault}.")


def too_deep(field: str = "") -> Refused:
    """Refuses an event for its depth."""
    return Refused("too_deep", field, f"The event is nested deeper than {DEPTH} levels.")


def _malformed(fault: Exception) -> Unreadable:
    if isinstance(fault, UnicodeDecodeError):
        return Unreadable(400, "invalid_utf8", "The body has bytes that are not UTF-8.")
    return Unreadable(400, "invalid_json", f"The body cannot be read: {fault}.")


def wrong_type(fault: msgspec.ValidationError, within: str = "") -> Refused:
    """What msgspec says of it, `Expected `str | null`, got `int` - at `$.event``, in a person's words."""
    found = re.fullmatch(r"Expected `([^`]+)`, got `([^`]+)`(?: - at `\$\.?([^`]*)`)?", str(fault))
    if found is None:  # a number out of range, or a field that is missing
        return Refused("invalid_value", within, f"The event cannot be kept: {fault}.")
    expected, got, field = found[1], found[2], found[3] or within
    wanted = next(words for name, words in _WANTED.items() if name in expected)
    return Refused("invalid_type", field, f"{field or 'It'} must be {wanted}, not {_GOT.get(got, got)}.")


#: The first that is among the types expected.
_WANTED = {"str": "text", "object": "an object", "array": "a list", "": "something else"}
_GOT = {"int": "a number", "float": "a number", "bool": "true or false", "array": "a list", "object": "an object"}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
