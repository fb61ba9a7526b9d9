"""Segment's mobile SDKs. Kotlin's core, of which the one for Android is made, runs on any Java machine; requests made
as theirs are (sdk/mobile.yaml) stand in for what needs a phone."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from shared.events import SECOND
from tests.contract.log_backends import SqliteBackend
from tests.support.front import KEY
from tests.support.processes import Processes, eventually
from tests.support.sdks import CALLS, Moody, arrived, check, context, parts
from tests.support.senders import java_machine
from tests.support.server import Served, ingest_server

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "sdk/mobile.yaml").read_text())


async def body(case: dict[str, Any]) -> AsyncIterator[bytes]:
    """The body in chunks."""
    text = case["body"].replace("WRITE_KEY", KEY).encode()
    whole = gzip.compress(text) if case.get("packing") == "gzip" else text
    for at in range(0, len(whole), 1000):
        yield whole[at : at + 1000]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["sdk"])
async def test_what_a_mobile_sdk_sends_is_taken(server: Served, backend: SqliteBackend, case: dict[str, Any]) -> None:
    """Every event is there once with every field, at its own distance from the time of sending."""
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.post(case["path"], content=body(case), headers=case["headers"])
    assert answer.status_code == 200
    records = await arrived(backend, len(case["events"]))
    records.sort(key=lambda record: record.at)
    wanted = [{name: value for name, value in event.items() if name != "ago"} for event in case["events"]]
    assert [parts(record) for record in records] == wanted
    assert [(record.received - record.at) / SECOND for record in records] == [event["ago"] for event in case["events"]]
    assert {context(record)["library"]["name"] for record in records} == {case["sdk"].split()[0]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["sdk"])
async def test_a_mobile_sdk_learns_where_to_send(backend: SqliteBackend, case: dict[str, Any]) -> None:
    """The settings that it asks for at the start name the address to send to, without a scheme, and nothing to load."""
    with ingest_server(backend.address, public_url="https://journeys.shop.example") as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            found = (await client.get(case["settings"].replace("WRITE_KEY", KEY))).raise_for_status().json()
    assert list(found["integrations"]) == ["Segment.io"]
    assert found["integrations"]["Segment.io"]["apiHost"] == "journeys.shop.example/v1"
    assert found["metrics"] == {"sampleRate": 0}


@pytest.mark.timeout(600)  # the first run builds the SDK
@pytest.mark.parametrize("refusals", [[], [503, 429]], ids=["at once", "tried again"])
async def test_the_kotlin_sdk(
    server: Served, moody: Moody, backend: SqliteBackend, processes: Processes, refusals: list[int]
) -> None:
    """analytics-kotlin, unmodified but for http: every event is there once, also after 503 and 429."""
    moody.refuse(refusals, "/v1/")
    calls = [call for call in CALLS if call["call"] != "page"]
    sender = processes.start(*java_machine("segment-kotlin"), "Send", server.url, KEY, json.dumps(calls))
    records = await arrived(backend, len(calls))
    sender.stop()
    await eventually(lambda: len(moody.seen) > len(refusals))
    assert moody.seen[: len(refusals) + 1] == [*refusals, 200]
    # It keeps its own ids, and gives each event the user's.
    check(records, "analytics-kotlin", calls, ("userId", "anonymousId", "previousId"))
    assert {record.user for record in records} == {"u-1 آ"}
