"""What the door does with bots, addresses, consent and personal fields, as an owner sees it: a real server's log."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.events import Record, decode
from shared.log.sqlite import open_sqlite_log
from tests.support.processes import Processes, wait_until
from tests.support.up import Up, milepost

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
CONSENT = {"consent": {"categoryPreferences": {"Analytics": True}}}
SETTINGS = {
    "trusted_proxies": "127.0.0.1",
    "consent": "Analytics",
    "deny": "phone,context.device.id",
    "hash_fields": "traits.email",
    "hash_secret": "a secret of the tests",
}


def send(up: Up, key: str, agent: str = FIREFOX, **event: Any) -> httpx.Response:
    """Sends one event through a proxy of a browser's."""
    headers = {"User-Agent": agent, "X-Forwarded-For": "203.0.113.77"}
    event = {"type": "page", "context": CONSENT, **event}
    return httpx.post(f"{up.url}/v1/{event['type']}", json=event, auth=(key, ""), headers=headers)


def ask(up: Up, path: str) -> Any:
    """Asks the API; None if there is no such thing."""
    answer = httpx.get(f"{up.url}{path}", headers={"Authorization": f"Bearer {up.token}"})
    return answer.json() if answer.status_code == 200 else None


def metrics(up: Up) -> str:
    """The metrics page."""
    return httpx.get(f"{up.url}/metrics").text


async def records(data: Path) -> dict[str, Record]:
    """All that lies on the log of a stopped server, by message id."""
    found: dict[str, Record] = {}
    async with open_sqlite_log(data / "log.sqlite", 6, 86_400) as log, log.onlooker() as reader:
        for partition in range(log.partitions):
            chunk = await reader.read(partition, 0, 1000)
            found |= {record.id: record for record in map(decode, chunk.values)}
    return found


@pytest.mark.timeout(100)
async def test_what_the_door_lets_through(processes: Processes, tmp_path: Path) -> None:
    """A bot counts for nothing; addresses are cut; without consent nothing is kept; denied is gone, hashed is found."""
    up = Up(processes, tmp_path / "data", **SETTINGS)
    key = milepost("keys", "create", "shop", "--kind", "browser", data=up.data).strip()
    wait_until(lambda: send(up, key, messageId="home", userId="ada").status_code == 200)
    assert send(up, key, GOOGLEBOT, messageId="crawl", anonymousId="crawler").status_code == 200
    traits = {"email": "Ada@Example.com", "phone": "0912-SECRET", "plan": "pro"}
    context = {**CONSENT, "ip": "198.51.100.77", "device": {"id": "device-SECRET", "model": "m"}}
    who = send(up, key, type="identify", messageId="who", userId="ada", traits=traits, context=context)
    assert who.status_code == 200
    for refused in ({}, {"consent": {"categoryPreferences": {"Analytics": False}}}):
        answer = send(up, key, messageId="no", userId="SECRET", context=refused)
        assert (answer.status_code, answer.json()["code"]) == (400, "no_consent")

    ada = wait_until(lambda: ask(up, "/v1/customers/ada@example.com?by=email"), within=20)
    assert (ada["touchpoints"], ada["journeys"][0]["stage"]) == (2, "awareness")
    assert ada["traits"].keys() == {"email", "plan"}
    bot = wait_until(lambda: ask(up, "/v1/customers/crawler"), within=20)
    assert (bot["touchpoints"], bot["journeys"][0]["stage"]) == (1, None)
    history = ask(up, "/v1/customers/crawler/journeys/lifecycle/history")
    assert [one["excluded"] for one in history["touchpoints"]] == [True]
    assert "milepost_bots_total 1.0" in metrics(up)

    up.process.stop()
    report = json.loads(milepost("check", "--deep", "--json", data=up.data))
    assert (report["holds"], report["touchpoints"], report["excluded"]) == (True, 3, 1)
    found = await records(up.data)
    assert found.keys() == {"home", "crawl", "who"}
    home = found["home"].seen
    assert home
    assert (home.ip, home.agent, home.bot) == ("203.0.113.0", FIREFOX, False)
    assert json.loads(bytes(found["who"].context)) == {**CONSENT, "ip": "198.51.100.0", "device": {"model": "m"}}
    kept = b"".join(path.read_bytes() for path in up.data.iterdir() if path.is_file()).lower()
    for gone in (b"ada@example.com", b"secret", b"203.0.113.77", b"198.51.100.77"):
        assert gone not in kept


def test_a_proxy_that_nobody_trusts_says_nothing(processes: Processes, tmp_path: Path) -> None:
    """What X-Forwarded-For says counts only if a setting says so: else anybody could say it."""
    up = Up(processes, tmp_path / "data", ip="keep")
    key = milepost("keys", "create", "shop", "--kind", "browser", data=up.data).strip()
    wait_until(lambda: send(up, key, messageId="m", userId="u").status_code == 200)
    up.process.stop()
    kept = b"".join(path.read_bytes() for path in up.data.iterdir() if path.is_file())
    assert b"203.0.113.77" not in kept
    assert b"127.0.0.1" in kept


def test_an_import_passes_the_same_door(tmp_path: Path) -> None:
    """Its lines need the consent, and lose what is denied; a bot's are excluded."""
    bot = {"userAgent": GOOGLEBOT, **CONSENT}
    lines = [
        {"type": "page", "userId": "a", "messageId": "1"},
        {"type": "page", "userId": "b", "messageId": "2", "context": bot, "properties": {"phone": "0912-GONE"}},
    ]
    given = "\n".join(map(json.dumps, lines)).encode()
    env = {f"MILEPOST_{name.upper()}": value for name, value in SETTINGS.items()}
    told = milepost("import", "-", data=tmp_path / "data", given=given, env=env)
    assert "line 1: no_consent (context.consent):" in told
    assert json.loads(milepost("check", "--deep", "--json", data=tmp_path / "data"))["excluded"] == 1
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file())
    assert b"GONE" not in kept
