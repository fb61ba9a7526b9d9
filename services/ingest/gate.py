"""How much is worked on at once: past the bound a request is refused at once, if possible before its body is read."""

from services.ingest.refusals import Unreadable


class Gate:
    """Counts requests that are worked on, with their bytes, and the bytes of all bodies, also of those still coming.

    Work is bounded more narrowly, so that nobody waits long for a turn; a request that is still being sent takes no
    part in it, so that slow senders do not take the turns of others.
    """

    def __init__(self, requests: int, size: int, bodies: int) -> None:
        self._most_requests, self._most_size, self._most_bodies = requests, size, bodies
        self._requests = self._size = self._bodies = 0

    def enter(self) -> "Held":
        """A request comes in. Raises Unreadable (503) if there is too much already."""
        if self._requests >= self._most_requests or self._size >= self._most_size or self._bodies >= self._most_bodies:
            raise _overloaded()
        return Held(self)

    def grow(self, size: int) -> None:
        """So many bytes of bodies more. Raises Unreadable (503) past the bound."""
        self._bodies += size
        if self._bodies > self._most_bodies:
            raise _overloaded()

    def work(self, requests: int, size: int, bodies: int = 0) -> None:
        """So many requests more are worked on, with so many bytes; or, below zero, so many less."""
        self._requests += requests
        self._size += size
        self._bodies += bodies


class Held:
    """What one request holds, until `leave`."""

    __slots__ = ("_bodies", "_gate", "_requests", "_size")

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._requests = self._size = self._bodies = 0

    def grow(self, size: int) -> None:
        """So many bytes of its body came. Raises Unreadable (503) if that is too much."""
        self._bodies += size
        self._gate.grow(size)

    def complete(self) -> None:
        """All of it is there: from now on it is worked on."""
        self._requests, self._size = 1, self._bodies
        self._gate.work(1, self._size)

    def leave(self) -> None:
        """It is answered, or gone."""
        self._gate.work(-self._requests, -self._size, -self._bodies)


def _overloaded() -> Unreadable:
    return Unreadable(503, "overloaded", "There is too much to do at the moment; nothing was accepted. Try again.")
