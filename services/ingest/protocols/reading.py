"""What all protocols share in reading: an event from its own bytes, and what is wrong with one that cannot be read."""

import re

import msgspec

from services.ingest.protocols.port import Event, Raw
from services.ingest.protocols.repair import DEEP, DEPTH, HALF, repaired
from services.ingest.refusals import Refused, Unreadable

#: What decoding hostile bytes may raise.
FAULTS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

#: One well-typed event, or anything that is JSON, which is not looked into. Raise FAULTS.
decode_event = msgspec.json.Decoder(Event).decode
decode_raw = msgspec.json.Decoder(Raw).decode


def read_event(raw: bytes) -> Event:
    """One event from its own bytes. Raises Refused."""
    try:
        event = decode_event(raw)
    except FAULTS:
        result = careful(repaired(raw, 1))
        if isinstance(result, Refused):
            raise result from None
        return result
    return event


def careful(raw: bytes) -> Event | Refused:
    """An event from bytes that were repaired, or exactly what is wrong with it."""
    if (marked := damage(raw)) is not None:
        return marked
    try:
        return decode_event(raw)
    except FAULTS as fault:
        return unfit(fault)


def damage(raw: bytes) -> Refused | None:
    """What was wrong with an event in which `repaired` left a mark."""
    if HALF in raw:
        return Refused("invalid_json", "", "The event has half of a surrogate pair: send whole characters.")
    return too_deep() if DEEP in raw else None


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


def malformed(fault: Exception) -> Unreadable:
    """Refuses a body that is not JSON as a whole, or not of the kind that belongs here."""
    if isinstance(fault, msgspec.ValidationError):
        refused = wrong_type(fault)
        return Unreadable(400, "invalid_batch", str(refused), refused.field)
    if isinstance(fault, UnicodeDecodeError):
        return Unreadable(400, "invalid_utf8", "The body has bytes that are not UTF-8.")
    return Unreadable(400, "invalid_json", f"The body cannot be read: {fault}.")


def check_count(count: int, most: int) -> None:
    """Raises Unreadable if a batch holds so many events that it is not decided on event by event."""
    if count > most:
        raise Unreadable(400, "too_many_events", f"The batch holds {count} events: send fewer at a time.", "batch")


def text(value: object) -> str | None:
    """The value if it is text."""
    return value if isinstance(value, str) else None


def wrong_type(fault: msgspec.ValidationError, within: str = "") -> Refused:
    """What msgspec says of it, `Expected `str | null`, got `int` - at `$.event``, in a person's words."""
    found = re.fullmatch(r"Expected `([^`]+)`, got `([^`]+)`(?: - at `\$\.?([^`]*)`)?", str(fault))
    if missing := re.search(r"missing required field `(\w+)`", str(fault)):
        return Refused("invalid_value", missing[1], f"{missing[1]} is missing: send it.")
    if found is None:
        beyond = re.search(r"out of range - at `\$\.?([^`]*)`", str(fault))
        if beyond is None:
            return Refused("invalid_value", within, f"The event cannot be kept: {fault}.")
        field = within or beyond[1]
        return Refused("invalid_value", field, f"{field or 'It'} has a number out of range: send a smaller one.")
    expected, got, field = found[1], found[2], found[3] or within
    wanted = next(words for name, words in _WANTED.items() if name in expected)
    return Refused("invalid_type", field, f"{field or 'It'} must be {wanted}, not {_GOT.get(got, got)}.")


#: The first that is among the types expected.
_WANTED = {"str": "text", "object": "an object", "array": "a list", "": "something else"}
_GOT = {
    "str": "text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}
