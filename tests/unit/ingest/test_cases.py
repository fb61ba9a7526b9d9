"""Golden cases: request, answer, records (cases.yaml, and a file for each further protocol)."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from shared.events import Record
from tests.support.front import Answer, front

KEYS = {"name", "to", "headers", "event", "batch", "body", "text", "answer", "refused", "records"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Loader(yaml.SafeLoader):
    """YAML without its own idea of dates: times in the cases are text, as in JSON."""


Loader.yaml_implicit_resolvers = {
    first: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load() -> list[dict[str, Any]]:
    """The cases; a mistyped key is an error."""
    files = sorted(Path(__file__).parent.glob("cases*.yaml"))
    cases: list[dict[str, Any]] = [case for file in files for case in yaml.load(file.read_text("utf-8"), Loader)]
    for case in cases:
        assert not set(case) - KEYS, f"{case['name']}: unknown keys {set(case) - KEYS}"
        assert len(set(case) & {"event", "batch", "body", "text"}) == 1, f"{case['name']}: one request each"
        assert set(case.get("answer", {})) <= {"status", "body"}, case["name"]
    return cases


def micros(text: str) -> int:
    """Microseconds of an instant."""
    since = datetime.fromisoformat(text) - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def field_of(record: Record, name: str, like: Any) -> Any:
    """A record's field in the form in which a case gives it."""
    value = getattr(record, name)
    if name in ("at", "received"):
        return like if micros(like) == value else value
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value


@pytest.mark.parametrize("case", load(), ids=lambda case: case["name"])
async def test_case(case: dict[str, Any], tmp_path: Path) -> None:
    """The answer has the status and parts given, the log holds the records given and no others."""
    event = case.get("event")
    body = event or case.get("body") or ({"batch": case["batch"]} if "batch" in case else case["text"].encode())
    path = case.get("to") or (f"/v1/{event['type']}" if event else "/v1/batch")
    headers = [(name.encode(), value.encode()) for name, value in case.get("headers", {}).items()]
    async with front(tmp_path) as door:
        answer = await door.post(path, body, *headers)
        records = await door.records()
    expected = case.get("records", [])
    assert len(records) == len(expected), answer.body
    for record, wanted in zip(records, expected, strict=True):
        assert {name: field_of(record, name, like) for name, like in wanted.items()} == wanted
    check(answer, case)
    refused = case.get("refused", [])
    if "answer" not in case:
        assert [[one["index"], one["code"], one["field"]] for one in answer.body["rejected"]] == refused
        assert [[one.index, one.code, one.field] for one in door.refused] == refused
        assert answer.body["accepted"] == len(expected)
        assert all(one["message"] for one in answer.body["rejected"])


def check(answer: Answer, case: dict[str, Any]) -> None:
    """Status and body; an error has a code and a message, which old SDKs need."""
    wanted = case.get("answer", {})
    assert answer.status == wanted.get("status", 200), answer.body
    body = wanted.get("body", {})
    assert {name: answer.body.get(name) for name in body} == body, json.dumps(answer.body)
    if answer.status != 200:
        assert answer.body["code"]
        assert answer.body["message"]
    assert answer.body["success"] == (answer.status == 200)
