"""Calls the ingest app as a server would, without one: a request in, its answer and what came to lie on the log out."""

import json
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from services.ingest.app import App, Ingest, build_ingest
from services.ingest.keys import WriteKey
from services.ingest.refusals import Refusal
from shared.events import Record, decode
from shared.log.port import Log
from shared.log.sqlite import open_sqlite_log
from shared.settings import Settings

KEY = "wk_test"
BASIC = (b"authorization", b"Basic " + b64encode(f"{KEY}:".encode()))
#: 2026-03-31T12:00:00Z, when everything is received.
NOW = 1_774_958_400_000_000


class FixedKeys:
    """Keys by their text."""

    def __init__(self, **keys: WriteKey) -> None:
        self._keys = keys

    def find(self, key: str) -> WriteKey | None:
        return self._keys.get(key)


class Noted(list[Refusal]):
    """Keeps what was refused."""

    def note(self, refusal: Refusal) -> None:
        self.append(refusal)


def filled(path: str) -> str:
    """A path of the OpenAPI document as somebody might call it."""
    return path.replace("{key}", KEY).replace("{method}", "track").replace("{type}", "track")


def now() -> int:
    """The clock of a running server, in microseconds."""
    return time.time_ns() // 1000


def ingest_app(
    log: Log, refused: Noted, registry: CollectorRegistry, settings: Settings | None = None, fixed: int | None = None
) -> Ingest:
    """The app with one write key, KEY, number 7 of project 1; its clock stands still at `fixed`."""
    keys = FixedKeys(**{KEY: WriteKey(7, 1, "test", "write")})
    clock = now if fixed is None else lambda: fixed
    return build_ingest(log, keys, refused, settings or Settings(), registry, clock)


@dataclass
class Answer:
    """A response; `body` is its JSON, or its bytes if they are something else."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Front:
    """The app over a log of its own."""

    app: App
    log: Log
    refused: Noted = field(default_factory=Noted)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    client: str = "203.0.113.77"

    async def call(
        self, method: str, path: str, body: bytes = b"", headers: tuple[tuple[bytes, bytes], ...] = (), pieces: int = 1
    ) -> Answer:
        """One request, its body cut into so many pieces."""
        step = -(-len(body) // pieces) or 1
        parts = [body[at : at + step] for at in range(0, len(body), step)] or [b""]
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "client": (self.client, 40_000),
            "method": method,
            "path": path.partition("?")[0],
            "query_string": path.partition("?")[2].encode(),
            "scheme": "http",
            "headers": [(b"host", b"track.example:8000"), *headers],
        }
        await self.app(scope, receive, send)
        start, payload = sent[0], b"".join(message.get("body", b"") for message in sent[1:])
        fields = {name.decode(): value.decode() for name, value in start["headers"]}
        is_json = fields.get("content-type") == "application/json"
        return Answer(start["status"], fields, json.loads(payload) if is_json else payload or None)

    async def post(self, path: str, body: Any, *headers: tuple[bytes, bytes], pieces: int = 1) -> Answer:
        """Posts bytes, or anything else as JSON, with KEY unless an Authorization is among the headers."""
        data = (
            body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        )
        given = headers if any(name == b"authorization" for name, _ in headers) else (BASIC, *headers)
        return await self.call("POST", path, data, given, pieces)

    async def records(self) -> list[Record]:
        """All that lies on the log, partition by partition."""
        return [decode(value) for value in await self.values()]

    async def values(self) -> list[bytes]:
        """The same as bytes."""
        found: list[bytes] = []
        async with self.log.reader("test") as reader:
            for partition in range(self.log.partitions):
                found += (await reader.read(partition, 0, 1_000_000)).values
        return found


@asynccontextmanager
async def front(folder: Path, **settings: object) -> AsyncIterator[Front]:
    """The app over an empty log in this folder, its clock at NOW; addresses are kept, unless told otherwise."""
    async with open_sqlite_log(folder / "front.db", 1, 3600) as log:
        refused, registry = Noted(), CollectorRegistry()
        app = ingest_app(log, refused, registry, Settings.model_validate({"ip": "keep", **settings}), NOW)
        yield Front(app, log, refused, registry)
