"""What every protocol keeps, whatever is sent to it: any bytes are events or refused with a reason, and the SDK's own
answer can be made of what became of them."""

import ast
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.batch import arrival_of, decide
from services.ingest.body import plain
from services.ingest.credentials import keys_given
from services.ingest.keys import WriteKey
from services.ingest.protocols.all import PROTOCOLS
from services.ingest.protocols.port import Answers, Event, Protocol, Request, Takes
from services.ingest.refusals import Refused, Unreadable
from services.ingest.routes import CHARACTERS
from shared.events import decode, read
from shared.settings import Settings
from tests.support.bodies import worded
from tests.support.front import KEY, NOW, filled
from tests.support.processes import ROOT

BASE = "https://track.example"
KNOWN = WriteKey(7, 1, "test", "write")
MOST = 50
ALL = [pytest.param(protocol, id=protocol.name) for protocol in PROTOCOLS]


def paths(protocol: Protocol, kind: type) -> list[str]:
    """Its paths that take events, or that answer something."""
    return [path for path in map(filled, protocol.paths) if isinstance(protocol.route(path), kind)]


@cache
def words(protocol: Protocol) -> list[str]:
    """Every short text that stands in the rooms of the protocol: the names that it looks for, among others."""
    found = {
        "messageId",
        "userId",
        "anonymousId",
        "batch",
        "timestamp",
        "sentAt",
        "properties",
        "context",
        "traits",
        KEY,
    }
    for room in (ROOT / "services/ingest/protocols").glob(f"{protocol.name}*.py"):
        for node in ast.walk(ast.parse(room.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) < 40:
                found.add(node.value)
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                first, *rest = node.target.id.split("_")
                found |= {node.target.id, first + "".join(part.title() for part in rest)}
    return sorted(found)


@cache
def bodies(protocol: Protocol) -> st.SearchStrategy[bytes]:
    """Bodies of such words."""
    return worded(words(protocol))


def asked(path: str, method: str, query: str = "", headers: list[tuple[bytes, bytes]] | None = None) -> Request:
    """A request as the front door makes it."""
    scope = {"method": method, "query_string": query.encode("utf-8", "surrogatepass"), "headers": headers or []}
    return Request(scope, path, lambda _: BASE)


def taken(target: Takes, request: Request, sent: bytes) -> None:
    """Each event becomes a record that can be read, or is refused with a reason; or the whole request is."""
    try:
        body = plain(sent, 10_000)
        envelope = target.read(body, request, MOST)
        arrival = arrival_of(envelope, KNOWN, NOW, Settings())
    except Unreadable as refused:
        reasoned(refused)
        return
    assert len(envelope.events) <= MOST
    assert all(isinstance(event, Event | Refused) for event in envelope.events)
    assert all(isinstance(key, str) for key in keys_given([], request, envelope.key))
    entries, refusals = decide(envelope, arrival, MOST)
    assert len(entries) + len(refusals) == len(envelope.events)
    for entry in entries:
        assert read(entry.value) == decode(entry.value)
    for refusal in refusals:
        assert refusal.code
        assert refusal.message
    if target.answer is not None:
        answer = target.answer(envelope, len(entries), refusals)
        assert answer.startswith(b"GIF") if target.content_type == b"image/gif" else json.loads(answer) is not None


def reasoned(refused: Refused) -> None:
    """It says what is wrong, in text that any page can show."""
    assert refused.code
    assert refused.message
    assert not isinstance(refused, Unreadable) or 400 <= refused.status < 500
    refused.message.encode()
    refused.field.encode()


@pytest.mark.parametrize("protocol", ALL)
@settings(max_examples=200)
@given(data=st.data())
def test_any_bytes_are_events_or_refused(protocol: Protocol, data: st.DataObject) -> None:
    """By every path that takes events, by every method that it takes, with any query and header."""
    path = data.draw(st.sampled_from(paths(protocol, Takes)))
    target = protocol.route(path)
    assert isinstance(target, Takes)
    texts = st.text(max_size=10) | st.sampled_from(["1774958400000", "2026-03-31T12:00:00Z", "gzip", "base64"])
    query = "&".join(
        f"{name}={value}" for name, value in data.draw(st.lists(st.tuples(names(protocol), texts), max_size=3))
    )
    headers = data.draw(
        st.lists(st.tuples(st.sampled_from([b"sentat", b"anonymousid", b"host"]), st.binary(max_size=30)))
    )
    taken(target, asked(path, data.draw(st.sampled_from(target.methods)), query, headers), data.draw(bodies(protocol)))


def names(protocol: Protocol) -> st.SearchStrategy[str]:
    """Names of a query."""
    return st.sampled_from([*words(protocol), "sent_at", "_", "ip", "ver", "compression"])


@pytest.mark.parametrize(
    "protocol", [param for param, protocol in zip(ALL, PROTOCOLS, strict=True) if paths(protocol, Answers)]
)
@settings(max_examples=60)
@given(data=st.data())
def test_what_is_asked_is_answered_in_its_own_kind(protocol: Protocol, data: st.DataObject) -> None:
    """Whatever is asked: JSON, or a script, for a known key or none; or it is refused with a reason."""
    path = data.draw(st.sampled_from(paths(protocol, Answers)))
    target = protocol.route(path)
    assert isinstance(target, Answers)
    method = data.draw(st.sampled_from(target.methods))
    query = f"{data.draw(names(protocol))}={data.draw(st.text(max_size=10))}"
    body = b"" if method == "GET" else data.draw(bodies(protocol))
    try:
        reply = target.reply(plain(body, 10_000), asked(path, method, query), lambda key: key == KEY)
    except Unreadable as refused:
        reasoned(refused)
        return
    assert 200 <= reply.status < 500
    if reply.content_type == b"application/json":
        json.loads(reply.body)


@pytest.mark.parametrize("protocol", ALL)
@given(
    path=st.text(max_size=30).map("/{}".format)
    | st.builds(lambda a, b: f"/{a}/{b}", st.text(max_size=5), st.text(max_size=5))
)
def test_any_path_is_one_of_its_own_or_nobodys(protocol: Protocol, path: str) -> None:
    """Never an error; the paths that it lists are short enough to be looked for."""
    assert protocol.route(path) is None or isinstance(protocol.route(path), Takes | Answers)
    for own in protocol.paths:
        assert isinstance(protocol.route(filled(own)), Takes | Answers)
        assert len(own) < CHARACTERS


@pytest.mark.parametrize("protocol", ALL)
def test_a_batch_beyond_reason_is_not_taken_apart(protocol: Protocol) -> None:
    """More events than anybody sends are one refusal, by every path that takes many."""
    event: dict[str, Any] = {
        "type": "track",
        "event": "A",
        "userId": "u",
        "properties": {},
        "distinct_id": "u",
        "api_key": KEY,
    }
    for path in map(filled, protocol.paths):
        target = protocol.route(path)
        if not isinstance(target, Takes) or "POST" not in target.methods:
            continue
        for body in ({"batch": [event] * (MOST + 1)}, [event] * (MOST + 1)):
            try:
                envelope = target.read(json.dumps(body).encode(), asked(path, "POST"), MOST)
            except Unreadable as refused:
                reasoned(refused)
            else:
                assert len(envelope.events) <= 1, path
