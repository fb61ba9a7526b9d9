"""Wrong data put right by command beside a server that runs: exclusions, and statements taken back."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.processes import Processes, wait_until
from tests.support.up import Up
from tests.support.up import milepost_here as milepost


@pytest.fixture
def up(processes: Processes, tmp_path: Path) -> Up:
    """A server on a new folder that has seen Ada, Bob and one of the staff."""
    server = Up(processes, tmp_path / "data")
    for user, ip in (("ada", "192.0.2.1"), ("bob", "192.0.2.2"), ("staff", "203.0.113.7")):
        send(server, "page", userId=user, context={"ip": ip})
    send(server, "track", userId="bob", event="Order Completed")
    send(server, "alias", userId="ada", previousId="bob", messageId="the-alias")
    wait_until(lambda: who(server, "ada") == {"ada", "bob"} and bool(who(server, "staff")), 20)
    return server


def send(up: Up, kind: str, **fields: Any) -> None:
    """Sends an event as a site would."""
    httpx.post(f"{up.url}/v1/{kind}", json=fields, auth=(up.key, "")).raise_for_status()


def ask(up: Up, path: str) -> Any:
    """The answer to a question."""
    return httpx.get(f"{up.url}/v1/{path}", headers={"Authorization": f"Bearer {up.token}"}).json()


def who(up: Up, customer: str) -> set[str]:
    """All ids of a customer."""
    return {one["id"] for one in ask(up, f"customers/{customer}").get("identifiers", [])}


def stage(up: Up, customer: str) -> str | None:
    """Where a customer stands in the lifecycle."""
    places = ask(up, f"customers/{customer}").get("journeys", [])
    return next((one["stage"] for one in places if one["journey"] == "lifecycle"), None)


def test_the_office_is_excluded(up: Up) -> None:
    """Preview says what it would hide; apply hides it; check, metrics and the list tell of it; undo brings it back."""
    before = stage(up, "staff")
    assert before is not None
    office = ("--ip", "203.0.113.0/24")
    assert "1 touchpoints of 1 customers would be hidden." in milepost("exclude", "preview", *office, data=up.data)
    assert "Exclusion 1 is made" in milepost("exclude", "apply", *office, "--why", "Our office", data=up.data)
    wait_until(lambda: stage(up, "staff") is None, 20)
    send(up, "page", userId="new", context={"ip": "203.0.113.8"})
    wait_until(lambda: bool(who(up, "new")), 20)
    assert stage(up, "new") is None
    assert stage(up, "ada") is not None
    listed = milepost("exclude", "list", data=up.data)
    assert "ips 203.0.113.0/24" in listed
    assert "Our office" in listed
    told = milepost("check", "--deep", data=up.data)
    assert "It holds." in told
    assert "2 are excluded and count for nothing" in told
    page = httpx.get(f"{up.url}/metrics").text
    assert 'milepost_exclusions{project="default"} 1' in page

    assert "undone" in milepost("exclude", "undo", "1", data=up.data)
    wait_until(lambda: stage(up, "staff") == before and stage(up, "new") is not None, 20)
    assert "It holds." in milepost("check", "--deep", data=up.data)


def test_an_alias_is_taken_back(up: Up) -> None:
    """The statements are listed with their message ids; taken back, both are who they were; undone, one again."""
    assert "the-alias" in milepost("unmerge", "statements", "bob", data=up.data)
    taken = milepost("unmerge", "apply", "bob", "the-alias", "--why", "A mistake", data=up.data)
    assert "Retraction 1 is made" in taken
    wait_until(lambda: who(up, "ada") == {"ada"} and who(up, "bob") == {"bob"}, 20)
    wait_until(lambda: stage(up, "bob") != stage(up, "ada") is not None, 20)
    assert "the-alias" in milepost("unmerge", "list", data=up.data)
    milepost("unmerge", "undo", "1", data=up.data)
    wait_until(lambda: who(up, "ada") == {"ada", "bob"}, 20)
    assert "It holds." in milepost("check", "--deep", data=up.data)


def test_a_browser_marks_itself(up: Up) -> None:
    """A page opened with the link hides its browser, whoever signs in there; opened with off, brings it back."""

    def page(query: str = "", **who: str) -> None:
        url = {"page": {"url": f"https://shop.example/{query}"}}
        send(up, "page", anonymousId="browser-1", context=url, **who)

    page(userId="boss")
    wait_until(lambda: stage(up, "boss") is not None, 20)
    page("?utm_source=x&milepost_internal=on")
    wait_until(lambda: stage(up, "boss") is None, 20)
    assert stage(up, "ada") is not None
    assert "the browser itself" in milepost("exclude", "list", data=up.data)
    page("?milepost_internal=off")
    wait_until(lambda: stage(up, "boss") is not None, 20)
    assert "It holds." in milepost("check", "--deep", data=up.data)
