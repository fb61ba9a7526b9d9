"""Lines of an import: their own times, and ids that make importing again change nothing."""

import json
from typing import Any

import pytest

from services.ingest.accept import accept_line
from services.ingest.refusals import Refusal
from shared.events import DAY, Record
from tests.support.front import NOW
from tests.unit.ingest.test_cases import micros

EVENT = {"type": "track", "messageId": "m", "userId": "u", "event": "A"}


def line(**fields: object) -> Record | Refusal:
    """The outcome of a line with these fields, imported at NOW into project 3 with key 9."""
    return accept_line(json.dumps(EVENT | fields).encode(), 3, 9, NOW)


def taken(**fields: object) -> Record:
    """The same, which must be accepted."""
    record = line(**fields)
    assert isinstance(record, Record), record
    return record


def test_a_line_is_marked_as_imported() -> None:
    """With its project and key."""
    record = taken(timestamp="2026-01-01T00:00:00Z")
    assert (record.project, record.key, record.imported, record.id) == (3, 9, True, "m")


@pytest.mark.parametrize(
    ("times", "at", "received"),
    [
        ({"timestamp": "2025-05-01T10:00:00Z"}, "2025-05-01T10:00:00Z", "2025-05-01T10:00:00Z"),
        ({"originalTimestamp": "2025-05-01T10:00:00Z"}, "2025-05-01T10:00:00Z", "2025-05-01T10:00:00Z"),
        (
            {"timestamp": "2025-05-01T10:00:00Z", "receivedAt": "2025-05-01T10:00:05Z"},
            "2025-05-01T10:00:00Z",
            "2025-05-01T10:00:05Z",
        ),
        (
            {
                "timestamp": "2025-05-01T10:00:00Z",
                "sentAt": "2025-05-01T09:00:00Z",
                "receivedAt": "2025-05-01T10:00:05Z",
            },
            "2025-05-01T10:00:00Z",
            "2025-05-01T10:00:05Z",
        ),
        (
            {
                "timestamp": "2025-05-01T10:00:00Z",
                "originalTimestamp": "2025-05-01T08:59:58Z",
                "sentAt": "2025-05-01T09:00:00Z",
                "receivedAt": "2025-05-01T10:00:05Z",
            },
            "2025-05-01T10:00:03Z",
            "2025-05-01T10:00:05Z",
        ),
        ({"receivedAt": "2025-05-01T10:00:05Z"}, "2025-05-01T10:00:05Z", "2025-05-01T10:00:05Z"),
    ],
)
def test_a_lines_own_times_are_believed(times: dict[str, Any], at: str, received: str) -> None:
    """timestamp as it is; the corrected time where all three others are there; received at its time otherwise."""
    record = taken(**times)
    assert (record.at, record.received) == (micros(at), micros(received))


def test_a_line_without_times_is_of_now() -> None:
    """Received and happened at the time of importing."""
    record = taken()
    assert (record.at, record.received) == (NOW, NOW)


def test_nothing_was_received_in_the_future() -> None:
    """A line from the future would drive the stager's clock ahead: it was received now, and is clamped."""
    record = taken(timestamp="2036-01-01T00:00:00Z", receivedAt="2036-01-01T00:00:00Z")
    assert (record.received, record.at, record.clamped) == (NOW, NOW + DAY, True)


def test_a_line_without_an_id_gets_the_same_one_again() -> None:
    """Made of its bytes, with a time or without."""
    for fields in ({}, {"timestamp": "2025-05-01T10:00:00Z"}):
        raw = json.dumps({"type": "page", "userId": "u"} | fields).encode()
        first, again = accept_line(raw, 1, 1, NOW), accept_line(raw, 1, 1, NOW + 5)
        assert isinstance(first, Record)
        assert isinstance(again, Record)
        assert first.id == again.id


@pytest.mark.parametrize(
    ("raw", "code", "field"),
    [
        (b"", "invalid_json", ""),
        (b"{", "invalid_json", ""),
        (b"[]", "invalid_type", ""),
        (b'{"type":"page"}', "missing_id", "userId"),
        (b'{"userId":"u"}', "missing_type", "type"),
        (b'{"type":"page","userId":"u","receivedAt":"soon"}', "invalid_timestamp", "receivedAt"),
        (b'{"type":"page","userId":"u","receivedAt":7}', "invalid_type", "receivedAt"),
        (b'{"type":"page","userId":"u","properties":{"x":"%s"}}' % (b"x" * 40_000), "event_too_large", ""),
        (b'{"type":"page","userId":"\xff"}', "invalid_utf8", ""),
        (b'{"type":"page","userId":"\\ud800"}', "invalid_json", ""),
        (b'{"type":"page","userId":"u","properties":' + b'{"a":' * 5000 + b"1" + b"}" * 5001, "too_deep", ""),
        (b"[" * 100_000, "invalid_type", ""),
    ],
)
def test_a_line_that_is_refused_says_why(raw: bytes, code: str, field: str) -> None:
    """The same codes as at the front door."""
    refusal = accept_line(raw, 3, 9, NOW)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.field, refusal.project, refusal.key) == (code, field, 3, 9)
    assert refusal.message
