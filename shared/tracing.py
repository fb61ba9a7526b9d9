"""Traces, for whoever asks for them: what took how long, as OpenTelemetry's protocol writes it in JSON (OTLP).

A tracer only keeps what is recorded until somebody takes it to send it. Where traces are off there is none, and nothing
is wrapped. The protocol is small and settled; its SDK would bring a dozen packages to say the same.
"""

import re
import secrets
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

#: Kinds of spans: work of our own, and the answer to somebody's request.
INTERNAL, SERVER = 1, 2
#: Most spans that wait to be sent; the oldest are dropped for newer ones.
WAITING = 2048

_FAILED = {"code": 2}

Value = str | int


class Parent(NamedTuple):
    """The span of a caller that a span is part of, by their ids in hexadecimal."""

    trace: str
    span: str


class Span(NamedTuple):
    """What took how long; `began` and `ended` in nanoseconds since the epoch. Without a parent it begins a trace."""

    name: str
    began: int
    ended: int
    attributes: Mapping[str, Value] = {}
    kind: int = INTERNAL
    parent: Parent | None = None
    failed: bool = False


class Tracer:
    """Keeps spans until they are taken; made where traces are on, for one process of this name."""

    def __init__(self, service: str, version: str) -> None:
        self._resource = {"service.name": service, "service.version": version}
        self._waiting: deque[Span] = deque(maxlen=WAITING)

    def record(self, span: Span) -> None:
        """Keeps a span to be sent."""
        self._waiting.append(span)

    def take(self) -> dict[str, Any] | None:
        """All that wait, as the body of one request to a collector; None if there are none."""
        if not self._waiting:
            return None
        spans = [_told(span) for span in self._waiting]
        self._waiting.clear()
        scope = {"scope": {"name": "milepost"}, "spans": spans}
        return {"resourceSpans": [{"resource": {"attributes": _listed(self._resource.items())}, "scopeSpans": [scope]}]}


def parent_of(header: bytes | None) -> Parent | None:
    """The caller's span, of a W3C `traceparent` header; None if there is none that can be read."""
    found = re.fullmatch(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}", header or b"")
    if found is None or not (int(found[1], 16) and int(found[2], 16)):
        return None
    return Parent(found[1].decode(), found[2].decode())


def _told(span: Span) -> dict[str, Any]:
    told = {
        "traceId": span.parent.trace if span.parent else secrets.token_hex(16),
        "spanId": secrets.token_hex(8),
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.began),
        "endTimeUnixNano": str(span.ended),
        "attributes": _listed(span.attributes.items()),
        "status": _FAILED if span.failed else {},
    }
    return told | ({"parentSpanId": span.parent.span} if span.parent else {})


def _listed(attributes: Iterable[tuple[str, Value]]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in attributes
    ]
