"""Traces of a running server, as a collector receives them."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.processes import Processes, wait_until
from tests.support.up import Up

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

Spans = dict[str, list[dict[str, Any]]]


@pytest.fixture
def collector() -> Iterator[tuple[str, Spans]]:
    """A collector of OTLP over HTTP: its address, and the spans that it has taken, by name."""
    taken: Spans = {}

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            right = (self.path, self.headers["content-type"]) == ("/v1/traces", "application/json")
            for whole in body["resourceSpans"] if right else ():
                for span in whole["scopeSpans"][0]["spans"]:
                    taken.setdefault(span["name"], []).append(span)
            self.send_response(200 if right else 400)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", taken
        server.shutdown()
        thread.join()


def told(span: dict[str, Any]) -> dict[str, str]:
    """A span's attributes."""
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


def test_requests_batches_and_questions_are_traced(
    processes: Processes, collector: tuple[str, Spans], tmp_path: Path
) -> None:
    """An event's request, its batch and a question arrive with times and without ids of customers, the question
    under its caller's trace; scrapes are not traced. What waits at the end is sent before the process ends."""
    address, taken = collector
    up = Up(processes, tmp_path / "data", traces=address, traces_share="1")
    sent = httpx.post(f"{up.url}/v1/track", json={"writeKey": up.key, "userId": "anna", "event": "Order Completed"})
    assert sent.is_success
    headers = {"Authorization": f"Bearer {up.token}", "traceparent": PARENT}

    def known() -> bool:
        return httpx.get(f"{up.url}/v1/customers/anna", headers=headers).is_success

    wait_until(known, within=20)
    httpx.get(f"{up.url}/metrics")
    wait_until(lambda: {"ingest", "stage", "question"} <= taken.keys(), within=20)
    (ingest,) = taken["ingest"]
    assert told(ingest) == {
        "http.request.method": "POST",
        "http.response.status_code": "200",
        "http.route": "/v1/track",
    }
    assert sum(int(told(span)["milepost.records"]) for span in taken["stage"]) == 1
    assert {span["traceId"] for span in taken["question"]} == {PARENT[3:35]}
    assert all("anna" not in json.dumps(span) for spans in taken.values() for span in spans)
    assert "/v1/customers/{id:path}" in {told(span)["http.route"] for span in taken["question"]}
    for spans in taken.values():
        assert all(int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]) for span in spans)

    before = len(taken["question"])
    httpx.get(f"{up.url}/v1/journeys", headers=headers)
    assert up.process.stop(within=20) == 0
    assert len(taken["question"]) > before


def test_a_collector_that_is_away_stops_nothing(processes: Processes, tmp_path: Path) -> None:
    """Events are taken while nobody takes the traces, and the log says so once."""
    up = Up(processes, tmp_path / "data", traces="http://127.0.0.1:9", traces_share="1")
    event = {"writeKey": up.key, "userId": "anna", "event": "Order Completed"}
    assert httpx.post(f"{up.url}/v1/track", json=event).is_success
    up.process.wait_for("traces are not taken by http://127.0.0.1:9/v1/traces")
    assert httpx.post(f"{up.url}/v1/track", json=event).is_success
    assert up.process.stop(within=20) == 0
