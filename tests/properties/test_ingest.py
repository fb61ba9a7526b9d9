"""Whatever comes in by the front door gets an answer, and what is accepted can be read by everybody later."""

import gzip
import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from services.ingest.accept import accept_line
from services.ingest.protocols.repair import DEPTH
from services.ingest.protocols.segment import ROUTES
from shared.events import DAY, TYPES, Record, decode
from tests.support.bodies import BODIES, EVENTS, VALUES, damaged, dumped
from tests.support.front import NOW, Answer, front


async def answered(path: str, body: bytes) -> tuple[Answer, list[bytes]]:
    """The answer, and the values that lie on the log then."""
    with tempfile.TemporaryDirectory() as folder:
        async with front(Path(folder)) as door:
            answer = await door.post(path, body)
            return answer, await door.values()


def readable(value: bytes) -> None:
    """The record can be read by the stager, by any other JSON tool, and kept as text by a database."""
    record = decode(value)
    plain = json.loads(value)
    for part in (record.properties, record.traits, record.context):
        assert isinstance(msgspec.json.decode(part), dict)
    assert depth(plain) <= DEPTH
    assert record.source
    assert record.type in TYPES
    assert record.received == NOW
    assert record.at <= NOW + DAY
    assert len(record.id) < 100
    for text in (record.id, record.user, record.anonymous, record.previous, record.group, record.name):
        assert text is None or "\0" not in text
        assert text is None or len(text.encode()) <= 512
    assert plain["project"] == 1
    assert plain["key"] == 7


def depth(value: object) -> int:
    """How deep JSON is nested."""
    if isinstance(value, dict | list):
        return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)
    return 0


def sound(answer: Answer, values: list[bytes]) -> None:
    """An answer that any SDK understands, and that tells what lies on the log."""
    assert answer.status in (200, 400)
    assert answer.body["success"] == (answer.status == 200)
    assert answer.body.get("accepted", 0) == len(values)
    if answer.status != 200:
        assert answer.body["code"]
        assert answer.body["message"]
    for one in answer.body.get("rejected", []):
        assert one["code"]
        assert one["message"]
    for value in values:
        readable(value)


@given(st.sampled_from(sorted(set(ROUTES) - {"/v1/m"})), st.one_of(st.binary(max_size=60), BODIES, damaged()))
@example("/v1/batch", b'{"batch":[{"type":"page","userId":"u","properties":{"a":1e999}}]}')
@example("/v1/batch", b'{"batch":[{"type":"page","userId":"u","properties":{"a":%s}}]}' % (b"9" * 5000))
@example("/v1/page", b'{"userId":"u","properties":%s1%s}' % (b'{"a":' * 100, b"}" * 100))
@example("/v1/page", b'{"userId":"u","context":%s1%s}' % (b'{"a":' * 99, b"}" * 99))
@example("/v1/page", gzip.compress(b'{"userId":"u"}'))
async def test_any_bytes_get_an_answer(path: str, body: bytes) -> None:
    """200 or 400 in JSON, never an exception; what was accepted is on the log and can be read."""
    sound(*await answered(path, body))


@given(st.lists(st.one_of(EVENTS, VALUES), max_size=6), st.booleans())
async def test_each_event_of_a_batch_is_decided_on_its_own(events: list[Any], ascii_only: bool) -> None:
    """Every event is accepted or refused with its index, as it would be if it were sent alone."""

    bodies = [dumped(event, ascii_only) for event in events]
    # These are not JSON, so nobody could say where such an event ends.
    assume(not any(word in body for body in bodies for word in (b"NaN", b"Infinity")))
    answer, values = await answered("/v1/batch", b'{"batch":[' + b",".join(bodies) + b"]}")
    sound(answer, values)
    together = {one["index"]: (one["code"], one["field"]) for one in answer.body["rejected"]}
    for index, body in enumerate(bodies):
        alone, _ = await answered("/v1/batch", b'{"batch":[' + body + b"]}")
        refused = [(one["code"], one["field"]) for one in alone.body["rejected"]]
        assert refused == ([together[index]] if index in together else [])


@given(st.one_of(st.binary(max_size=60), BODIES, damaged()))
def test_any_line_is_accepted_or_refused(raw: bytes) -> None:
    """An import goes on whatever a line is."""
    outcome = accept_line(raw, 1, 7, NOW)
    if isinstance(outcome, Record):
        assert outcome.received <= NOW
        assert outcome.imported
    else:
        assert outcome.code
        assert outcome.message


@pytest.mark.parametrize("cut", range(0, 60, 7))
async def test_a_body_that_was_cut_off_is_refused_whole(cut: int) -> None:
    """Nothing of it is taken: the sender sends it again."""
    body = b'{"batch":[{"type":"page","userId":"u"},{"type":"page","userId":"v"}]}'
    answer, values = await answered("/v1/batch", body[:cut])
    assert (answer.status, values) == (400, [])
