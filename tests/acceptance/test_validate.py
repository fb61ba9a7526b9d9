"""`POST /v1/validate` through the real door: what would become of events, and that nothing becomes of them."""

import gzip
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.support.processes import Processes, free_port

KEY, TOKEN = "wk_ci", "qt_ci"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client that may ask a server of its own."""
    with Processes(tmp_path_factory.mktemp("processes")) as processes:
        port = free_port()
        options = ("--port", str(port), "--write-key", KEY, "--query-token", TOKEN)
        processes.milepost("up", "--ephemeral", *options).wait_for("/v1/_test/touchpoints")
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as made:
            yield made


def validated(client: httpx.Client, body: Any, **params: str) -> dict[str, Any]:
    """What would become of it."""
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    answer = client.post("/v1/validate", content=content, params=params)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_each_event_of_a_batch(client: httpx.Client) -> None:
    """How each is read, with its clock set right; whose it is; which stages would change; why one is refused."""
    page = {"type": "page", "anonymousId": "dev", "name": "خانه", "messageId": "p1"}
    order = {"type": "track", "event": "Order Completed", "userId": 42, "properties": {"revenue": 49.9}}
    order |= {"timestamp": (NOW - timedelta(days=365)).isoformat()}
    sent = (NOW - timedelta(days=365, seconds=-2)).isoformat()  # a clock that is a year late
    told = validated(client, {"batch": [page, order, {"type": "track", "event": "x"}, page], "sentAt": sent})
    assert (told["path"], told["key"]) == ("/v1/batch", None)
    first, second, third, fourth = told["events"]
    assert (first["touchpoint"]["name"], first["touchpoint"]["anonymous_id"]) == ("خانه", "dev")
    assert first["changes"] == [{"customer": None, "journey": "lifecycle", "from": None, "to": "awareness"}]
    assert (first["customer"], first["refused"], first["duplicate"], first["behind"]) == (None, None, False, False)
    assert (second["touchpoint"]["user_id"], second["touchpoint"]["properties"]) == ("42", {"revenue": 49.9})
    seconds = datetime.fromisoformat(second["touchpoint"]["received_at"]) - datetime.fromisoformat(
        second["touchpoint"]["at"]
    )
    assert seconds == timedelta(seconds=2)
    assert [change["to"] for change in second["changes"]] == ["onboarding"]
    assert (third["refused"]["code"], third["refused"]["field"], third["touchpoint"]) == ("missing_id", "userId", None)
    assert (fourth["duplicate"], fourth["changes"]) == (True, [])
    assert client.get("/v1/_test/touchpoints").json()["items"] == []
    assert client.get("/v1/_test/rejections").json()["items"] == []
    assert client.get("/v1/customers/42").status_code == 404


def test_a_known_customer(client: httpx.Client) -> None:
    """With what is stored of them, it tells their number and the next stage; their key is named."""
    event = {"type": "track", "event": "Signed Up", "userId": "ann", "messageId": "m1", "writeKey": KEY}
    client.post("/v1/track", json=event, headers={"Authorization": ""}).raise_for_status()
    (stored,) = client.get("/v1/_test/touchpoints").json()["items"]
    number = client.get("/v1/customers/ann").json()["customer"]
    told = validated(client, event)
    assert (told["path"], told["key"]) == ("/v1/track", "first")
    (again,) = told["events"]
    assert (again["customer"], again["duplicate"]) == (number, True)
    assert again["touchpoint"] | {"at": "", "received_at": ""} == stored | {"at": "", "received_at": ""}
    (next_,) = validated(client, {"type": "track", "event": "Order Completed", "userId": "ann"})["events"]
    assert next_["changes"] == [{"customer": number, "journey": "lifecycle", "from": "acquisition", "to": "onboarding"}]
    assert client.get("/v1/customers/ann").json()["touchpoints"] == 1
    assert client.post("/v1/_test/reset").status_code == 204


def test_a_body_of_any_protocol(client: httpx.Client) -> None:
    """It is read as at the path named, in any wrapping."""
    event = {"event": "$pageview", "distinct_id": "dev", "properties": {"$current_url": "https://a.example/"}}
    (posthog,) = validated(client, {"api_key": KEY, "batch": [event]}, path="/batch/")["events"]
    assert posthog["touchpoint"]["type"] == "page"
    (packed,) = validated(client, gzip.compress(b'{"userId": "ann", "event": "x"}'), path="/v1/t")["events"]
    assert packed["touchpoint"]["name"] == "x"


@pytest.mark.parametrize(
    ("body", "params", "code"),
    [
        (b"", {}, "empty_body"),
        (b"{", {}, "invalid_json"),
        (b"[]", {"path": "/nowhere"}, "invalid_parameter"),
        (b"{}", {"path": f"/v1/projects/{KEY}/settings"}, "invalid_parameter"),
        (b'{"batch": [], "writeKey": "wk_nobody"}', {}, "unknown_key"),
        (gzip.compress(b" " * (1 << 20)), {}, "too_large"),
    ],
)
def test_what_is_no_body_of_events(client: httpx.Client, body: bytes, params: dict[str, str], code: str) -> None:
    """A body of which nothing could be taken is refused like every question that cannot be answered."""
    answer = client.post("/v1/validate", content=body, params=params)
    assert (answer.json()["code"], answer.status_code // 100) == (code, 4)


def test_who_may_ask(client: httpx.Client) -> None:
    """Not whoever has a write key: every visitor of a site can read that in it."""
    event = {"type": "track", "event": "x", "userId": "ann"}
    answer = client.post("/v1/validate", json=event, headers={"Authorization": f"Bearer {KEY}"})
    assert answer.status_code in (401, 403)
    assert client.post("/v1/validate", json=event, auth=(KEY, "")).status_code == 401
    began = time.monotonic()
    assert len(validated(client, {"batch": [event] * 500})["events"]) == 500
    assert time.monotonic() - began < 10
