"""Hypothesis strategies for bodies as careless and hostile senders make them."""

import gzip
import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote_plus

from hypothesis import strategies as st

from shared.events import TYPES

FIELDS = [
    *("type", "messageId", "userId", "anonymousId", "previousId", "groupId", "event", "name", "writeKey"),
    *("timestamp", "originalTimestamp", "sentAt", "receivedAt", "properties", "traits", "context"),
    *("project", "at", "key", "clamped"),
]

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=12),  # halves of surrogate pairs and NUL included
    st.sampled_from(["", "u", "2026-03-31T12:00:00Z", "0000-01-01", "9999-12-31T23:59:59+14:00", "x" * 600, *TYPES]),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
EVENTS: st.SearchStrategy[Any] = st.one_of(
    st.dictionaries(st.sampled_from(FIELDS), VALUES),
    st.fixed_dictionaries(
        {"type": st.sampled_from(TYPES), "userId": TEXTS, "event": TEXTS, "previousId": TEXTS},
        optional=dict.fromkeys(("messageId", "timestamp", "sentAt", "properties", "traits", "context", "name"), VALUES),
    ),
)


def dumped(value: object, ascii_only: bool) -> bytes:
    """JSON as a careless sender writes it: with infinities, with escapes or without."""
    return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


BODIES = st.builds(
    dumped,
    st.one_of(
        VALUES,
        EVENTS,
        st.fixed_dictionaries({"batch": st.lists(EVENTS | VALUES, max_size=5)}, optional={"context": VALUES}),
    ),
    st.booleans(),
)


@st.composite
def damaged(draw: st.DrawFn, bodies: st.SearchStrategy[bytes] = BODIES) -> bytes:
    """A body with some bytes replaced, removed or doubled."""
    body = bytearray(draw(bodies))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(body)


def worded(words: Sequence[str]) -> st.SearchStrategy[bytes]:
    """JSON whose names and some of whose texts are among these words, whole or damaged, wrapped or not."""
    texts = st.sampled_from(words)
    values: st.SearchStrategy[Any] = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=5),
        max_leaves=15,
    )
    objects = st.dictionaries(texts, values, max_size=6)
    whole = st.one_of(
        objects, st.lists(objects, max_size=3), st.fixed_dictionaries({"batch": st.lists(values, max_size=3)})
    )
    bodies = st.builds(dumped, whole, st.booleans())
    return st.one_of(bodies, damaged(bodies), st.builds(_wrapped, bodies, st.integers(0, 3)), st.binary(max_size=60))


def _wrapped(body: bytes, way: int) -> bytes:
    ways = (gzip.compress, b64encode, lambda body: b"data=" + quote_plus(body).encode(), lambda body: body + b"=")
    return bytes(ways[way](body))
