"""A log value that is no record is made one, field by field or as a whole."""

import json
from typing import Any

import click
import pytest

from services.commands.mending import FIELDS, mended, with_fields
from shared.events import encode, read

GOOD: dict[str, Any] = {
    "project": 1, "messageId": "m1", "type": "track", "at": 1, "receivedAt": 2, "userId": "ann", "name": "Bought",
    "properties": {"price": 1.10},
}  # fmt: skip


def broken(**fields: Any) -> bytes:
    """The record with other fields."""
    return json.dumps({**GOOD, **fields}).encode()


def test_fields_are_those_of_a_record_on_the_log() -> None:
    """Every field of a record can be named, as it is written there; texts are told from the rest."""
    texts = {"messageId", "type", "userId", "anonymousId", "previousId", "groupId", "name"}
    assert all(FIELDS[name] == (name in texts) for name in {*texts, "project", "at", "receivedAt", "properties"})
    assert set(json.loads(encode(read(broken())))) < set(FIELDS)


def test_a_field_is_set_or_taken_away() -> None:
    """Text as it is given, everything else as JSON; what is not named stays byte for byte."""
    value = b'{"userId": 7, "properties": {"price": 1.10, "price": 2}, "at": "now"}'
    given = ["userId=42", "at=17", "context={}", "name=", "anonymousId=a=b", "project=1", "type=page"]
    given += ["messageId=true", "receivedAt=3"]
    changed = with_fields(value, given)
    assert b'"properties":{"price": 1.10, "price": 2}' in changed
    record = read(changed)
    assert (record.user, record.at, record.anonymous, record.name, record.id) == ("42", 17, "a=b", None, "true")


@pytest.mark.parametrize(
    ("value", "given", "told"),
    [
        (b"\xff", "at=1", "--file"),
        (b"[1]", "at=1", "--file"),
        (b"{}", "userID=ann", "did you mean userId?"),
        (b"{}", "zzz=red", "there are project"),
        (b"{}", "userId", "FIELD=VALUE"),
        (b"{}", "at=yesterday", "is not JSON"),
    ],
)
def test_what_cannot_be_set_is_told(value: bytes, given: str, told: str) -> None:
    """The mistake is named, and the remedy."""
    with pytest.raises(click.ClickException) as refused:
        with_fields(value, [given])
    assert told in refused.value.message


def test_what_is_mended_is_as_ingest_writes_it() -> None:
    """The value is the record's own encoding, free-form parts byte for byte."""
    value = mended(json.dumps(GOOD | {"key": 0, "traits": {}}, indent=2).encode())
    assert value.startswith(b'{"project":1,"messageId":"m1","type":"track","at":1,')
    assert bytes(read(value).properties) == b'{\n    "price": 1.1\n  }'
    assert mended(value) == value == encode(read(value))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (b"{", "no JSON object"),
        (b"\xff", "no JSON object"),
        (b"[" * 100_000, "no JSON object"),
        (broken(userId=None), "neither a userId nor an anonymousId"),
        (broken(at="1"), "at"),
        (broken(project=0), "out of range"),
        (broken(userId="a\0"), "NUL"),
        (broken(userID="ann"), "did you mean userId?"),
    ],
)
def test_what_is_no_record_yet_is_told(value: bytes, told: str) -> None:
    """The reason is the stager's own."""
    with pytest.raises(click.ClickException) as refused:
        mended(value)
    assert told in refused.value.message
