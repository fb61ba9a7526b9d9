"""How much is worked on at once: past the bound a request is refused at once, if possible before its body is read."""

import time

from services.ingest.refusals import Unreadable

#: Where the server notes in a request's scope when its head was complete, by the system's monotonic time.
ARRIVED = "milepost.arrived"


class Gate:
    """Counts requests whose body is there and whose answer is not, and the bytes of all bodies that are held.

    A request that is still being sent counts by its bytes alone, so that slow senders do not take the places of others.
    One that waited its turn for more than so many seconds is refused, too: then more comes than can be worked off, and
    a refusal now is worth more than an answer that comes late.
    """

    def __init__(self, requests: int, size: int, seconds: float) -> None:
        self._most_requests, self._most_size, self._most_seconds = requests, size, seconds
        self.requests = self.size = 0

    def enter(self, arrived: float | None = None) -> "Held":
        """A request's turn comes, which `arrived` then (monotonic). Raises Unreadable (503) if there is too much."""
        late = arrived is not None and time.monotonic() - arrived > self._most_seconds
        if late or self.requests >= self._most_requests or self.size >= self._most_size:
            raise _overloaded()
        return Held(self)

    def grow(self, size: int) -> None:
        """So many bytes more are held. Raises Unreadable (503) past the bound."""
        self.size += size
        if self.size > self._most_size:
            raise _overloaded()


class Held:
    """What one request holds, until `leave`."""

    __slots__ = ("_gate", "_requests", "_size")

    def __init__(self, gate: Gate) -> None:
        self._gate, self._requests, self._size = gate, 0, 0

    def grow(self, size: int) -> None:
        """So many bytes of its body came. Raises Unreadable (503) if that is too much."""
        self._size += size
        self._gate.grow(size)

    def complete(self) -> None:
        """All of it is there: from now on it is worked on."""
        self._requests = 1
        self._gate.requests += 1

    def leave(self) -> None:
        """It is answered, or gone."""
        self._gate.requests -= self._requests
        self._gate.size -= self._size


def _overloaded() -> Unreadable:
    return Unreadable(503, "overloaded", "There is too much to do at the moment; nothing was accepted. Try again.")
