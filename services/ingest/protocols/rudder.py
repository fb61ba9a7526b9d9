"""RudderStack's SDKs, where they leave Segment's protocol: they send their events as Segment's do, to its /v1 paths.

Browsers ask for the configuration of their source before they send anything, apps also; a page that is left may send
its last events as a beacon, which carries the write key in its address.
"""

from collections.abc import Callable

import msgspec

from services.ingest.credentials import keys_given
from services.ingest.protocols import segment
from services.ingest.protocols.port import Answers, Protocol, Reply, Request, Takes
from services.ingest.refusals import Unreadable

_encode = msgspec.json.Encoder().encode


def source(_body: bytes, request: Request, known: Callable[[str], bool]) -> Reply:
    """The configuration of a source: it is there, has no destinations to load code for, and its SDK reports nothing of
    itself. No data plane is named, so that events go where the site says. Raises Unreadable, with the status that apps
    take for a wrong key: after any other they ask again."""
    key = next(filter(known, keys_given(request.headers.items(), request, None)), None)
    if key is None:
        raise Unreadable(400, "unknown_key", "The write key is not known here, or was revoked: check it.", "writeKey")
    nothing = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    found = {
        "id": key,
        "name": "Milepost",
        "writeKey": key,
        "enabled": True,
        "config": {"statsCollection": nothing},
        "destinations": [],
        "connections": [],
        "dataplanes": {},
        # Those for Swift and Kotlin read no configuration without these two.
        "workspaceId": "milepost",
        "updatedAt": "1970-01-01T00:00:00.000Z",
    }
    return Reply(200, _encode({"source": found}))


_ROUTES: dict[str, Takes | Answers] = {
    "/beacon/v1/batch": Takes(segment.many),
    "/sourceConfig": Answers(source),
    # What the SDK tells of itself where a page has switched that on: nobody needs it.
    "/rsaMetrics": Answers(lambda _body, _request, _known: Reply(200, b'{"success":true}'), ("POST",)),
}

PROTOCOL = Protocol("rudderstack", _ROUTES.get, tuple(_ROUTES))
