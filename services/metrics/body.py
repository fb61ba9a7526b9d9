"""Bodies of bounded size."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

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


class Bounded(APIRoute):
    """A route whose body is read by us, and bounded, before it is understood."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the body read before it."""
        handle = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            request._body = await read(request)  # where Starlette keeps what was read
            return await handle(request)

        return bounded
