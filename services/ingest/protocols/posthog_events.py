"""PostHog's events under Segment's names: whose an event is, of what type, when it was.

PostHog has one `distinct_id`, which is a device's until somebody identifies, and a user's afterwards; and it keeps in
an event's properties what Segment keeps in traits and context. Properties stay as sent, but for the write key.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeGuard
from uuid import uuid4

import msgspec

from services.ingest.protocols.port import Event, Identifier, Raw
from services.ingest.protocols.posthog_context import as_page, context_of
from services.ingest.protocols.posthog_shapes import Said, Sent
from services.ingest.protocols.reading import FAULTS, text, unfit
from services.ingest.refusals import Refused
from shared.events import EMPTY


class Sending(NamedTuple):
    """What a request says of all its events: its write key, when it was sent (ISO 8601), and by which library."""

    key: str | None
    sent_at: str | None
    library: str | None = None


#: What is not a name of the site's own, and means more than that something happened.
_TYPES = {
    "$pageview": "page",
    "$screen": "screen",
    "$identify": "identify",
    "$set": "identify",
    "$set_once": "identify",
    "$unset": "identify",
    "$groupidentify": "group",
    "$create_alias": "alias",
    "$merge_dangerously": "alias",
}
#: Libraries that run on somebody's device: there an id that nobody chose is the device's.
_ON_DEVICES = frozenset(
    ("web", "js", "posthog-react-native", "posthog-ios", "posthog-android", "posthog-flutter", "posthog-unity")
)
#: An id that a library made: a UUID, or what browsers made before these were used.
_MADE = re.compile(r"[0-9a-f]{8,16}(-[0-9a-f]{4,16}){4}", re.IGNORECASE)
#: The id of all whose visitors want no cookies; PostHog's server would tell them apart by address and browser.
_COOKIELESS = "$posthog_cookieless"
#: Nobody chose a page's title for a name, so it is none if it is too long for one.
_TITLE_BYTES = 512
#: An event that says only how long ago it was is told as that long before an instant; which one does not matter.
_THEN = datetime(2000, 1, 1, tzinfo=UTC)

_said = msgspec.json.Decoder(Said).decode
_parts = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


def to_event(sent: Sent, sending: Sending) -> Event:
    """The event under Segment's names. Raises Refused."""
    raw = _object(sent.properties)
    try:
        said = _said(raw)
    except FAULTS as fault:
        raise unfit(fault, "properties") from None
    options = sent.options if isinstance(sent.options, dict) else {}
    distinct = _first(sent.distinct_id, said.distinct_id)
    if distinct == _COOKIELESS:
        raise Refused("missing_id", "distinct_id", "It says of nobody: turn cookieless_mode off to count its visitors.")
    kind = _TYPES.get(sent.event or "", "track")
    event = Event(kind, _first(sent.uuid, said.insert_id))
    if _is_users(sent.event, distinct, said, options):
        event.user_id = distinct
    else:
        event.anonymous_id = distinct
    if kind == "track":
        event.event = sent.event
    elif kind == "page":
        event.name = text(said.name) or _short(text(said.title))
    elif kind == "screen":
        event.name = text(said.screen_name)
    elif kind == "identify":
        event.anonymous_id = _first(said.anon_distinct_id, event.anonymous_id)
    elif kind == "group":
        event.group_id = _first(said.group_key)
    else:
        event.user_id, event.previous_id = _two(sent.event, distinct, _first(said.alias))
        event.anonymous_id = None
    _clock(event, sent, said, options, sending)
    event.properties = _properties(raw, kind, sent, said, sending.key)
    event.traits = _object(said.group_set) if kind == "group" else _traits(raw, sent, said)
    event.context = context_of(said, sending.library, _entries(_object(sent.context), "context"))
    return event


def _is_users(name: str | None, distinct: Identifier, said: Said, options: dict[str, Any]) -> bool:
    """Whether a distinct id is a user's, and not a device's; what says so most plainly is asked first."""
    if name == "$identify":
        return True
    if name == "$groupidentify" and distinct == f"${said.group_type}_{said.group_key}":
        return False  # a server's SDK that was told of no user
    if isinstance(said.is_identified, bool):
        return said.is_identified
    if said.process_person_profile is False or options.get("process_person_profile") is False:
        return False
    if said.is_server is True or said.user_id:
        return True
    if said.device_id:
        return False
    return said.lib not in _ON_DEVICES or not _made(distinct)


def _two(name: str | None, distinct: Identifier, alias: Identifier) -> tuple[Identifier, Identifier]:
    """The two ids of an alias: the user's, and the one from before. SDKs document `alias` as either of them."""
    if name == "$merge_dangerously" or (_made(alias) and not _made(distinct)):
        return distinct, alias
    return alias, distinct


def _clock(event: Event, sent: Sent, said: Said, options: dict[str, Any], sending: Sending) -> None:
    """When it happened and was sent, by the sender's clock."""
    event.sent_at = sending.sent_at
    if sent.timestamp:
        event.timestamp = sent.timestamp
        if said.ignore_sent_at is True or options.get("disable_skew_correction") is True:
            event.sent_at = None
    elif sending.sent_at and (moment := _moment(said.time)):
        event.timestamp = moment
    elif ago := _ago(sent.offset):
        event.timestamp, event.sent_at = ago, _THEN.isoformat()
        event.message_id = _first(event.message_id, str(uuid4()))  # its bytes do not tell it from others


def in_milliseconds(digits: str) -> str | None:
    """ISO 8601 of milliseconds since 1970, as an address has them; None where they are no time."""
    return _moment(int(digits) / 1000) if digits.isascii() and digits.isdecimal() and len(digits) < 16 else None


def _moment(seconds: object) -> str | None:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat() if _is_number(seconds) else None
    except (ValueError, OverflowError, OSError):
        return None


def _ago(milliseconds: object) -> str | None:
    try:
        return (_THEN - timedelta(milliseconds=milliseconds)).isoformat() if _is_number(milliseconds) else None
    except (ValueError, OverflowError):
        return None


def _properties(raw: Raw, kind: str, sent: Sent, said: Said, key: str | None) -> Raw:
    """The properties with what was sent beside them, without the write key (of which we keep only a hash), and of a
    page with what Segment's have."""
    beside = {"$session_id": text(sent.session_id), "$window_id": text(sent.window_id)}
    more = {name: Raw(_encode(value)) for name, value in beside.items() if value}
    if (once := _object(sent.set_once)) is not EMPTY:
        more["$set_once"] = once
    if kind == "page":
        more |= as_page(said)
    keys = [name for name, value in (("token", said.token), ("api_key", said.api_key)) if key and value == key]
    if not more and not keys:
        return raw
    own = _entries(raw, "properties")
    for name in keys:
        del own[name]
    return Raw(_encode(more | own))


def _traits(raw: Raw, sent: Sent, said: Said) -> Raw:
    """What an event says of its person.

    Of what is to be set once, that is what the site itself says: SDKs add how the visit began, under names that begin
    with $ or are also those of properties, and a later visit's would win.
    """
    given = [found for found in (_object(said.set), _object(sent.set)) if found != EMPTY]
    once = [found for found in (_object(said.set_once), _object(sent.set_once)) if found != EMPTY]
    unset = [name for name in said.unset if isinstance(name, str)] if isinstance(said.unset, list) else []
    if not once and not unset:
        if not given:
            return EMPTY
        if len(given) == 1:
            return given[0]
    traits: dict[str, Raw] = {}
    if once:
        properties = _entries(raw, "properties")
        for found in once:
            entries = _entries(found, "$set_once").items()
            traits |= {name: value for name, value in entries if name[:1] != "$" and name not in properties}
    for found in given:
        traits |= _entries(found, "$set")
    return Raw(_encode(traits | dict.fromkeys(unset, Raw(b"null"))))


def _entries(raw: Raw, field: str) -> dict[str, Raw]:
    try:
        return {} if raw == EMPTY else _parts(raw)
    except FAULTS as fault:
        raise unfit(fault, field) from None


def _object(raw: Raw) -> Raw:
    """PHP writes an empty object as an empty list; null is one, too."""
    return EMPTY if len(raw) <= 4 and bytes(raw) in (b"{}", b"[]", b"null") else raw


def _first(*given: Any) -> Identifier:
    """The first that can be an identifier."""
    return next((one for one in given if type(one) in (str, int, float) and one != ""), None)


def _made(value: Identifier) -> bool:
    return isinstance(value, str) and _MADE.fullmatch(value) is not None


def _is_number(value: object) -> TypeGuard[float]:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]  # it is one by then


def _short(title: str | None) -> str | None:
    return title if title and len(title.encode()) <= _TITLE_BYTES else None
