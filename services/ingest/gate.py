"""How much is worked on at once: past the bound a request is refused at once, if possible before its body is read."""

from services.ingest.refusals import Unreadable


class Gate:
    """Counts requests whose body is there and whose answer is not, and the bytes of all bodies that are held.

    A request that is still being sent counts by its bytes alone, so that slow senders do not take the places of others.
    """

    def __init__(self, requests: int, size: int) -> None:
        self._most_requests, self._most_size = requests, size
        self.requests = self.size = 0

    def enter(self) -> "Held":
        """A request comes in. Raises Unreadable (503) if there is too much already."""
        if self.requests >= self._most_requests or self.size >= self._most_size:
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
