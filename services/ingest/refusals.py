"""Why an event or a whole request was not taken."""

from dataclasses import dataclass
from typing import Protocol


class Refused(Exception):
    """An event that cannot be taken. `field` is where in it, `message` says what is wrong and what would be right."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code, self.field, self.message = code, field, message


class Unreadable(Refused):
    """A request of which nothing can be taken, and the status that it is answered with."""

    def __init__(self, status: int, code: str, message: str, field: str = "") -> None:
        super().__init__(code, field, message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused event, to be kept: whose it was, when it was received (microseconds), its place in its request."""

    project: int
    key: int
    received: int
    index: int
    code: str
    field: str
    message: str


class Refusals(Protocol):
    """Where refused events are noted, for people to find; somebody else writes them down."""

    def note(self, refusal: Refusal) -> None:
        """Takes one, at once; a full sink may forget it (the counters never do)."""
        ...
