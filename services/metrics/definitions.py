"""Definitions read from their stored text, once each: a version never changes."""

from shared.journeys.compile import compile_journey
from shared.journeys.definition import Definition, load
from shared.journeys.engine import ABSENT, NONE, Journey
from shared.store.port import JourneyRow


class Definitions:
    """What has been read. It grows with the versions there are, and with nothing else."""

    def __init__(self) -> None:
        self._read: dict[int, Definition] = {}
        self._compiled: dict[int, Journey] = {}

    def of(self, row: JourneyRow) -> Definition:
        """The definition of a stored version."""
        if row.version not in self._read:
            self._read[row.version] = load(row.definition)
        return self._read[row.version]

    def journey(self, row: JourneyRow) -> Journey:
        """The same, compiled."""
        if row.version not in self._compiled:
            self._compiled[row.version] = compile_journey(self.of(row))
        return self._compiled[row.version]


def stage_name(definition: Definition, number: int) -> str | None:
    """The name of a stage by its number: `none` for no stage, None for absent."""
    if number == ABSENT:
        return None
    return "none" if number == NONE else definition.stages[number].name
