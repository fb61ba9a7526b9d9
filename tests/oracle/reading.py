"""What can be seen at one instant: the history so far, the moves so far, and what is made of them."""

from dataclasses import dataclass
from typing import Any

from tests.oracle.history import Place, Touchpoint, place
from tests.oracle.matching import matches


@dataclass(frozen=True)
class Move:
    """One move: effective at (µs), from which stage (None for absent), to which, and whether by timer.

    `by` is where the touchpoint that made it stands in the history, None for a timer.
    """

    at: int
    source: str | None
    target: str
    timer: bool
    by: Place | None = None


@dataclass(frozen=True)
class Reading:
    """What a condition can see at one instant, before the move that is being decided.

    `seen` is the history up to now in order, this touchpoint included; `touchpoint` is None when time alone
    is the reason for reading. `zone` is the project's.
    """

    definition: dict[str, Any]
    zone: str
    seen: list[Touchpoint]
    moves: list[Move]
    now: int
    touchpoint: Touchpoint | None

    @property
    def stage(self) -> str | None:
        """The stage held now, None for absent."""
        return self.moves[-1].target if self.moves else None

    def matching(self, matcher: dict[str, Any]) -> list[Touchpoint]:
        """What has matched so far."""
        return [one for one in self.seen if matches(self.definition, matcher, one)]

    def since_entry(self, touchpoint: Touchpoint) -> bool:
        """Rule 51: whether a touchpoint is after the last move, if there was one."""
        if not self.moves:
            return True
        last = self.moves[-1]
        return place(touchpoint) > last.by if last.by else touchpoint["t"] > last.at

    def traits(self) -> dict[str, Any]:
        """Rule 15: the customer's traits now."""
        known: dict[str, Any] = {}
        for touchpoint in self.seen:
            if touchpoint["type"] == "identify":
                known |= touchpoint["traits"]
        return known
