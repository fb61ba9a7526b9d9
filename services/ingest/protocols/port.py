"""What a protocol is to the front door: paths, and how the bodies sent to them become events.

A protocol decodes and nothing else; whether an event is taken is `services.ingest.accept`'s to say, for all protocols
alike. To add one: a room beside this one with a `PROTOCOL`, and its name in `services.ingest.protocols.all`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from services.ingest.body import Scope
from services.ingest.refusals import Refusal, Refused
from shared.events import EMPTY

Raw = msgspec.Raw
Identifier = str | int | float | None


class Event(msgspec.Struct, gc=False, rename="camel"):
    """An event as sent, under Segment's names; times and identifiers are not looked at yet, free parts are bytes."""

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


class Request:
    """What a protocol may need of a request beside its body; each part is made of the ASGI scope when it is asked for.

    `path` is without the owner's prefix and without a slash at its end.
    """

    def __init__(self, scope: Scope, path: str, base: Callable[[Scope], str]) -> None:
        self.path = path
        self._scope, self._base = scope, base

    @property
    def method(self) -> str:
        """GET, POST, …"""
        method: str = self._scope["method"]
        return method

    @cached_property
    def headers(self) -> Mapping[bytes, bytes]:
        """Names are in lower case."""
        return dict(self._scope["headers"])

    @cached_property
    def query(self) -> Mapping[str, str]:
        """Each name's first value."""
        pairs = parse_qsl(self._scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        return dict(reversed(pairs))

    @property
    def base(self) -> str:
        """The address that the site reaches us at, the owner's prefix included, without a slash at its end."""
        return self._base(self._scope)


class Envelope(NamedTuple):
    """What came in one request. An event that cannot be read is its refusal.

    `key` is the write key that the body or the path names, which counts after one in the headers; `sent_at` is when
    all of it was sent; `context` is merged into each event's own.
    """

    events: "Sequence[Event | Refused]"
    key: str | None = None
    sent_at: str | None = None
    context: Raw = EMPTY


class Takes(NamedTuple):
    """A path that takes events.

    `read(body, request, most)` decodes a body, which is out of its wrappings already (`services.ingest.body.plain`) and
    not empty; that of a GET is what its query has as `data`. It raises Unreadable where nothing can be taken or there
    are more than `most` events. `answer(envelope, accepted,
    refused)` is the body of the 200 that the SDK understands; None: ours. What is refused as a whole gets our 4xx.
    `too_fast` is the status for a key that sends too fast, after which the SDK sends again.
    """

    read: Callable[[bytes, Request, int], Envelope]
    answer: Callable[[Envelope, int, Sequence[Refusal]], bytes] | None = None
    methods: tuple[str, ...] = ("POST",)
    content_type: bytes = b"application/json"
    too_fast: int = 429


class Reply(NamedTuple):
    """What a path that takes no events answers."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"


class Answers(NamedTuple):
    """A path that an SDK asks (its configuration, flags, its own metrics): nothing is stored.

    `reply(body, request, known)`: `known(key)` tells whether a write key may send here; it may raise Unreadable. The
    body of a GET is empty.
    """

    reply: Callable[[bytes, Request, Callable[[str], bool]], Reply]
    methods: tuple[str, ...] = ("GET",)


class Protocol(NamedTuple):
    """`route(path)` is what a path (without a slash at its end) means to it, None where it is not this protocol's.

    `paths` are all that it knows, as the OpenAPI document names them: `/v1/pixel/{method}`; of paths that differ in a
    slash at their end, or in parts that do not matter, one.
    """

    name: str
    route: Callable[[str], Takes | Answers | None]
    paths: tuple[str, ...]
