"""The bytes of a spool segment: records in a row, each framed so that damage to one costs no other.

A frame is a header (a mark, the lengths of key and value, the body's CRC-32, the header's own CRC-32), the key, the
value. A file that ends inside a frame was being written when its process died, and nobody was told that the frame is
safe: it is passed over. Anything else that is no whole frame was damaged later, and is reported.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from zlib import crc32

from shared.log.port import Entry

#: The first byte occurs in no UTF-8 text, so that frames are quickly found again behind damage.
MARK = b"\xffMSP"
_SAID = struct.Struct("<4sIII")
_CHECK = struct.Struct("<I")
HEADER = _SAID.size + _CHECK.size


class Contents(NamedTuple):
    """What a segment holds: whole records in order, the number of places with damage, and the bytes of a last record
    that was never finished."""

    entries: list[Entry]
    broken: int
    torn: int


def frame(entry: Entry) -> bytes:
    """The entry as it lies in a segment."""
    key, value = entry
    said = _SAID.pack(MARK, len(key), len(value), crc32(value, crc32(key)))
    return said + _CHECK.pack(crc32(said)) + key + value


def read(data: bytes) -> Contents:
    """Every whole record of a segment, whatever happened to the rest."""
    entries: list[Entry] = []
    at, broken = 0, 0
    while (left := len(data) - at) > 0:
        if size := _size(data, at):
            if size > left:
                return Contents(entries, broken, left)
            if entry := _entry(data, at, size):
                entries.append(entry)
            else:
                broken += 1
            at += size
        elif left < HEADER:
            return Contents(entries, broken, left)
        else:
            broken += 1
            at = _next(data, at + 1)
    return Contents(entries, broken, 0)


def chunks(entries: Iterable[Entry], size: int) -> Iterator[list[Entry]]:
    """The entries in their order, in lists of values of about `size` bytes."""
    chunk: list[Entry] = []
    held = 0
    for entry in entries:
        chunk.append(entry)
        held += len(entry.value)
        if held >= size:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


def _size(data: bytes, at: int) -> int:
    """The length of the frame whose header is here; 0 if none is."""
    body = at + HEADER
    if body > len(data) or data[at : at + len(MARK)] != MARK:
        return 0
    (check,) = _CHECK.unpack_from(data, at + _SAID.size)
    if check != crc32(data[at : at + _SAID.size]):
        return 0
    _, key, value, _ = _SAID.unpack_from(data, at)
    return HEADER + int(key) + int(value)


def _entry(data: bytes, at: int, size: int) -> Entry | None:
    """The record of the frame here; None if its body is not as it was written."""
    _, key, _, check = _SAID.unpack_from(data, at)
    body = at + HEADER
    entry = Entry(data[body : body + key], data[body + key : at + size])
    return entry if crc32(entry.value, crc32(entry.key)) == check else None


def _next(data: bytes, at: int) -> int:
    """Where the next header stands, else the end."""
    while (at := data.find(MARK, at)) >= 0:
        if _size(data, at):
            return at
        at += 1
    return len(data)
