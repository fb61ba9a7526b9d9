"""Traces as OpenTelemetry's protocol has them, and nothing of them where they are off."""

import re
from typing import Any

import pytest

from services.commands.tracing import Traces
from shared.settings import BadSettings, Settings, load
from shared.tracing import SERVER, WAITING, Parent, Span, Tracer, parent_of

HEADER = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers nothing."""


def test_off_is_no_wrapping_at_all() -> None:
    """Without a collector the apps are served as they are, the stager has no tracer, and nothing is sent."""
    traces = Traces(Settings(), "up")
    assert traces.tracer is None
    assert traces.events(app, lambda _: True) is app
    assert traces.questions(app) is app
    assert traces.tasks() == {}


def test_a_span_is_told_as_the_protocol_has_it() -> None:
    """Ids in hexadecimal, times as text in nanoseconds, attributes by type; a failure has a status."""
    tracer = Tracer("milepost-up", "1.2")
    tracer.record(Span("stage", 5, 9, {"milepost.records": 3}))
    tracer.record(Span("question", 6, 8, {"http.route": "/v1/x"}, SERVER, parent_of(HEADER), failed=True))
    body = tracer.take()
    assert body is not None
    (whole,) = body["resourceSpans"]
    names = {one["key"]: one["value"]["stringValue"] for one in whole["resource"]["attributes"]}
    assert names == {"service.name": "milepost-up", "service.version": "1.2"}
    first, second = whole["scopeSpans"][0]["spans"]
    assert re.fullmatch("[0-9a-f]{32}", first.pop("traceId"))
    assert re.fullmatch("[0-9a-f]{16}", first.pop("spanId"))
    assert first == {
        "name": "stage",
        "kind": 1,
        "startTimeUnixNano": "5",
        "endTimeUnixNano": "9",
        "attributes": [{"key": "milepost.records", "value": {"intValue": "3"}}],
        "status": {},
    }
    assert (second["traceId"], second["parentSpanId"]) == (HEADER[3:35].decode(), HEADER[36:52].decode())
    assert (second["kind"], second["status"]) == (2, {"code": 2})
    assert tracer.take() is None


def test_what_waits_is_bounded() -> None:
    """While the collector is away the newest spans are kept, so many and no more."""
    tracer = Tracer("milepost-up", "1.2")
    for number in range(WAITING + 10):
        tracer.record(Span("stage", number, number))
    body = tracer.take()
    assert body is not None
    spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert [spans[0]["startTimeUnixNano"], len(spans)] == ["10", WAITING]


@pytest.mark.parametrize("header", [None, b"", b"00-1-2-01", HEADER.upper(), b"00-" + b"0" * 32 + HEADER[35:]])
def test_a_parent_that_cannot_be_read_is_none(header: bytes | None) -> None:
    """A trace begins here where the caller says nothing that makes sense."""
    assert parent_of(header) is None


def test_a_parent_is_read() -> None:
    """A traceparent header names the caller's trace and span."""
    assert parent_of(HEADER) == Parent("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")


def test_a_collector_is_an_address() -> None:
    """The setting takes an address, with or without a slash at its end, and nothing else."""
    assert Settings(traces="http://127.0.0.1:4318/").traces == "http://127.0.0.1:4318"
    with pytest.raises(BadSettings, match="MILEPOST_TRACES=collector"):
        load(traces="collector")
