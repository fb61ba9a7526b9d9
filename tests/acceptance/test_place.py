"""A customer is placed by hand, over HTTP and by command, beside a server that runs."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.processes import Processes, wait_until
from tests.support.up import Up
from tests.support.up import milepost_here as milepost

REASON = "Signed on paper; the form was never sent"


@pytest.fixture
def up(processes: Processes, tmp_path: Path) -> Up:
    """A server on a new folder that has seen Ada look at a page."""
    server = Up(processes, tmp_path / "data")
    send(server, "page", userId="ada", name="Home")
    wait_until(lambda: stage(server) is not None, 20)
    return server


def send(up: Up, kind: str, **fields: Any) -> None:
    """Sends an event as a site would."""
    httpx.post(f"{up.url}/v1/{kind}", json=fields, auth=(up.key, "")).raise_for_status()


def ask(up: Up, path: str, **params: str) -> Any:
    """The answer to a question."""
    answer = httpx.get(f"{up.url}/v1/{path}", params=params, headers={"Authorization": f"Bearer {up.token}"})
    return answer.json()


def place(up: Up, customer: str, *, journey: str = "lifecycle", **body: str) -> httpx.Response:
    """Places over HTTP."""
    path = f"{up.url}/v1/customers/{customer}/journeys/{journey}/place"
    return httpx.post(path, json=body, headers={"Authorization": f"Bearer {up.token}"})


def stage(up: Up, customer: str = "ada") -> str | None:
    """Where a customer stands in the lifecycle."""
    places = ask(up, f"customers/{customer}").get("journeys", [])
    return next((one["stage"] for one in places if one["journey"] == "lifecycle"), None)


def test_placed_over_http(up: Up) -> None:
    """History, why, transitions and the check have it, and the next rule that applies moves on from there."""
    answer = place(up, "ada", stage="retention", why=REASON)
    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert (said["journey"], said["stage"], said["why"]) == ("lifecycle", "retention", REASON)
    wait_until(lambda: stage(up) == "retention", 20)

    history = ask(up, "customers/ada/journeys/lifecycle/history")
    newest = history["touchpoints"][0]
    assert (newest["id"], newest["type"], newest["at"]) == (said["id"], "placement", said["at"])
    assert newest["properties"] == {"journey": "lifecycle", "stage": "retention", "by": said["by"], "why": REASON}
    assert (history["moves"][-1]["to"], history["moves"][-1]["cause"]) == ("retention", "manual")
    why = ask(up, "customers/ada/journeys/lifecycle/why")
    assert all(part in why["reason"].lower() for part in ("retention", said["by"].lower(), REASON.lower()))
    assert [one["id"] for one in why["evidence"]] == [said["id"]]
    moved = ask(up, "journeys/lifecycle/transitions")["items"]
    assert [(one["to"], one["cause"]) for one in moved if one["cause"] == "manual"] == [("retention", "manual")]
    assert "It holds." in milepost("check", "--deep", data=up.data)

    place(up, "ada", stage="none", why="A mistake")
    wait_until(lambda: stage(up) == "none", 20)
    send(up, "track", userId="ada", event="Order Completed", properties={"revenue": 9})
    wait_until(lambda: stage(up) == "onboarding", 20)


def test_what_cannot_be_placed(up: Up) -> None:
    """An unknown customer, journey or stage, no reason, no JSON and no token are refused with the remedy."""
    assert place(up, "nobody", stage="retention", why="x").status_code == 404
    assert "retention" in place(up, "ada", stage="retenton", why="x").json()["message"]
    assert place(up, "ada", journey="lifecicle", stage="retention", why="x").json()["code"] == "unknown_journey"
    for body in ({"stage": "retention"}, {"stage": "retention", "why": " "}, {"why": "x"}):
        refused = place(up, "ada", **body)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_parameter")
    path = f"{up.url}/v1/customers/ada/journeys/lifecycle/place"
    headers = {"Authorization": f"Bearer {up.token}"}
    assert httpx.post(path, content=b"retention", headers=headers).status_code == 400
    assert httpx.post(path, json={"stage": "retention", "why": "x"}).status_code == 401
    # Another site's page can have a browser send its cookies.
    cookie = httpx.post(path, json={"stage": "retention", "why": "x"}, cookies={"milepost_token": up.token})
    assert cookie.status_code == 401


def test_placed_by_command(up: Up) -> None:
    """It finds the customer by whatever they are known by, and refuses what is not there."""
    send(up, "identify", userId="ada", traits={"email": "Ada@example.com"})
    wait_until(lambda: "email" in str(ask(up, "customers/ada")["identifiers"]), 20)
    told = milepost(
        *("place", "ada@example.com", "lifecycle", "loyalty", "--why", REASON, "--who", "Zahra", "--by", "email"),
        data=up.data,
    )
    assert "loyalty" in told
    wait_until(lambda: stage(up) == "loyalty", 20)
    reason = ask(up, "customers/ada/journeys/lifecycle/why")["reason"]
    assert "Zahra" in reason
    assert REASON in reason
    refusals = {("bob", "lifecycle", "loyalty"): "no customer", ("ada", "lifecycle", "loyal"): "loyalty"}
    for arguments, message in refusals.items():
        assert message in milepost("place", *arguments, "--why", "x", data=up.data, code=1)
    assert "reason" in milepost("place", "ada", "lifecycle", "loyalty", "--why", " ", data=up.data, code=2)


def test_watched(up: Up, processes: Processes) -> None:
    """`milepost tail` shows the placement and its move."""
    tail = processes.milepost("tail", "--data", up.data)
    tail.wait_for("Watching")
    time.sleep(0.5)
    place(up, "ada", stage="retention", why=REASON)
    tail.wait_for("placement")
    tail.wait_for(r"→ retention.*manual")
