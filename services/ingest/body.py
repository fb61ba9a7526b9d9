"""The body of a request, whatever its label says: read, unpacked, and never larger than the limit."""

import base64
import binascii
import zlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from services.ingest.refusals import Unreadable

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

GZIP = b"\x1f\x8b"


class Gone(Exception):
    """The client hung up in the middle of its request."""


async def read(receive: Receive, limit: int) -> bytes:
    """The whole body. Raises Unreadable, or Gone."""
    message = await receive()
    if not message.get("more_body"):
        body = message.get("body", b"")  # the usual case: all in one piece
    else:
        pieces, size = [], 0
        while True:
            piece = message.get("body", b"")
            size += len(piece)
            if size > limit:
                raise _too_large(limit)
            pieces.append(piece)
            if not message.get("more_body"):
                break
            message = await receive()
        body = b"".join(pieces)
    if message["type"] == "http.disconnect":
        raise Gone
    if body[:2] == GZIP:
        body = unpack(body, limit)
    if len(body) > limit:
        raise _too_large(limit)
    if not body:
        raise Unreadable(400, "empty_body", "The body is empty: send JSON.")
    return bytes(body)


def unpack(packed: bytes, limit: int) -> bytes:
    """Unpacks gzip, one member or several, and stops at the limit however much there is. Raises Unreadable."""
    out = b""
    while packed:
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            out += member.decompress(packed, limit + 1 - len(out))
        except zlib.error:
            raise Unreadable(400, "invalid_gzip", "The body begins as gzip but cannot be unpacked.") from None
        if len(out) > limit:
            raise _too_large(limit)
        if not member.eof:
            raise Unreadable(400, "invalid_gzip", "The gzip body is cut off.")
        packed = member.unused_data
    return out


def key_in_header(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The write key in an Authorization header: Basic with the key as user name, or Bearer."""
    for name, value in headers:
        if name == b"authorization":
            scheme, _, credentials = value.strip().partition(b" ")
            scheme = scheme.lower()
            if scheme == b"basic":
                try:
                    decoded = base64.b64decode(credentials.strip(), validate=True)
                except binascii.Error:
                    return None
                return decoded.partition(b":")[0].decode(errors="replace")
            if scheme == b"bearer":
                return credentials.strip().decode(errors="replace")
    return None


def _too_large(limit: int) -> Unreadable:
    return Unreadable(413, "too_large", f"The body is larger than {limit} bytes: send fewer events at a time.")
