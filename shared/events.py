"""The record: one accepted event as it lies on the log, immutable and never re-keyed.

Ingest makes records, the stager reads them; this is all the two must agree on. On the log a record is one JSON
object under the names given here, so that any Kafka tool can read it. Fields are only ever added, with a default.
"""

from collections.abc import Sequence

import msgspec

EMPTY = msgspec.Raw(b"{}")

#: One second and one day in the unit of every time in the system: microseconds since 1970-01-01 UTC.
SECOND = 1_000_000
DAY = 86_400 * SECOND

#: What a sender's touchpoints can be.
TYPES = ("track", "identify", "page", "screen", "group", "alias")

#: What Milepost alone writes: a customer was set in a stage by hand (`shared.placement`).
PLACEMENT = "placement"


class Seen(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What the door saw beside what was sent: whether a bot did it, from which address, and where that is.

    `ip` is the request's, as far as it may be kept; `agent` and `locale` are the request's where the event's context
    has none. What the context says of the same is not repeated here.
    """

    bot: bool = False
    ip: str | None = None
    agent: str | None = None
    locale: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None


class Record(
    msgspec.Struct,
    frozen=True,
    gc=False,
    omit_defaults=True,
    rename={
        "id": "messageId",
        "user": "userId",
        "anonymous": "anonymousId",
        "previous": "previousId",
        "group": "groupId",
        "received": "receivedAt",
    },
):
    """An accepted event.

    `id` is the SDK's message id (under 100 characters); `at` the corrected time and `received` the received time,
    both in microseconds; `project` the number of the project that its write key belongs to, and `key` that key's
    number. `properties`, `traits` and `context` are JSON objects, byte for byte as sent but for what privacy settings
    take out of them. What is `excluded` is kept and counts for nothing (semantics 44). A `guarded` alias joins no
    users, because it came with a browser key (semantics 42).
    """

    project: int
    id: str
    type: str
    at: int
    received: int
    user: str | None = None
    anonymous: str | None = None
    previous: str | None = None
    group: str | None = None
    name: str | None = None
    properties: msgspec.Raw = EMPTY
    traits: msgspec.Raw = EMPTY
    context: msgspec.Raw = EMPTY
    key: int = 0
    clamped: bool = False
    imported: bool = False
    guarded: bool = False

    excluded: bool = False
    seen: Seen | None = None

    @property
    def source(self) -> str:
        """The identifier that it was sent with, which keys it on the log: the user id, else the anonymous id."""
        return self.user or self.anonymous or ""


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Record).decode


class Undecodable(ValueError):
    """A log value that is not a record of ours; the text says why. It becomes a dead letter."""


def read(value: bytes) -> Record:
    """The record in a log value. Raises Undecodable: ingest makes none such, but others may write to the log."""
    try:
        record = decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable(str(error)) from None
    source = record.user or record.anonymous
    if not source:
        raise Undecodable("it has neither a userId nor an anonymousId")
    if record.type not in TYPES and record.type != PLACEMENT:
        raise Undecodable(f"its type {record.type[:50]!r} is none of {', '.join(TYPES)}")
    if not (0 < record.project < 1 << 31 and -_FAR < record.at < _FAR and 0 <= record.received < _FAR):
        raise Undecodable("its project or one of its times is out of range")
    if _ESCAPE in value and _unkept(f"{record.id}{record.user}{record.anonymous}{record.previous}"):
        raise Undecodable("its id or an identifier has a NUL or half a surrogate pair, which no store keeps")
    return record


def _unkept(text: str) -> bool:
    return any(one == "\0" or "\ud800" <= one <= "\udfff" for one in text)


#: JSON has no other way to write a NUL or half a pair.
_ESCAPE = ord("\\")

#: No time lies further from 1970 than this: some 36,000 years.
_FAR = 1 << 60

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[tuple[int, bytes]]).decode


def pack(staged: Sequence[tuple[int, bytes]]) -> bytes:
    """The body of a history row: (recorded time, log value) of each touchpoint that the row holds."""
    return _pack(staged)


def unpack(body: bytes) -> list[tuple[int, Record]]:
    """(recorded time, record) of each touchpoint in a history row's body, in the order in which they were staged."""
    return [(recorded, decode(value)) for recorded, value in _unpack(body)]
