"""What stands beside the front door: health, metrics, and an OpenAPI document that is true."""

import ast
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from openapi_spec_validator import validate

from services.ingest.protocols.all import PROTOCOLS
from services.ingest.routes import Routes
from services.ingest.side import alone, build_side
from shared.log.port import Log, LogUnavailable
from tests.support.front import KEY, Front, filled, front
from tests.support.processes import ROOT


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Front]:
    """The app over an empty log."""
    async with front(tmp_path) as made:
        yield made


def client(door: Front, log: Log | None = None) -> httpx.AsyncClient:
    """Calls the whole of an ingest process."""
    app = alone(door.app, log or door.log, door.registry)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://track.example")


def document() -> dict[str, Any]:
    """The OpenAPI document as the process serves it."""
    return build_side(None).openapi()  # type: ignore[arg-type]  # no log is asked


async def test_health_and_metrics_stand_beside_events(door: Front) -> None:
    """Alive, ready, and counting what came in by the front door."""
    async with client(door) as http:
        assert (await http.post("/v1/page", json={"anonymousId": "a"}, auth=(KEY, ""))).status_code == 200
        assert (await http.get("/livez")).json() == {"status": "ok"}
        assert (await http.get("/readyz")).json() == {"status": "ok"}
        assert 'milepost_events_total{result="accepted"} 1.0' in (await http.get("/metrics")).text


async def test_a_process_whose_log_is_gone_is_alive_but_not_ready(door: Front) -> None:
    """503 with a code, a message and Retry-After, and nothing of where the log is."""

    class Gone:
        async def healthy(self) -> None:
            raise LogUnavailable("Kafka at 10.0.0.7:9092: gone")

    async with client(door, Gone()) as http:  # type: ignore[arg-type]  # only its health is asked
        assert (await http.get("/livez")).status_code == 200
        answer = await http.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "10.0.0.7" not in answer.text
    assert answer.headers["retry-after"]


async def test_other_paths_are_answered_in_json(door: Front) -> None:
    """With a code and a message, as everywhere."""
    async with client(door) as http:
        for answer, status in ((await http.get("/nowhere"), 404), (await http.post("/livez"), 405)):
            assert answer.status_code == status
            assert set(answer.json()) - {"success"} == {"code", "message"}


def test_the_document_is_valid_and_describes_every_path() -> None:
    """No path of a protocol is missing from it with its methods, and none is in it that is not there."""
    described = document()
    validate(described)
    paths = {path: {method.upper() for method in found} for path, found in described["paths"].items()}
    for beside in ("/livez", "/readyz", "/metrics"):
        assert paths.pop(beside) == {"GET"}
    assert set(paths) == {path for protocol in PROTOCOLS for path in protocol.paths}
    for path, methods in paths.items():
        found = Routes(PROTOCOLS, "").find(filled(path)).target
        assert found is not None, path
        assert methods == set(found.methods), path


def test_the_document_names_every_code_that_is_answered_with() -> None:
    """As they stand in the source."""
    raised = set()
    for room in (ROOT / "services/ingest").rglob("*.py"):
        for node in ast.walk(ast.parse(room.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Refused", "Unreadable"):
                words = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
                raised.update(words[:1])
    assert raised == set(document()["components"]["schemas"]["Code"]["enum"])


def examples(kind: str) -> list[tuple[str, Any]]:
    """(path, value) of every example of a request, or of an answer."""
    found = []
    for path, methods in document()["paths"].items():
        for operation in methods.values():
            holders = [operation.get("requestBody", {})] if kind == "request" else list(operation["responses"].values())
            for holder in holders:
                for example in holder.get("content", {}).get("application/json", {}).get("examples", {}).values():
                    found.append((path, example["value"]))
    return found


@pytest.mark.parametrize(("path", "body"), examples("request"))
async def test_the_requests_in_the_document_are_accepted(door: Front, path: str, body: dict[str, Any]) -> None:
    """Sent as they stand there, all their events are taken."""
    answer = await door.post(path, body)
    assert (answer.status, answer.body["rejected"]) == (200, [])
    assert answer.body["accepted"] == len(body.get("batch", [body]))
    check("Taken", answer.body)


async def test_answers_are_as_the_document_says(door: Front) -> None:
    """Taken, partly taken, refused, unreadable and unknown answers fit their schemas."""
    page = {"type": "page", "anonymousId": "a"}
    for body, status in (({"batch": [page, 1]}, 200), ({"batch": [1]}, 400), (b"x", 400)):
        answer = await door.post("/v1/batch", body)
        assert answer.status == status
        check("Taken" if status == 200 else "NotTaken", answer.body)
    answer = await door.post("/v1/batch", {"batch": [page]}, (b"authorization", b"Bearer x"))
    assert answer.status == 401
    check("NotTaken", answer.body)


def check(schema: str, body: object) -> None:
    """Raises if the body is not as the document's schema says."""
    described = document()
    jsonschema.validate(body, {"$ref": f"#/components/schemas/{schema}", "components": described["components"]})


@pytest.mark.parametrize("path", [path for path in document()["paths"] if "{" in path])
async def test_the_document_says_what_becomes_of_a_path_that_is_too_long(door: Front, path: str) -> None:
    """404: no key and no type is so long."""
    method, operation = next(iter(document()["paths"][path].items()))
    found = re.sub(r"\{\w+\}", "k" * 300, path)
    answer = await door.call(method.upper(), found)
    assert (answer.status, "404" in operation["responses"]) == (404, True)
