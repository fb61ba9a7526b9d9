"""PostHog's bodies become records (posthog.yaml); what its SDKs ask beside that is answered."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.body import Scope
from services.ingest.protocols.port import Event, Request
from services.ingest.protocols.posthog import read, read_person
from services.ingest.protocols.posthog_shapes import Body, Person, Said
from services.ingest.refusals import Refused, Unreadable
from tests.support.front import KEY, Front, front
from tests.unit.ingest.test_cases import Loader, field_of

KEYS = {"name", "to", "event", "body", "text", "cesu", "headers", "status", "answer", "refused", "records"}
#: What a browser gets may make it load nothing of what we do not have.
OFF = (
    "sessionRecording",
    "heatmaps",
    "captureDeadClicks",
    "capturePerformance",
    "autocaptureExceptions",
    "hasFeatureFlags",
)


def load() -> list[dict[str, Any]]:
    """The cases; a mistyped key is an error."""
    text = Path(__file__).with_name("posthog.yaml").read_text("utf-8")
    cases: list[dict[str, Any]] = yaml.load(text.replace("KEY", KEY), Loader)
    for case in cases:
        assert not set(case) - KEYS, f"{case['name']}: unknown keys {set(case) - KEYS}"
        assert len(set(case) & {"event", "body", "text"}) == 1, f"{case['name']}: one request each"
    return cases


def cesu(text: str) -> bytes:
    """The text with each half of a surrogate pair as a character of its own."""
    return b"".join(
        char.encode("utf-16-be").decode("utf-16-be", "surrogatepass").encode() if ord(char) < 0x10000 else halves(char)
        for char in text
    )


def halves(char: str) -> bytes:
    """The two halves of one character."""
    pair = char.encode("utf-16-be")
    return b"".join(chr(int.from_bytes(pair[at : at + 2])).encode("utf-8", "surrogatepass") for at in (0, 2))


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Front]:
    """The app over an empty log."""
    async with front(tmp_path) as made:
        yield made


@pytest.mark.parametrize("case", load(), ids=lambda case: case["name"])
async def test_case(case: dict[str, Any], door: Front) -> None:
    """The answer has the status and parts given, the log holds the records given and no others."""
    body = case.get("body", {"batch": [case.get("event")]})
    text = json.dumps(body, ensure_ascii=False)
    data = case["text"].encode() if "text" in case else cesu(text) if case.get("cesu") else text.encode()
    headers = [(name.lower().encode(), value.encode()) for name, value in case.get("headers", {}).items()]
    answer = await door.post(case.get("to", "/batch"), data, *headers)
    records, expected = await door.records(), case.get("records", [])
    assert answer.status == case.get("status", 200), answer.body
    assert len(records) == len(expected), answer.body
    for record, wanted in zip(records, expected, strict=True):
        assert {name: field_of(record, name, like) for name, like in wanted.items()} == wanted
    parts = case.get("answer", {})
    assert {name: answer.body.get(name) for name in parts} == parts
    assert [[one.index, one.code, one.field] for one in door.refused if one.index >= 0] == case.get("refused", [])


@pytest.mark.parametrize(
    "body",
    [
        {"api_key": KEY, "batch": [{"event": "A", "distinct_id": "u"}]},
        {"token": KEY, "event": "A", "distinct_id": "u"},
        {"event": "A", "distinct_id": "u", "properties": {"token": KEY}},
        {"event": "A", "distinct_id": "u", "properties": {"api_key": KEY}},
        [{"event": "A", "distinct_id": "u", "api_key": KEY}],
        [{"event": "A", "properties": {"distinct_id": "u", "token": KEY}}, {"event": "A", "distinct_id": "u"}, 5],
    ],
    ids=str,
)
async def test_the_key_is_found_wherever_it_is(door: Front, body: Any) -> None:
    """At the top, in an event, or among its properties, where it is not kept."""
    answer = await door.call("POST", "/e/", json.dumps(body).encode())
    assert (answer.status, answer.body["status"]) == (200, 1)
    assert all(KEY.encode() not in value for value in await door.values())


@pytest.mark.parametrize("key", [None, "other", 5])
@pytest.mark.parametrize("path", ["/e/", "/batch", "/engage", "/flags/?v=2", "/decide/?v=3"])
async def test_a_key_that_is_not_known_is_401(door: Front, path: str, key: object) -> None:
    """In JSON with a code and a message, wherever it is sent."""
    body = {"api_key": key, "token": key, "$token": key, "event": "A", "distinct_id": "u"}
    answer = await door.call("POST", path, json.dumps(body).encode())
    assert answer.status == 401
    assert answer.body["code"] in ("unknown_key", "missing_key")
    assert answer.body["message"]


async def test_the_configuration_turns_off_what_is_not_here(door: Front) -> None:
    """As JSON, as a script, and with the flags, of which there are none."""
    config = (await door.call("GET", f"/array/{KEY}/config")).body
    assert not any(config[name] for name in OFF)
    assert "surveys" not in config
    answer = await door.call("GET", f"/array/{KEY}/config.js")
    assert answer.headers["content-type"].startswith("application/javascript")
    script = answer.body.decode()
    start = f'(window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{{}})["{KEY}"]='
    assert script.startswith(start)
    assert json.loads(script[len(start) :].strip().rstrip(";")) == {"config": config, "siteApps": []}
    for path in ("/flags/?v=2", "/decide/?v=3"):
        flags = (await door.call("POST", path, json.dumps({"token": KEY}).encode())).body
        assert flags == config | {
            "flags": {},
            "featureFlags": {},
            "featureFlagPayloads": {},
            "errorsWhileComputingFlags": False,
        }
    assert (await door.call("GET", f"/flags?token={KEY}")).status == 200
    for path in ("/array/other/config", "/array/other/config.js"):
        answer = await door.call("GET", path)
        assert (answer.status, answer.body["code"]) == (401, "unknown_key")
    assert (await door.call("POST", "/flags", b"x")).body["code"] == "invalid_json"


async def test_session_recordings_are_taken_and_forgotten(door: Front) -> None:
    """200, and nothing is on the log."""
    answer = await door.call("POST", "/s/?compression=gzip-js", b'[{"event":"$snapshot","distinct_id":"u"}]')
    assert (answer.status, answer.body) == (200, {"status": 1})
    assert await door.records() == []


async def test_too_many_events_are_refused_whole(tmp_path: Path) -> None:
    """In a batch or a list, read or not."""
    async with front(tmp_path, batch_events=2) as door:
        for body in ([{"event": "A"}] * 9, {"batch": [{"event": "A"}] * 9}, [5] * 9, {"batch": [5] * 9}):
            answer = await door.post("/batch", body)
            assert (answer.status, answer.body["code"]) == (400, "too_many_events")


FIELDS = [field.encode_name for shape in (Body, Person, Said) for field in msgspec.structs.fields(shape)]
NAMES = st.sampled_from(FIELDS)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | NAMES
JSON = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=8), max_leaves=30
)
EVENTS = st.sampled_from(("$identify", "$pageview", "$create_alias", "$groupidentify", "$set", "A"))
BODIES = st.builds(lambda value: json.dumps(value).encode(), JSON)
LIKELY = st.builds(
    lambda name, event, properties: json.dumps([{"event": name, **event, "properties": properties}]).encode(),
    EVENTS,
    st.dictionaries(NAMES, JSON, max_size=5),
    st.dictionaries(NAMES, PLAIN, max_size=8),
)


@settings(max_examples=50)
@given(st.binary() | BODIES | LIKELY, st.text(max_size=20))
def test_any_bytes_are_events_or_refusals_with_a_reason(body: bytes, query: str) -> None:
    """Whatever is sent, reading it ends in nothing else."""
    scope: Scope = {"headers": [], "query_string": f"_={query}".encode()}
    for reads in (read, read_person):
        said: list[object] = []
        try:
            said += reads(body, Request(scope, "/e", lambda _: ""), 100).events
        except Unreadable as refused:
            said.append(refused)
        for one in said:
            assert isinstance(one, Event) or (isinstance(one, Refused) and one.code and one.message)
