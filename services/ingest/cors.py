"""Which pages may call: all of them, since a write key is public. Headers are named one by one, because a star does
not cover Authorization; the origin is echoed, because older SDKs send credentials."""

from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

REQUEST_HEADERS = (
    b"Authorization, Content-Type, Content-Encoding, X-Retry-Count, X-Write-Key, X-IP-Policy, AnonymousId, SentAt, "
    b"Rsa-Version, Rsa-Install-Type, Rsa-Device-Token, Rsa-Recovered, Rsa-Retry-Attempt, Rsa-Retry-Reason, "
    b"Rsa-Since-First-Attempt, Rsa-Since-Last-Attempt, X-Enable-Debug"
)


def allowing(origin: bytes | None) -> Headers:
    """What lets the page of this origin read the answer; nothing where no browser asks."""
    if origin is None:
        return []
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"Retry-After, X-RateLimit-Reset"),
        (b"vary", b"Origin"),
    ]


def preflight(origin: bytes | None, methods: Iterable[str]) -> Headers:
    """What a browser asks for before it sends a request with such headers; good for a day."""
    return [
        *allowing(origin),
        (b"access-control-allow-methods", ", ".join(methods).encode()),
        (b"access-control-allow-headers", REQUEST_HEADERS),
        (b"access-control-max-age", b"86400"),
    ]
