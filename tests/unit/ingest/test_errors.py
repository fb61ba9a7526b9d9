"""Whatever goes wrong: an answer with a code and a message that a page can read, and nothing of our insides."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

from services.ingest.app import build_ingest
from services.ingest.keys import WriteKey
from services.ingest.protocols.all import PROTOCOLS
from services.ingest.protocols.port import Takes
from services.ingest.routes import Routes
from shared.log.port import Entry, Log, LogUnavailable
from shared.settings import Settings
from tests.support.front import BASIC, KEY, NOW, Answer, FixedKeys, Front, Noted, filled

FOUND = {path: Routes(PROTOCOLS, "").find(filled(path)).target for one in PROTOCOLS for path in one.paths}
TAKES = {path: target for path, target in FOUND.items() if isinstance(target, Takes)}
ORIGIN = (b"origin", b"https://shop.example")
#: What an error may carry inside, and nobody outside may see.
INSIDES = "kafka-1.internal:9092 /srv/milepost/log.db"
EVENT = {"type": "track", "event": "E", "userId": "u", "previousId": "p", "distinct_id": "a", "$distinct_id": "a"}
#: One event in the words of every protocol, alone and in a batch.
BODY = {**EVENT, "$set": {"plan": "trial"}, "api_key": KEY, "token": KEY, "$token": KEY, "batch": [EVENT]}


class Broken:
    """A log and keys that fail with this."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def append(self, entries: Sequence[Entry]) -> None:
        raise self._error

    def find(self, key: str) -> WriteKey | None:
        raise self._error


def door(error: Exception, key: WriteKey | None = None, **settings: object) -> Front:
    """The app over a log that fails; so do the keys, unless one is given."""
    broken = Broken(error)
    log: Log = broken  # type: ignore[assignment]  # only appended to
    keys = FixedKeys(**{KEY: key}) if key else broken
    chosen, registry = Settings.model_validate(settings), CollectorRegistry()
    return Front(build_ingest(log, keys, Noted(), chosen, registry, lambda: NOW), log, registry=registry)


def check(answer: Answer, status: int, code: str) -> None:
    """Such an error, which says no more than it should."""
    assert (answer.status, answer.body["code"], answer.body["success"]) == (status, code, False)
    assert answer.body["message"].endswith(".")
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert ("retry-after" in answer.headers) == (status in (429, 503))
    told = json.dumps([answer.body, answer.headers])
    for inside in (*INSIDES.split(), "Traceback", "Error", ".py", "line "):
        assert inside not in told


async def send(front: Front, path: str) -> Answer:
    """One event to a path, or the question that is asked there."""
    found = FOUND[path]
    assert found is not None
    body = json.dumps(BODY).encode()
    if "GET" in found.methods:
        data = urlsafe_b64encode(body).decode()
        return await front.call("GET", f"{filled(path)}?data={data}&token={KEY}", headers=(BASIC, ORIGIN))
    return await front.call("POST", filled(path), body, (BASIC, ORIGIN))


@pytest.mark.parametrize("path", TAKES)
@pytest.mark.parametrize("error", [LogUnavailable(INSIDES), RuntimeError(INSIDES)])
async def test_a_log_that_fails(path: str, error: Exception) -> None:
    """503 on every path that takes events, whether the log says what it lacks or breaks down."""
    check(await send(door(error, WriteKey(7, 1, "test", "server")), path), 503, "unavailable")


@pytest.mark.parametrize("path", [path for path in FOUND if path not in ("/s", "/v1/m", "/rsaMetrics")])
async def test_a_fault_of_ours(path: str) -> None:
    """503 on every path that looks for a key, where that breaks down."""
    check(await send(door(RuntimeError(INSIDES)), path), 503, "unavailable")


@pytest.mark.parametrize("path", TAKES)
async def test_every_refusal_of_a_request(path: str) -> None:
    """For its page, its size, its key's rate, its method and its bytes."""
    error, takes = RuntimeError(INSIDES), TAKES[path]
    known = WriteKey(7, 1, "test", "server")
    stranger = door(error, known._replace(origins=("https://other.example",)))
    check(await send(stranger, path), 403, "origin_refused")
    fast = door(error, known._replace(rate=1))
    answers = [await send(fast, path) for _ in range(12)]
    check(answers[-1], takes.too_fast, "rate_limited")
    check(await fast.call("PATCH", filled(path), b"", (ORIGIN,)), 405, "method_not_allowed")
    if "POST" in takes.methods:  # what a GET brings is bounded as a head
        check(await send(door(error, known, request_bytes=10), path), 413, "too_large")
        check(await fast.call("POST", filled(path), b"\xff{", (BASIC, ORIGIN)), 400, "invalid_json")
