"""What a definition would make of customers, beside what the version in force makes of them. Pure: nothing is kept."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from shared.journeys.derive import derive
from shared.journeys.engine import Journey
from shared.journeys.explain import name, why
from shared.journeys.sentences import sentence
from shared.journeys.state import ABSENT
from shared.journeys.touchpoint import Touchpoint

#: Customers who are shown for each move from a stage to another.
SHOWN = 3

Move = tuple[str | None, str | None]
"""From a stage to another by name, `none`, or None for a customer whom the journey does not know."""


class Shown(NamedTuple):
    """A customer who would move, and why they would stand where they would."""

    customer: int
    reason: str


class Tally:
    """Counts customers in both, as of `now` (microseconds). `old` is None for a journey that is new.

    `before` and `after` are customers by stage, `moves` those who would stand elsewhere, with some of them `shown`;
    `failed` are customers whom one of the two cannot be derived of, with the first errors. Reasons are in `language`.
    """

    def __init__(self, new: Journey, old: Journey | None, now: int, language: str = "en") -> None:
        self.new, self.old, self.now, self._language = new, old, now, language
        self.before, self.after = Counter[str | None](), Counter[str | None]()
        self.moves, self.shown = Counter[Move](), dict[Move, list[Shown]]()
        self.looked = self.failed = 0
        self.errors = list[str]()

    def add(self, customer: int, touchpoints: Collection[Touchpoint]) -> None:
        """Counts one customer by all their touchpoints, in any order."""
        self.looked += 1
        try:
            before = None if self.old is None else self._stage(self.old, touchpoints)
            after = self._stage(self.new, touchpoints)
            if before != after:
                self._show((before, after), customer, touchpoints)
        except Exception as error:  # noqa: BLE001 - whatever a stager would quarantine the customer for
            self.failed += 1
            if len(self.errors) < SHOWN:
                self.errors.append(f"customer {customer}: {type(error).__name__}: {error}"[:300])
            return
        self.before[before] += 1
        self.after[after] += 1
        if before != after:
            self.moves[before, after] += 1

    def stages(self) -> Sequence[str]:
        """Every stage of the two, the new one's first, and `none`."""
        old = () if self.old is None else self.old.stages
        return [*dict.fromkeys([*self.new.stages, *old]), "none"]

    def _stage(self, journey: Journey, touchpoints: Collection[Touchpoint]) -> str | None:
        moves = derive(journey, touchpoints, self.now)
        return name(journey, moves[-1].target if moves else ABSENT)

    def _show(self, move: Move, customer: int, touchpoints: Collection[Touchpoint]) -> None:
        shown = self.shown.setdefault(move, [])
        if len(shown) < SHOWN:
            reason, zone = why(self.new, touchpoints, self.now).reason, self.new.layout.setting.zone
            shown.append(Shown(customer, sentence(reason, self.new.definition, self._language, zone)))
