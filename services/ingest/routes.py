"""What a path means: whose it is, with the owner's prefix or without, with a slash at its end or without."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from services.ingest.protocols.port import Answers, Protocol, Takes

#: No path of ours is longer, in characters; and so many are remembered with what they mean.
CHARACTERS, REMEMBERED = 200, 1024

#: Whose a path is that nobody knows, by how it begins: a newer SDK, or one that asks for something else.
_FAMILIES = (
    ("segment", r"/v1/(projects|pixel|batch|import)/|/analytics\.js/|/analytics-next/|/next-integrations/"),
    ("rudderstack", r"/(sourceConfig|rsaMetrics|rsaRequest|beacon|v2)\b"),
    ("jitsu", r"/api/s/|/p\.js|/s/lib\.js"),
    ("posthog", r"/(e|i|s|batch|capture|engage|track|flags|decide|array|static|surveys)(/|$)|/api/(?!s/)"),
)
FAMILIES = (*(name for name, _ in _FAMILIES), "other")


class Place(NamedTuple):
    """What a path is to us.

    `path` is without prefix and without a slash at its end; `family` tells whose it may be if nobody knows it.
    """

    target: Takes | Answers | None
    path: str
    prefix: str
    family: str


class Routes:
    """The protocols' paths, also under the owner's prefix (empty, or like `/track`)."""

    def __init__(self, protocols: Sequence[Protocol], prefix: str) -> None:
        self._protocols, self._prefix = protocols, prefix
        self._remembered = lru_cache(REMEMBERED)(self._find)

    def find(self, path: str) -> Place:
        """What this path means to the first protocol that knows it."""
        return self._remembered(path if len(path) <= CHARACTERS else path[:CHARACTERS])

    def _find(self, path: str) -> Place:
        prefix = self._prefix if path.startswith(f"{self._prefix}/") else ""
        path = "/" + path[len(prefix) :].strip("/")
        if len(path) < CHARACTERS:
            for protocol in self._protocols:
                if (target := protocol.route(path)) is not None:
                    return Place(target, path, prefix, protocol.name)
        return Place(None, path, prefix, family(path))


def family(path: str) -> str:
    """Which protocol's SDK may have asked for a path that is not there."""
    return next((name for name, begins in _FAMILIES if re.match(begins, path)), "other")
