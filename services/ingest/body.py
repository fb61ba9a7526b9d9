"""The body of a request, whatever its label says: read, out of its wrappings, and never larger than the limit."""

import binascii
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote_to_bytes

from services.ingest.gate import Held
from services.ingest.refusals import Unreadable

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

GZIP = b"\x1f\x8b"
#: How JSON of events begins.
_JSON = (b"{", b"[")
#: UTF-8's byte order mark, which some write in front of JSON.
_MARK = b"\xef\xbb\xbf"
#: The most wrappings around a body: gzip in base64 in a form in gzip.
_WRAPPINGS = 4
_URL_SAFE = bytes.maketrans(b"-_ ", b"+/+")


class Gone(Exception):
    """The client hung up in the middle of its request."""


async def read(receive: Receive, limit: int, held: Held) -> bytes:
    """The whole body, out of its wrappings. Raises Unreadable, or Gone."""
    message = await receive()
    body: bytes = message.get("body", b"")
    held.grow(len(body))
    if message.get("more_body"):  # usually it comes all in one piece
        pieces, size = [body], len(body)
        while message.get("more_body") and size <= limit:
            message = await receive()
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            held.grow(len(pieces[-1]))
        body = b"".join(pieces)
    if message["type"] == "http.disconnect":
        raise Gone
    if len(body) > limit:
        raise _too_large(limit)
    held.complete()
    found = plain(body, limit)
    if len(found) > len(body):
        held.grow(len(found) - len(body))
    return found


def plain(body: bytes, limit: int) -> bytes:
    """The JSON in a body that may be gzip, base64, the `data` of a form, or these in each other, told by their bytes.

    A body that is none of them comes back as it is. Raises Unreadable: gzip that is damaged, or more than the limit.
    """
    for _ in range(_WRAPPINGS):
        if body[:1] in _JSON:
            break
        if body[:2] == GZIP:
            body = unpack(body, limit)
        elif (start := body.removeprefix(_MARK).lstrip())[:1] in _JSON:
            return start
        elif (found := _in_form(body)) is not None or (found := _from_base64(body)) is not None:
            body = found
        else:
            break
    return body


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


def _in_form(body: bytes) -> bytes | None:
    """The field `data` of a form."""
    for pair in body.split(b"&"):
        if pair.startswith(b"data="):
            return unquote_to_bytes(pair[len(b"data=") :].replace(b"+", b" "))
    return None


def _from_base64(body: bytes) -> bytes | None:
    """What base64 of either alphabet holds, padded or not, if that may be JSON or gzip; None otherwise."""
    text = unquote_to_bytes(body) if b"%" in body else body
    # A plus that was not escaped in a form became a space.
    text = text.strip().rstrip(b"=").translate(_URL_SAFE, b"\r\n")
    try:
        found = binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    except binascii.Error:
        return None
    return found if found.lstrip()[:1] in _JSON or found[:2] == GZIP else None


def _too_large(limit: int) -> Unreadable:
    return Unreadable(413, "too_large", f"The body is larger than {limit} bytes: send fewer events at a time.")
