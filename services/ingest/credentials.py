"""Where a request may carry its write key."""

import base64
import binascii
from collections.abc import Iterable, Iterator
from functools import lru_cache

from services.ingest.protocols.port import Request

#: No Authorization with a write key is longer, in bytes; and so many are remembered.
LONGEST, REMEMBERED = 1024, 1024


def keys_given(headers: Iterable[tuple[bytes, bytes]], request: Request, named: str | None) -> Iterator[str]:
    """The texts that may be the write key, in the order in which they count: Authorization, X-Write-Key (Jitsu's
    `key:secret`, or the key alone), the query's writeKey, and the one `named` by the body or the path."""
    if (text := key_in_header(headers)) is not None:
        yield text
    if b"x-write-key" in request.headers:
        text = request.headers[b"x-write-key"].strip().decode(errors="replace")
        yield text.partition(":")[0]
        yield text
    if "writeKey" in request.query:
        yield request.query["writeKey"]
    if named is not None:
        yield named


def key_in_header(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The write key in an Authorization header: Basic with the key as user name, or Bearer."""
    for name, value in headers:
        if name == b"authorization":
            found = _authorized(value) if len(value) <= LONGEST else None
            if found is not None:
                return found
    return None


@lru_cache(REMEMBERED)
def _authorized(value: bytes) -> str | None:
    scheme, _, credentials = value.strip().partition(b" ")
    scheme = scheme.lower()
    if scheme == b"basic":
        try:
            decoded = base64.b64decode(credentials.strip(), validate=True)
        except binascii.Error:
            return None
        return decoded.partition(b":")[0].decode(errors="replace")
    return credentials.strip().decode(errors="replace") if scheme == b"bearer" else None
