"""Bodies are told by their bytes: packed, in forms, in base64, in other encodings, in pieces; never past the limit."""

import gzip
import json
import tracemalloc
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec
import pytest

from shared.events import decode
from tests.support.front import KEY, Front, front

PAGE: dict[str, Any] = {"type": "page", "messageId": "m", "anonymousId": "a"}
#: Its base64 has a plus and a slash, and its text is not ASCII.
ODD = PAGE | {"name": "سلام >>>???~~~ 😀"}
BODY = json.dumps({"batch": [ODD]}, ensure_ascii=False).encode()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Front]:
    """The app over an empty log."""
    async with front(tmp_path) as made:
        yield made


@pytest.mark.parametrize("label", ["application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"])
@pytest.mark.parametrize("packed", [False, True])
async def test_the_label_of_a_body_is_not_believed(door: Front, label: str, packed: bool) -> None:
    """JSON is read under any content type, packed or not, in one piece or several."""
    body = json.dumps({"batch": [PAGE]}).encode()
    body = gzip.compress(body[:20]) + gzip.compress(body[20:]) if packed else body
    answer = await door.post("/v1/batch", body, (b"content-type", label.encode()), pieces=3)
    assert answer.body == {"success": True, "accepted": 1, "rejected": []}


@pytest.mark.parametrize(
    "body",
    [b"\x1f\x8b", b"\x1f\x8b\x08nonsense", gzip.compress(b'{"batch":[]}' * 100)[:-9]],
    ids=["a head alone", "nonsense", "cut off"],
)
async def test_damaged_gzip_is_named(door: Front, body: bytes) -> None:
    """400, and what is wrong with it."""
    answer = await door.post("/v1/batch", body)
    assert (answer.status, answer.body["code"]) == (400, "invalid_gzip")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("pieces", [1, 7])
async def test_a_body_past_the_limit_is_413(tmp_path: Path, packed: bool, pieces: int) -> None:
    """A body larger than the setting, as sent or unpacked, is refused whole; one of exactly its size is read."""
    async with front(tmp_path, request_bytes=5000) as door:
        for size, status in ((5000, 200), (5001, 413)):
            start = b'{"batch":[],"x":"'
            body = start + b"x" * (size - len(start) - 2) + b'"}'
            answer = await door.post("/v1/batch", gzip.compress(body) if packed else body, pieces=pieces)
            assert (answer.status, answer.body.get("code")) == (status, "too_large" if status == 413 else None)


async def test_a_bomb_is_not_unpacked(door: Front) -> None:
    """A little gzip that would become 300 MB is refused before it does: memory never holds it."""
    bomb = gzip.compress(bytes(300_000_000))
    assert len(bomb) < 500_000
    tracemalloc.start()
    try:
        answer = await door.post("/v1/batch", bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status == 413
    assert peak < 10_000_000


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + BODY,
        b" \r\n" + BODY,
        b64encode(BODY),
        b64encode(BODY).rstrip(b"="),
        urlsafe_b64encode(BODY),
        b"data=" + quote_plus(BODY).encode(),
        b"data=" + quote(BODY).encode(),
        b"data=" + b64encode(BODY),  # a plus that nobody escaped
        b"ip=1&_=17&data=" + quote_plus(b64encode(BODY)).encode() + b"&compression=base64",
        b"data=" + quote_plus(b64encode(gzip.compress(BODY))).encode(),
        gzip.compress(b"data=" + quote_plus(b64encode(BODY)).encode()),
        gzip.compress(gzip.compress(BODY)),
    ],
)
async def test_json_is_found_in_its_wrappings(door: Front, body: bytes) -> None:
    """A mark in front, base64 of either alphabet, a form's data, gzip, and these in each other."""
    answer = await door.post("/v1/batch", body, (b"content-type", b"application/x-www-form-urlencoded"))
    assert answer.body == {"success": True, "accepted": 1, "rejected": []}
    assert [record.name for record in await door.records()] == [ODD["name"]]


@pytest.mark.parametrize("body", [b"hello", b"data=", b"data=hello", b"a=1&b=2", b64encode(b"hello"), b"%%%"])
async def test_what_is_nothing_of_these_is_no_json(door: Front, body: bytes) -> None:
    """400 with a code."""
    answer = await door.post("/v1/batch", body)
    assert (answer.status, answer.body["code"]) in ((400, "invalid_json"), (400, "empty_body"))


async def test_wrappings_without_end_are_not_followed(door: Front) -> None:
    """Each costs the same again; nobody wraps a body so often."""
    body = BODY
    for _ in range(9):
        body = gzip.compress(body)
    assert (await door.post("/v1/batch", body)).status == 400


async def test_bytes_that_are_not_utf8_are_refused_alone(door: Front) -> None:
    """In an identifier, in a property, in a field that nobody reads: the neighbours are taken."""
    events = [
        b'{"type":"page","messageId":"m","anonymousId":"\xff"}',
        b'{"type":"page","messageId":"m","anonymousId":"a","properties":{"x":"\xc3"}}',
        b'{"type":"page","messageId":"m","anonymousId":"a","context":{"\xed\xa0\xbd":1}}',
        '{"type":"page","messageId":"fine","anonymousId":"آ"}'.encode(),
    ]
    answer = await door.post("/v1/batch", b'{"batch":[' + b",".join(events) + b"]}")
    assert [(one["index"], one["code"]) for one in answer.body["rejected"]] == [(n, "invalid_utf8") for n in range(3)]
    assert [record.id for record in await door.records()] == ["fine"]


async def test_free_parts_are_kept_byte_for_byte(door: Front) -> None:
    """Spaces, escapes, the order of names and the way of writing numbers are as they were sent."""
    free = rb'{ "b":1.50,"a" : "\u0627\/", "n":1E2 }'
    await door.post("/v1/page", b'{"messageId":"m","userId":"u","properties":%s,"context":%s}' % (free, free))
    record = decode((await door.values())[0])
    assert bytes(record.properties) == bytes(record.context) == free


def cesu(text: str) -> bytes:
    """The text with each character beyond the first 65,536 as two halves of three bytes."""
    units = text.encode("utf-16-be")
    halves = "".join(chr(int.from_bytes(units[at : at + 2], "big")) for at in range(0, len(units), 2))
    return halves.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/page"])
async def test_cesu8_is_read_where_utf8_is_none(door: Front, path: str) -> None:
    """In identifiers, names, free parts and what nobody reads, beside UTF-8 proper; what is kept is UTF-8."""
    text = "😀 آ 𝄞"
    event = PAGE | {"anonymousId": text, "name": text, "properties": {text: text}, "other": text}
    body = cesu(
        json.dumps(event if path == "/v1/page" else {"batch": [event, PAGE | {"name": "😀"}]}, ensure_ascii=False)
    )
    assert b"\xed" in body
    answer = await door.post(path, body)
    assert answer.status == 200, answer.body
    record = (await door.records())[0]
    assert (record.anonymous, record.name) == (text, text)
    assert msgspec.json.decode(record.properties) == {text: text}


# --- An image ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapped", [lambda data: quote_plus(b64encode(data)), b64encode, quote_plus])
async def test_an_image_carries_an_event(door: Front, wrapped: Any) -> None:
    """Its query holds the event with its key; the path says the type; the answer is a pixel."""
    data = wrapped(json.dumps(ODD | {"writeKey": KEY}, ensure_ascii=False).encode())
    data = data if isinstance(data, str) else data.decode()
    answer = await door.call("GET", f"/v1/pixel/page?data={data}")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.body.startswith(b"GIF89a")
    assert [(record.type, record.name, record.key) for record in await door.records()] == [("page", ODD["name"], 7)]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "empty_body"),
        ("data=hello", 400, "invalid_json"),
        ("data=" + b64encode(b"{}").decode(), 401, "missing_key"),
        ("data=" + b64encode(json.dumps({"writeKey": KEY}).encode()).decode(), 400, "missing_id"),
    ],
)
async def test_an_image_that_carries_none_is_told(door: Front, query: str, status: int, code: str) -> None:
    """No 200 that is not true."""
    answer = await door.call("GET", f"/v1/pixel/page?{query}")
    assert (answer.status, answer.body["code"]) == (status, code)
