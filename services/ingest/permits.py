"""What a write key permits: from which pages to send, and how fast."""

import time
from collections.abc import Callable, Mapping
from math import ceil
from urllib.parse import urlsplit

from services.ingest.keys import WriteKey
from services.ingest.protocols.port import Request
from services.ingest.refusals import Unreadable

#: A key that was at rest may send so many seconds' worth at once.
BURST = 10.0


class Permits:
    """Counts what each key has sent, in this process. `now` tells seconds, from any beginning."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._paid: dict[int, float] = {}  # by key: when all that it has sent would have been sent at its rate

    def check(self, key: WriteKey, request: Request, events: int, too_fast: int = 429) -> None:
        """A request with so many events. Raises Unreadable: 403 if it comes from elsewhere, `too_fast` for too much.

        A request may go past the rate if those before it did not, so that a batch larger than the burst gets through.
        """
        if key.origins and not _among(key.origins, origin(request.headers)):
            raise Unreadable(
                403,
                "origin_refused",
                "This write key may not be used from here: `milepost keys edit` says from which pages it may.",
            )
        if key.rate:
            now = self._now()
            paid = max(now, self._paid.get(key.number, now))
            if paid >= now + BURST:
                wait = max(1, ceil(paid - now - BURST))
                message = f"The write key sends more than {key.rate} events a second; nothing was accepted. Try again."
                raise Unreadable(too_fast, "rate_limited", message, again=wait)
            self._paid[key.number] = paid + events / key.rate


def origin(headers: Mapping[bytes, bytes]) -> str:
    """The origin of the page that sends: what its browser says, for an image the Referer's; empty if neither does."""
    said = headers.get(b"origin", b"").decode("latin-1").lower()
    if said:
        return said
    try:
        page = urlsplit(headers.get(b"referer", b"").decode("latin-1").lower())
    except ValueError:
        return ""
    return f"{page.scheme}://{page.netloc}" if page.netloc else ""


def _among(origins: tuple[str, ...], said: str) -> bool:
    if said in origins:
        return True
    host = said.partition("://")[2].partition(":")[0]
    return any(one.startswith("*.") and host.endswith(one[1:]) and len(host) >= len(one) for one in origins)
