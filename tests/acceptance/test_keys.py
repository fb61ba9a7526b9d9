"""Write keys as an owner makes, changes and ends them, beside a server that runs."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.processes import Processes, wait_until
from tests.support.up import Up, milepost

SHOP = {"Origin": "https://shop.example"}


@pytest.fixture
def up(processes: Processes, tmp_path: Path) -> Up:
    """A server on a new folder."""
    return Up(processes, tmp_path / "data")


def made(up: Up, *options: str, what: str = "keys") -> str:
    """A new key or token."""
    return milepost(what, "create", "made", *options, data=up.data).strip()


def send(up: Up, key: str, headers: dict[str, str] | None = None, **event: Any) -> httpx.Response:
    """Sends one event; a track unless it says otherwise."""
    event = {"type": "track", "event": "Signed Up", **event}
    return httpx.post(f"{up.url}/v1/{event['type']}", json=event, auth=(key, ""), headers=headers)


def refusal(answer: httpx.Response) -> tuple[int, str | None]:
    """The status, and the code if it is one."""
    return answer.status_code, answer.json().get("code")


def ask(up: Up, token: str, path: str) -> httpx.Response:
    """Asks the API."""
    return httpx.get(f"{up.url}{path}", headers={"Authorization": f"Bearer {token}"})


def customer(up: Up, token: str, user: str) -> str | None:
    """The number of the customer with this user id."""
    answer = ask(up, token, f"/v1/customers/{user}?by=user")
    number: str | None = answer.json().get("customer")
    return number


def rejected(up: Up, token: str) -> set[str]:
    """The codes under which events were refused."""
    return {one["code"] for one in ask(up, token, "/v1/rejections").json()["items"]}


def test_a_key_permits_what_its_owner_says(up: Up) -> None:
    """Other pages are refused, who sends too fast is told when to go on; what is changed or ended counts in seconds."""
    key = made(up, "--kind", "browser", "--origin", "https://shop.example", "--rate", "1")
    number = milepost("keys", "list", data=up.data).splitlines()[-1].split()[0]
    wait_until(lambda: refusal(send(up, key, userId="ann")) == (403, "origin_refused"), 10)
    elsewhere = send(up, key, {"Origin": "https://evil.example"}, userId="ann")
    assert refusal(elsewhere) == (403, "origin_refused")
    assert elsewhere.headers["access-control-allow-origin"] == "https://evil.example"
    batch = {"batch": [{"type": "track", "event": "Searched", "userId": "ann"}] * 15}
    answers = [httpx.post(f"{up.url}/v1/batch", json=batch, auth=(key, ""), headers=SHOP) for _ in range(2)]
    assert [refusal(one) for one in answers] == [(200, None), (429, "rate_limited")]
    assert 1 <= int(answers[1].headers["retry-after"]) <= 5
    milepost("keys", "edit", number, "--rate", "0", "--origin", "*.shop.example", data=up.data)
    wait_until(lambda: refusal(send(up, key, {"Origin": "https://www.shop.example"}, userId="ann")) == (200, None), 10)
    assert refusal(send(up, key, SHOP, userId="ann")) == (403, "origin_refused")
    milepost("keys", "revoke", number, data=up.data)
    wait_until(lambda: refusal(send(up, key, SHOP, userId="ann")) == (401, "unknown_key"), 10)
    assert rejected(up, up.token) == {"origin_refused"}


def test_who_is_who_is_up_to_the_key(up: Up) -> None:
    """What test keys send stays apart; a page's alias of a user is listed, counted and not followed, a server's is."""
    test, token, page = made(up, "--kind", "test"), made(up, "--test", what="tokens"), made(up, "--kind", "browser")
    assert "lifecycle" in milepost("journeys", "list", "--test", data=up.data)
    wait_until(lambda: send(up, page, userId="mallory").status_code == 200, 10)
    assert send(up, test, userId="tester").status_code == send(up, up.key, userId="ann").status_code == 200
    assert refusal(send(up, test, userId="null")) == (400, "missing_id")
    wait_until(lambda: bool(customer(up, token, "tester") and customer(up, up.token, "ann")), 20)
    wait_until(lambda: customer(up, up.token, "mallory") is not None, 20)
    assert customer(up, token, "ann") is customer(up, up.token, "tester") is None
    alias: dict[str, Any] = {"type": "alias", "previousId": "ann", "userId": "mallory"}
    assert send(up, page, **alias, messageId="m-1").status_code == 200
    wait_until(lambda: rejected(up, up.token) == {"alias_refused"} and rejected(up, token) == {"missing_id"}, 20)
    counted = r'^milepost_statements_unfollowed_total\{code="alias_refused"\} 1\.0$'
    assert re.search(counted, ask(up, up.token, "/metrics").text, re.MULTILINE)
    mallory = customer(up, up.token, "mallory")
    assert customer(up, up.token, "ann") not in (None, mallory)
    assert send(up, up.key, **alias, messageId="m-2").status_code == 200
    wait_until(lambda: customer(up, up.token, "ann") == mallory, 20)
    assert "It holds." in milepost("check", "--deep", data=up.data)


def test_a_till_does_not_become_one_customer(tmp_path: Path) -> None:
    """Past the limit statements are listed and not followed; every event is there, and every customer in one place."""
    lines = []
    for n in range(6):
        lines.append({"type": "page", "anonymousId": f"device-{n}", "timestamp": f"2026-03-31T12:00:0{n}Z"})
        lines.append({**lines[-1], "type": "identify", "userId": "till"})
    given = "".join(json.dumps({**line, "messageId": f"m-{n}"}) + "\n" for n, line in enumerate(lines)).encode()
    milepost("import", "-", data=tmp_path, given=given, env={"MILEPOST_MERGE_LIMIT": "3"})
    assert milepost("rejections", "list", data=tmp_path).count("merge_refused") == 4
    report = json.loads(milepost("check", "--deep", "--json", data=tmp_path))
    assert (report["holds"], report["walked"], report["customers"]) == (True, 12, 5)


def test_what_cannot_be_done_says_why(tmp_path: Path) -> None:
    """A server has no origins, what is no origin is none, and what is not there cannot be changed or looked at."""
    milepost("setup", data=tmp_path)
    assert "origin" in milepost("keys", "create", "a", "--origin", "https://a.example", data=tmp_path, code=1)
    assert "'nonsense' is no origin" in milepost(
        "keys", "create", "a", "--kind", "browser", "--origin", "nonsense", data=tmp_path, code=1
    )
    assert "no write key 9" in milepost("keys", "edit", "9", "--rate", "1", data=tmp_path, code=1)
    assert "--kind test" in milepost("journeys", "list", "--test", data=tmp_path, code=1)


def test_a_token_may_be_one_that_only_asks(up: Up) -> None:
    """It is answered what it asks, and refused what would change something; the list says what each may do."""
    token = made(up, "--read-only", what="tokens")
    assert ask(up, token, "/v1/journeys").status_code == 200
    bearer = {"Authorization": f"Bearer {token}"}
    retired = httpx.post(f"{up.url}/v1/journeys/lifecycle/retire?version=1", headers=bearer)
    assert refusal(retired) == (403, "read_only_token")
    listed = [line.split()[:3] for line in milepost("tokens", "list", data=up.data).splitlines()[1:]]
    assert [one[1:] for one in listed][-1] == ["made", "read"]
    assert "write" in {one[2] for one in listed}
