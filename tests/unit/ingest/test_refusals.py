"""What is noted of refused events and requests."""

import json
from pathlib import Path
from typing import Any

from services.ingest.refusals import WHOLE, Refusal, with_bodies
from tests.support.front import NOW, Front, front

GOOD = {"type": "track", "userId": "ann", "event": "Clicked"}
BAD: dict[str, Any] = {"type": "track", "event": "Zahlung بله 🎉"}
BARE = ((b"authorization", b"Nothing"),)


def noted(made: Front) -> list[tuple[int, str, int, bytes]]:
    """Index, code, size and body of each."""
    return [(one.index, one.code, one.size, one.body) for one in made.refused]


async def test_a_refused_event_is_noted_as_it_was_sent(tmp_path: Path) -> None:
    """Of a batch only the refused event, byte for byte; of a path for one event all of the body."""
    sent = json.dumps(BAD, ensure_ascii=False).encode()
    strange = b'{"type": "track",  "userId": [1]}'
    async with front(tmp_path) as made:
        body = b'{"batch": [' + json.dumps(GOOD).encode() + b"," + sent + b", " + strange + b"]}"
        assert (await made.post("/v1/batch", body)).body["accepted"] == 1
        await made.post("/v1/track", sent)
        assert noted(made) == [
            (1, "missing_id", len(sent), sent),
            (2, "invalid_type", len(strange), strange),
            (0, "missing_id", len(sent), sent),
        ]
        first = made.refused[0]
        assert (first.project, first.key, first.received, first.field) == (1, 7, NOW, "userId")


async def test_so_much_is_kept_as_the_setting_says(tmp_path: Path) -> None:
    """The beginning of the event, and how long it was; nothing at all if the setting says so."""
    sent = json.dumps(BAD).encode()
    for most in (10, 0):
        folder = tmp_path / str(most)
        folder.mkdir()
        async with front(folder, rejected_bytes=most) as made:
            await made.post("/v1/track", sent)
            assert noted(made) == [(0, "missing_id", len(sent), sent[:most])]


async def test_an_event_that_breaks_its_batch_is_noted_alone(tmp_path: Path) -> None:
    """Half a surrogate pair, bytes that are no text, a nest that nobody follows: the one event is noted, as mended."""
    broken = {
        b'{"event": "half \\ud800"}': "invalid_json",
        b'{"event": "bytes \xff"}': "invalid_utf8",
        b'{"event": ' + b"[" * 9_000 + b"]" * 9_000 + b"}": "too_deep",
    }
    async with front(tmp_path) as made:
        for event in broken:
            await made.post("/v1/batch", b'{"batch": [' + json.dumps(GOOD).encode() + b"," + event + b"]}")
        assert [(index, code) for index, code, _, _ in noted(made)] == [(1, code) for code in broken.values()]
        assert [body[:10] for _, _, _, body in noted(made)] == [b'{"event": '] * 3


async def test_a_batch_of_nobody_knows_what_is_noted_by_its_beginning(tmp_path: Path) -> None:
    """Where the request is no list of its events, each refusal has the request's beginning."""
    body = json.dumps({"event": "x", "batch": [1, 2]}).encode()
    async with front(tmp_path) as made:
        await made.post("/v1/track", body)
        assert noted(made) == [(0, "missing_id", len(body), body)]


async def test_a_request_is_noted_if_it_is_known_whose_it_was(tmp_path: Path) -> None:
    """A request of which nothing could be taken is noted as a whole; with a key that is not known it is not."""
    async with front(tmp_path, request_bytes=200) as made:
        assert (await made.post("/v1/batch", b"{")).status == 400
        assert (await made.post("/v1/batch", b"{" * 201)).status == 413
        body = json.dumps({"batch": [GOOD], "sentAt": "yesterday", "writeKey": "wk_test"}).encode()
        assert (await made.post("/v1/batch", body, *BARE)).status == 400
        assert noted(made) == [
            (WHOLE, "invalid_json", 1, b"{"),
            (WHOLE, "too_large", 0, b""),
            (WHOLE, "invalid_timestamp", len(body), body),
        ]
        assert (await made.post("/v1/batch", b"{", *BARE)).status == 400
        assert (await made.post("/v1/batch", body.replace(b"wk_test", b"wk_else"), *BARE)).status == 401
        assert len(made.refused) == 3


async def test_addresses_are_left_out(tmp_path: Path) -> None:
    """A visitor's address goes no further by being refused, wherever SDKs put it, also where the event is cut."""
    event = b'{"type": "track", "event": "x", "context": {"ip": "192.0.2.1"}, "request_ip":"192.0.2.2", "$ip" : "::1",'
    event += b' "zip": "12345"}'
    for most in (4096, event.index(b".0.2.1"), event.index(b"192.0.2.2") + 3):
        folder = tmp_path / str(most)
        folder.mkdir()
        async with front(folder, rejected_bytes=most) as made:
            await made.post("/v1/track", event)
            ((_, _, size, body),) = noted(made)
        assert size == len(event)
        assert b"192" not in body
        assert body.startswith(b'{"type": "track", "event": "x", "context": {"ip": "')
    assert b'"zip": "12345"' in _whole(event)


def _whole(event: bytes) -> bytes:
    """What is kept of a refused event that is short."""
    said = Refusal(1, 1, 0, 0, "code", "", "why")
    (refusal,) = with_bodies([said], event, 1, 4096)
    return refusal.body
