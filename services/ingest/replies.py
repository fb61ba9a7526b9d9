"""Answers: what became of the events, and errors with a code and a message, which old SDKs need."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

import msgspec

from services.ingest.cors import Headers
from services.ingest.protocols.port import Reply
from services.ingest.refusals import Refusal, Refused

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: Seconds after which a client may try again.
RETRY_AFTER = 2

_encode = msgspec.json.Encoder().encode


def verdict(accepted: int, refused: Sequence[Refusal]) -> Reply:
    """What became of each event: 200 if one was taken, or if there was none to take."""
    if not refused:
        return Reply(200, b'{"success":true,"accepted":%d,"rejected":[]}' % accepted)
    rejected = [{"index": one.index, "code": one.code, "field": one.field, "message": one.message} for one in refused]
    if accepted:
        return Reply(200, _encode({"success": True, "accepted": accepted, "rejected": rejected}))
    first = refused[0]
    return error(400, Refused(first.code, first.field, first.message), {"accepted": 0, "rejected": rejected})


def error(status: int, refused: Refused, more: Mapping[str, object] | None = None) -> Reply:
    """Nothing was taken, and why."""
    field = {"field": refused.field} if refused.field else {}
    return Reply(
        status, _encode({"success": False, "code": refused.code, "message": refused.message, **field, **(more or {})})
    )


async def respond(
    send: Send, reply: Reply, headers: Headers, methods: tuple[str, ...], again: int | None = None
) -> None:
    """Sends it; `methods` are those that the path takes, `again` the seconds to wait where they are known.

    `headers` are those of CORS, empty where no page asks.
    """
    page = bool(headers)
    status, answer, content_type = reply
    headers = [*headers, (b"content-length", b"%d" % len(answer))]
    if answer:
        headers.append((b"content-type", content_type))
    if "GET" in methods:  # an image that a browser had kept would count but once
        headers.append((b"cache-control", b"no-store"))
    match status:
        case 401:
            # Not Basic, at which a browser would ask its user for a password.
            headers.append((b"www-authenticate", b'Bearer realm="milepost"'))
        case 405:
            headers.append((b"allow", ", ".join((*methods, "OPTIONS")).encode()))
        case 429 | 503:
            wait = b"%d" % (again or RETRY_AFTER)
            headers.append((b"retry-after", wait))
            if page:  # Segment's browser SDK before 1.84 looks here, for seconds; its Node.js SDK 2, for an instant
                headers.append((b"x-ratelimit-reset", wait))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
