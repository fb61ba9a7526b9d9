"""Making a record of a log value that is none. Pure."""

from collections.abc import Sequence
from difflib import get_close_matches

import click
import msgspec
from msgspec.structs import fields

from shared.events import Record, Undecodable, encode, read

#: The names of a record's fields on the log, and whether they are texts.
FIELDS = {field.encode_name: field.type in (str, str | None) for field in fields(Record)}

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_FAULTS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def with_fields(value: bytes, given: Sequence[str]) -> bytes:
    """The JSON object with each of these FIELD=VALUE; without a VALUE the field is taken away.

    Raises ClickException if it is no object, or there is no such field, or a value cannot be.
    """
    try:
        record = _object(value)
    except _FAULTS as error:
        raise click.ClickException(
            f"the value is no JSON object ({error}): give the whole record with --file, or edit it"
        ) from None
    for one in given:
        name, equals, text = one.partition("=")
        if not equals:
            raise click.ClickException(f"--set {one}: write FIELD=VALUE")
        if name not in FIELDS:
            raise click.ClickException(_unknown(name))
        if not text:
            record.pop(name, None)
        else:
            record[name] = msgspec.Raw(msgspec.json.encode(text) if FIELDS[name] else _json(name, text))
    return msgspec.json.encode(record)


def mended(value: bytes) -> bytes:
    """The record that the value is, as ingest would write it. Raises ClickException that says why it is none."""
    try:
        unknown = [name for name in _object(value) if name not in FIELDS]
    except _FAULTS as error:
        raise click.ClickException(f"this is no JSON object: {error}") from None
    if unknown:
        raise click.ClickException(_unknown(unknown[0]))
    try:
        return encode(read(value))
    except Undecodable as error:
        raise click.ClickException(f"this is no record yet: {error}") from None


def _json(name: str, text: str) -> bytes:
    try:
        msgspec.json.decode(text)
    except _FAULTS:
        raise click.ClickException(f"--set {name}: {text!r} is not JSON") from None
    return text.encode()


def _unknown(name: str) -> str:
    near = get_close_matches(name, FIELDS, 1, 0.5)
    remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(FIELDS)}"
    return f"a record has no field {name!r}: {remedy}"
