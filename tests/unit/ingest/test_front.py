"""The front door as a whole: keys, sizes, paths, CORS, an unavailable log, counters."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.ingest.protocols.repair import DEPTH
from shared.log.port import Entry, Log, LogUnavailable
from shared.settings import Settings
from tests.support.front import KEY, NOW, Front, Noted, front, ingest_app

PAGE: dict[str, Any] = {"type": "page", "messageId": "m", "anonymousId": "a"}
ORIGIN = (b"origin", b"https://shop.example")
NO_KEY = (b"authorization", b"")


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Front]:
    """The app over an empty log."""
    async with front(tmp_path) as made:
        yield made


def basic(key: str) -> tuple[bytes, bytes]:
    """A Basic header with the key as user name."""
    return b"authorization", b"Basic " + b64encode(f"{key}:".encode())


# --- Keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "in_body"),
    [
        (basic(KEY), None),
        ((b"authorization", f"Bearer {KEY}".encode()), None),
        ((b"authorization", f"bearer  {KEY} ".encode()), None),
        (NO_KEY, KEY),
        (basic("something else"), KEY),
        ((b"authorization", b"Basic ###"), KEY),
        ((b"authorization", b"Digest whatever"), KEY),
    ],
)
async def test_the_write_key_comes_by_any_way(door: Front, header: tuple[bytes, bytes], in_body: str | None) -> None:
    """Basic, Bearer, the batch and a single event may each carry the key; a known one among two is enough."""
    given = {"writeKey": in_body} if in_body else {}
    for path, body in (("/v1/page", PAGE), ("/v1/batch", {"batch": [PAGE]})):
        answer = await door.post(path, body | given, header)
        assert answer.status == 200, answer.body
    assert [record.key for record in await door.records()] == [7, 7]


@pytest.mark.parametrize(
    ("header", "in_body", "code"),
    [
        (NO_KEY, None, "missing_key"),
        (basic("x"), None, "unknown_key"),
        (NO_KEY, "x", "unknown_key"),
        (NO_KEY, 7, "missing_key"),
    ],
)
async def test_without_a_known_key_nothing_is_taken(
    door: Front, header: tuple[bytes, bytes], in_body: object, code: str
) -> None:
    """401 with a code and a message, and no password dialog in a browser."""
    answer = await door.post("/v1/batch", {"batch": [PAGE], "writeKey": in_body}, header)
    assert (answer.status, answer.body["code"]) == (401, code)
    assert answer.body["message"]
    assert not answer.headers["www-authenticate"].startswith("Basic")
    assert await door.records() == []


# --- Limits -----------------------------------------------------------------------------------------------------------


async def test_the_limits_of_events_hold_one_by_one(tmp_path: Path) -> None:
    """Events that are too large, too deep, too long in their names, or too many are refused alone."""
    deep: Any = 1
    for _ in range(DEPTH - 1):
        deep = [deep]
    batch = [
        PAGE | {"properties": {"x": "x" * 2000}},
        PAGE | {"properties": {"x": deep}},
        PAGE | {"anonymousId": "a" * 513},
        PAGE | {"anonymousId": "ش" * 257},
        PAGE | {"messageId": "m" * 100},
        PAGE | {"name": "n" * 513},
        PAGE
        | {"anonymousId": "ش" * 256, "messageId": "m" * 99, "name": "n" * 512, "properties": deep_object(DEPTH - 1)},
        PAGE,
        PAGE,
    ]
    async with front(tmp_path, event_bytes=2000, batch_events=8) as door:
        answer = await door.post("/v1/batch", {"batch": batch})
        assert len(await door.records()) == 2
    refused = [(one["index"], one["code"], one["field"]) for one in answer.body["rejected"]]
    assert refused == [
        (0, "event_too_large", ""),
        (1, "too_deep", "properties"),
        (2, "id_too_long", "anonymousId"),
        (3, "id_too_long", "anonymousId"),
        (4, "id_too_long", "messageId"),
        (5, "name_too_long", "name"),
        (8, "too_many_events", ""),
    ]


def deep_object(depth: int) -> dict[str, Any]:
    """Objects in each other, so many."""
    made: dict[str, Any] = {}
    for _ in range(depth - 1):
        made = {"x": made}
    return made


async def test_a_batch_beyond_reason_is_not_taken_apart(tmp_path: Path) -> None:
    """Many times the events allowed are one refusal, not one for each."""
    async with front(tmp_path, batch_events=10) as door:
        answer = await door.post("/v1/batch", {"batch": [0] * 41})
    assert (answer.status, answer.body["code"]) == (400, "too_many_events")


@pytest.mark.parametrize("levels", [DEPTH, 990, 100_000])
@pytest.mark.parametrize("kind", ["properties", "nothing"])
async def test_nesting_of_any_depth_is_refused_alone(tmp_path: Path, levels: int, kind: str) -> None:
    """Deeper than the decoder's stack, in a field that counts or in one that nobody reads: the neighbours are taken."""
    deep = b'{"a":' * levels + b"1" + b"}" * levels
    event = b'{"type":"page","messageId":"deep","anonymousId":"a","%s":%s}' % (kind.encode(), deep)
    fine = b'{"type":"page","messageId":"fine","anonymousId":"a","properties":{"a":"]]}}"}}'
    async with front(tmp_path, request_bytes=10**7) as door:
        answer = await door.post("/v1/batch", b'{"batch":[%s,%s]}' % (event, fine))
        assert [record.id for record in await door.records()][-1:] == ["fine"]
    codes = [one["code"] for one in answer.body["rejected"]]
    assert answer.status == 200
    assert codes == ["too_deep"] or (codes == [] and kind == "nothing")


# --- Message ids ----------------------------------------------------------------------------------------------------


async def test_an_event_without_an_id_gets_the_same_one_again(door: Front) -> None:
    """With a time of its own an event is recognised when it is sent again, whatever sentAt says by then."""
    event = {"anonymousId": "a", "timestamp": "2026-03-31T11:00:00Z", "properties": {"x": 1}}
    for sent, other in (("12:00:00", {}), ("12:00:07", {}), ("12:00:00", {"properties": {"x": 2}})):
        await door.post("/v1/page", event | {"sentAt": f"2026-03-31T{sent}Z"} | other)
    first, again, third = (record.id for record in await door.records())
    assert first == again
    assert first != third


async def test_an_event_without_id_and_time_is_new_each_time(door: Front) -> None:
    """Nothing tells a repetition from a second act then."""
    for _ in range(2):
        await door.post("/v1/page", {"anonymousId": "a"})
    first, second = (record.id for record in await door.records())
    assert first != second


# --- Paths, methods, pages --------------------------------------------------------------------------------------------


async def test_other_methods_are_answered_in_json(door: Front) -> None:
    """405 names the method to use."""
    for method in ("GET", "PUT", "DELETE", "HEAD", "TRACE"):
        answer = await door.call(method, "/v1/batch", headers=(ORIGIN,))
        assert (answer.status, answer.headers["allow"], answer.body["code"]) == (
            405,
            "POST, OPTIONS",
            "method_not_allowed",
        )
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"


async def test_the_browsers_own_metrics_are_taken_and_forgotten(door: Front) -> None:
    """Whatever they are, without a key."""
    answer = await door.post("/v1/m", b"what ever", NO_KEY)
    assert (answer.status, answer.body) == (200, {"success": True})


async def test_every_answer_to_a_page_can_be_read_by_it(door: Front) -> None:
    """Also a refusal carries the CORS headers, and lets the page see Retry-After."""
    for header in (NO_KEY, basic(KEY)):
        answer = await door.post("/v1/page", PAGE, header, ORIGIN)
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["access-control-expose-headers"] == "Retry-After, X-RateLimit-Reset"
        assert answer.headers["vary"] == "Origin"


async def test_the_browser_sdk_learns_where_to_send(door: Front, tmp_path: Path) -> None:
    """To the address that it asked, or to the public one if there is one."""
    path = f"/v1/projects/{KEY}/settings"
    answer = await door.call("GET", path, headers=(ORIGIN,))
    assert answer.status == 200
    assert answer.body["integrations"] == {
        "Segment.io": {"apiKey": KEY, "apiHost": "track.example:8000/v1", "protocol": "http"}
    }
    (tmp_path / "other").mkdir()
    async with front(tmp_path / "other", public_url="https://events.example/track") as public:
        answer = await public.call("GET", path)
        source = answer.body["integrations"]["Segment.io"]
        assert (source["apiHost"], source["protocol"]) == ("events.example/track/v1", "https")
        assert (await public.call("GET", "/v1/projects/unknown/settings")).status == 401


# --- When the log takes nothing ---------------------------------------------------------------------------------------


class Down:
    """A log that raises this at every append."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def append(self, entries: Sequence[Entry]) -> None:
        raise self._error


@pytest.mark.parametrize("error", [LogUnavailable("Kafka at 10.0.0.7:9092: gone"), RuntimeError("/var/lib/secret")])
async def test_a_log_that_takes_nothing_is_503(error: Exception) -> None:
    """With Retry-After, a code and a message, and without the address or path that the error names."""
    log: Log = Down(error)  # type: ignore[assignment]  # only appended to
    refused, registry = Noted(), CollectorRegistry()
    door = Front(ingest_app(log, refused, registry, Settings(), NOW), log)
    answer = await door.post("/v1/batch", {"batch": [PAGE, 7]}, ORIGIN)
    assert (answer.status, answer.body["code"], answer.body["success"]) == (503, "unavailable", False)
    assert int(answer.headers["retry-after"]) > 0
    assert "10.0.0.7" not in json.dumps(answer.body)
    assert "secret" not in json.dumps(answer.body)
    assert refused == []
    assert registry.get_sample_value("milepost_events_total", {"result": "accepted"}) == 0


async def test_what_became_of_events_is_counted(door: Front) -> None:
    """Accepted and refused events, refusals by code, bytes and requests."""
    body = json.dumps({"batch": [PAGE, 7, {"type": "page"}, PAGE]}).encode()
    await door.post("/v1/batch", body)
    await door.post("/v1/batch", b"nonsense")
    sample = door.registry.get_sample_value
    assert sample("milepost_events_total", {"result": "accepted"}) == 2
    assert sample("milepost_events_total", {"result": "refused"}) == 2
    codes = {
        code: sample("milepost_refused_total", {"code": code})
        for code in ("invalid_type", "missing_id", "invalid_json")
    }
    assert set(codes.values()) == {1}
    for result in ("accepted", "refused"):
        assert sample("milepost_key_events_total", {"key": "test", "sdk": "segment", "result": result}) == 2
    assert sample("milepost_log_append_seconds_count") == 1
    assert sample("milepost_ingest_bytes_total") == len(body)
    assert sample("milepost_ingest_seconds_count") == 1
