"""Why an event or a whole request was not taken."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from services.ingest.protocols.repair import repaired

#: The index of a request of which nothing could be taken.
WHOLE = -1


class Refused(Exception):
    """An event that cannot be taken. `field` is where in it, `message` says what is wrong and what would be right."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code, self.field, self.message = code, field, message


class Unreadable(Refused):
    """A request of which nothing can be taken, and the status that it is answered with.

    `again` is in how many seconds it may be sent again, where that is known.
    """

    def __init__(self, status: int, code: str, message: str, field: str = "", again: int | None = None) -> None:
        super().__init__(code, field, message)
        self.status, self.again = status, again


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused event, to be kept: whose it was, when it was received (microseconds), its place in its request.

    `index` is WHOLE for a request of which nothing could be taken. `size` is that of the event, or of the request, in
    bytes, 0 if it is not known; `body` as much of it as is to be kept.
    """

    project: int
    key: int
    received: int
    index: int
    code: str
    field: str
    message: str
    size: int = 0
    body: bytes = b""


class Refusals(Protocol):
    """Where refused events are noted, for people to find; somebody else writes them down."""

    def note(self, refusal: Refusal) -> None:
        """Takes one, at once; a full sink may forget it (the counters never do)."""
        ...


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw]


#: The fields in which SDKs send a visitor's address; one that is cut off is looked for, too.
_ADDRESS = re.compile(rb'("(?:\$|request_)?ip"\s*:\s*)"[^"]*(?:"|\Z)')
LONGEST_ADDRESS = 64


_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_batch = msgspec.json.Decoder(_Batch).decode


def with_bodies(refused: Sequence[Refusal], body: bytes, events: int, most: int) -> Iterator[Refusal]:
    """The refused of a request's so many events, each with its size and its first `most` bytes as they were sent.

    Network addresses are left out: what may be kept of one is not decided on when an event is refused.
    """
    pieces = _pieces(body, events) if refused and events else []
    for refusal in refused:
        sent = pieces[refusal.index] if 0 <= refusal.index < len(pieces) else body
        yield replace(refusal, size=len(sent), body=_ADDRESS.sub(rb'\1""', sent[: most + LONGEST_ADDRESS])[:most])


def _pieces(body: bytes, events: int) -> Sequence[bytes]:
    """Each event by itself, whatever the protocol: they come as a list, or as one in `batch`. Else there are none.

    Where a broken one hides its neighbours it is mended, as it is before it is refused.
    """
    for text in (body, repaired(body.decode("utf-8", "replace").encode(), 3)):
        try:
            parts = _list(text) if text.lstrip()[:1] == b"[" else _batch(text).batch
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        return [bytes(part) for part in parts] if len(parts) == events else []
    return []
