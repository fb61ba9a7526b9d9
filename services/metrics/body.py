"""Bodies of bounded size."""

from fastapi import Request

from services.metrics.errors import Refused

#: Bytes of the largest body taken, far more than a definition needs.
LARGEST = 1 << 20


async def read(request: Request) -> bytes:
    """The whole body. Raises Refused as soon as it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise Refused(413, "too_large", f"the body is larger than {LARGEST:,} bytes: send less")
    return bytes(body)
