"""Refused events through the real door: found by API, on the command line, and as they come."""

import json
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.processes import Processes, wait_until
from tests.support.up import Up
from tests.support.up import milepost_here as milepost


@pytest.fixture
def up(processes: Processes, tmp_path: Path) -> Up:
    """A server on a new folder."""
    return Up(processes, tmp_path / "data")


def listed(up: Up, **wanted: str) -> list[dict[str, Any]]:
    """What the API lists."""
    headers = {"Authorization": f"Bearer {up.token}"}
    answer = httpx.get(f"{up.url}/v1/rejections", headers=headers, params=wanted).raise_for_status()
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def post(up: Up, path: str, body: bytes) -> int:
    """Sends a body with the first key."""
    headers = {"Content-Type": "application/json"}
    return httpx.post(f"{up.url}{path}", content=body, headers=headers, auth=(up.key, "")).status_code


def test_refused_events_are_found_by_whoever_sends_them(up: Up, processes: Processes) -> None:
    """Reason, key and body as it was sent; by API and on the command line, filtered; live, by customer; counted."""
    everybody = processes.milepost("tail", "--data", up.data, "--rejected")
    ben = processes.milepost("tail", "--data", up.data, "--rejected", "--customer", "بن")
    for process in (everybody, ben):
        process.wait_for("Watching")
    nobody = '{"type": "track",  "event": "سفارش 🎉"}'.encode()
    deep = (
        '{"type": "track", "userId": "بن", "event": "x", "properties": {"a":'.encode() + b"[" * 99 + b"]" * 99 + b"}}"
    )
    good = json.dumps({"type": "track", "userId": "ann", "event": "Signed Up"}).encode()
    assert post(up, "/v1/batch", b'{"batch": [' + b",".join([good, nobody, deep]) + b"]}") == 200
    assert post(up, "/v1/batch", b'{"batch": [') == 400
    wait_until(lambda: len(listed(up)) == 3)

    whole, second, first = listed(up)
    assert (first["code"], first["field"], first["key"], first["index"]) == ("missing_id", "userId", "first", 1)
    assert (first["body"], first["size"]) == (nobody.decode(), len(nobody))
    assert (second["code"], second["index"], second["body"]) == ("too_deep", 2, deep.decode())
    assert (whole["code"], whole["index"], whole["body"]) == ("invalid_json", None, '{"batch": [')
    assert listed(up, code="too_deep") == listed(up, key="first", code="too_deep") == [second]

    told = milepost("rejections", "list", "--code", "missing_id", "--key", "first", data=up.data)
    assert len(told.splitlines()) == 2
    assert "event 1" in told
    assert "whole request" in milepost("rejections", "list", "--since", first["at"][:10], data=up.data)
    assert len(milepost("rejections", "list", "--since", "2199-01-01", data=up.data).splitlines()) == 1
    assert "write a date" in milepost("rejections", "list", "--since", "now", data=up.data, code=2)
    shown = milepost("rejections", "show", str(first["number"]), data=up.data)
    assert '"event": "سفارش 🎉"' in shown
    assert "missing_id, field userId" in shown
    assert "no rejection 99" in milepost("rejections", "show", "99", data=up.data, code=1)

    everybody.wait_for(r"refused +first, event 1 +missing_id userId")
    everybody.wait_for(r"refused +first, whole request +invalid_json")
    ben.wait_for(r"refused +first, event 2 +too_deep")
    assert everybody.stop(signal.SIGINT) == ben.stop(signal.SIGINT) == 0
    assert "missing_id" not in ben.output()
    page = httpx.get(f"{up.url}/metrics").text
    for code in ("missing_id", "too_deep", "invalid_json"):
        assert f'milepost_refused_total{{code="{code}"}} 1.0' in page
