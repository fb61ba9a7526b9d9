"""Taking the sting out of a body that the decoder gives up on as a whole, so that its other events can be read.

Two things make it give up although the JSON is well formed: half of a surrogate pair, and nesting deeper than its
stack. Each is replaced by a mark; the event that holds a mark is refused. A third can be put right: CESU-8, in which
older Java and JavaScript write what lies beyond the first 65,536 characters, emoji among them.
"""

import re

#: The deepest nesting of an event that is accepted: whatever reads it later has to follow.
DEPTH = 100

#: The marks: non-characters, which nobody sends.
HALF = rb"\ufdd0"
DEEP = rb'"\ufdd1"'

#: An escaped backslash, a whole pair, or half of one; other escapes do not matter.
_ESCAPE = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
#: In CESU-8, each half of a surrogate pair as if it were a character.
_CESU = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)


def repaired(body: bytes, level: int) -> bytes:
    """The body with marks; an event's outermost bracket is at this level of it (1: the body is the event)."""
    body = from_cesu8(body)
    if b"\\ud" in body or b"\\uD" in body:
        body = _ESCAPE.sub(_whole, body)
    return _without_deep(body, DEPTH + level - 1)


def from_cesu8(body: bytes) -> bytes:
    """The body in UTF-8 if it was in CESU-8.; anything else stays as it is."""
    return _CESU.sub(_joined, body) if b"\xed" in body else body


def depth(body: bytes) -> int:
    """How deep the JSON is nested (1 for an object of plain values), or a smaller number where it cannot be deep."""
    # Splitting counts faster than counting, and few brackets are the usual case.
    if len(body.split(b"{", DEPTH)) + len(body.split(b"[", DEPTH)) <= DEPTH:
        return 0
    deepest = now = 0
    for token in _TOKEN.finditer(body):
        first = token[0]
        if first in (b"{", b"["):
            now += 1
            deepest = max(deepest, now)
        elif first in (b"}", b"]"):
            now -= 1
    return deepest


def _joined(pair: "re.Match[bytes]") -> bytes:
    return pair[0].decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16").encode()


def _whole(escape: "re.Match[bytes]") -> bytes:
    return HALF if escape[1] else escape[0]


def _without_deep(body: bytes, limit: int) -> bytes:
    if body.count(b"{") + body.count(b"[") <= limit:
        return body
    kept, now, start = [], 0, 0
    for token in _TOKEN.finditer(body):
        first = token[0]
        if first in (b"{", b"["):
            now += 1
            if now == limit + 1:
                kept.append(body[start : token.start()] + DEEP)
        elif first in (b"}", b"]"):
            if now == limit + 1:
                start = token.end()
            now -= 1
    if now > limit:
        return body  # never closed: not JSON, and the decoder will say so
    return b"".join(kept) + body[start:]
