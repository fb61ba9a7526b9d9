"""`milepost up --ephemeral`: what a site's own tests can assert on, and that nothing of it is left."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.processes import Process, Processes, free_port, wait_until
from tests.support.up import Up, milepost_here

KEY, TOKEN = "wk_ci", "qt_ci"
HOUR_AGO = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
MINUTE_AGO = (datetime.now(UTC) - timedelta(minutes=1)).replace(microsecond=678_000).isoformat()


@pytest.fixture
def server(processes: Processes) -> Iterator[tuple[Process, httpx.Client]]:
    """A server that is thrown away, and a client that may ask it."""
    port = free_port()
    options = ("--port", str(port), "--write-key", KEY, "--query-token", TOKEN)
    process = processes.milepost("up", "--ephemeral", *options)
    process.wait_for("/v1/_test/touchpoints")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
        yield process, client


def send(client: httpx.Client, *events: dict[str, Any]) -> httpx.Response:
    """Sends a batch with the key that was chosen."""
    return client.post("/v1/batch", json={"batch": events, "writeKey": KEY}, headers={"Authorization": ""})


def asked(client: httpx.Client, what: str, **params: float) -> list[dict[str, Any]]:
    """Everything of a kind, which must be all of it."""
    answer = client.get(f"/v1/_test/{what}", params=params).raise_for_status().json()
    assert answer["settled"] is True
    items: list[dict[str, Any]] = answer["items"]
    return items


def bought(user: str, **fields: Any) -> dict[str, Any]:
    """An order."""
    return {"type": "track", "event": "Order Completed", "userId": user, **fields}


def test_a_test_sees_all_that_it_sent(server: tuple[Process, httpx.Client]) -> None:
    """Right after the answer: touchpoints as understood, refusals with their reasons, moves; no waiting, no polling."""
    _, client = server
    linked = {"type": "identify", "userId": "ann", "anonymousId": "dev", "traits": {"email": "ann@example.com"}}
    for n in range(5):
        sent = [
            {"type": "page", "anonymousId": f"dev{n}", "messageId": f"p{n}", "name": "خانه", "timestamp": HOUR_AGO},
            bought(f"u{n}", messageId=f"o{n}", properties={"revenue": 49.9}, timestamp=MINUTE_AGO),
            {"type": "track", "event": "nobody's"},
        ]
        assert send(client, *sent).json()["accepted"] == 2
        assert len(asked(client, "touchpoints")) == 2 * (n + 1)
        assert len(asked(client, "rejections")) == n + 1
        assert len(asked(client, "transitions")) == 2 * (n + 1)
    assert send(client, linked).status_code == 200
    found = asked(client, "touchpoints")
    assert found[0]["name"] == "خانه"
    assert (found[0]["anonymous_id"], found[0]["user_id"]) == ("dev0", None)
    assert found[5] == {
        "id": "o0", "type": "track", "name": "Order Completed", "user_id": "u0", "anonymous_id": None,
        "previous_id": None, "group_id": None, "at": MINUTE_AGO.replace("+00:00", "Z"),
        "clamped": False, "received_at": found[5]["received_at"], "bot": False,
        "excluded": False, "kind": found[5]["kind"], "direction": "by", "content": None, "channel": None,
        "source": None, "medium": None, "campaign": None, "properties": {"revenue": 49.9}, "traits": {}, "context": {},
    }  # fmt: skip
    assert (found[-1]["type"], found[-1]["traits"]) == ("identify", {"email": "ann@example.com"})
    first = asked(client, "rejections")[0]
    assert (first["code"], first["index"], first["key"]) == ("missing_id", 2, "first")
    moves = asked(client, "transitions")
    assert [move["to"] for move in moves] == ["awareness"] * 5 + ["onboarding"] * 5
    assert {move["journey"] for move in moves} == {"lifecycle"}
    assert {move["id"] for move in moves[5:]} == {f"u{n}" for n in range(5)}


def test_a_reset_forgets_everything_but_who_may_ask(server: tuple[Process, httpx.Client]) -> None:
    """After each reset the same events count anew, ids and customers included; keys, tokens and journeys stay."""
    process, client = server
    for round_ in range(4):
        # The same message ids each time: nobody remembers them.
        send(client, bought("ann", messageId="m1"), bought("ann", messageId="m1"), {"type": "page"})
        if round_ % 2:  # with the stager in the middle of it, or done
            assert len(asked(client, "touchpoints")) == 1
            assert [move["to"] for move in asked(client, "transitions")] == ["onboarding"]
        began = time.monotonic()
        assert client.post("/v1/_test/reset").status_code == 204
        assert time.monotonic() - began < 5
        assert [asked(client, what) for what in ("touchpoints", "rejections", "transitions")] == [[], [], []]
        assert client.get("/v1/customers/ann").status_code == 404
        answer = client.get("/v1/journeys/lifecycle/stages").raise_for_status().json()
        assert answer["total"] == 0
    data = Path(str(re.search(r"data in (\S+)\.", process.output())[1]))  # type: ignore[index] # it is there
    assert "It holds." in milepost_here("check", data=data)
    fresh = client.get("/v1/journeys").json()["freshness"]
    wait_until(lambda: client.get("/v1/journeys").json()["freshness"] > fresh)


def test_nothing_is_left_of_it(server: tuple[Process, httpx.Client]) -> None:
    """Its folder is its owner's alone while it runs, and gone when it ends."""
    process, client = server
    send(client, bought("ann"))
    data = Path(str(re.search(r"data in (\S+)\.", process.output())[1]))  # type: ignore[index] # it is there
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / "store.sqlite").exists()
    assert process.stop() == 0
    assert not data.exists()


def test_it_says_when_it_did_not_wait(server: tuple[Process, httpx.Client]) -> None:
    """Told not to wait it answers at once, and says whether that is all; without the token it answers nothing."""
    _, client = server
    assert asked(client, "touchpoints", wait=0) == []
    assert client.get("/v1/_test/touchpoints", params={"wait": -1}).status_code == 400
    for method, path in (("GET", "touchpoints"), ("GET", "rejections"), ("GET", "transitions"), ("POST", "reset")):
        assert client.request(method, f"/v1/_test/{path}", headers={"Authorization": ""}).status_code == 401
    described = client.get("/openapi.json").json()["paths"]
    assert {"/v1/_test/touchpoints", "/v1/_test/reset", "/v1/batch"} <= described.keys()


def test_no_other_server_has_it(processes: Processes, tmp_path: Path) -> None:
    """A server that lasts has nothing under /v1/_test/, and takes no keys that others chose."""
    up = Up(processes, tmp_path / "data")
    headers = {"Authorization": f"Bearer {up.token}"}
    assert httpx.get(f"{up.url}/v1/_test/touchpoints", headers=headers).status_code == 404
    assert httpx.post(f"{up.url}/v1/_test/reset", headers=headers).status_code == 404
    assert "--ephemeral" in milepost_here("up", "--write-key", "wk_x", data=tmp_path, code=2)
    assert "--data" in milepost_here("up", "--ephemeral", "--data", tmp_path, data=tmp_path, code=2)
    assert "letters" in milepost_here("up", "--ephemeral", "--write-key", "a:b", data=tmp_path, code=2)
