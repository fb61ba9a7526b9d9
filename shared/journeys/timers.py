"""Time alone must not go round (rule 28)."""

from shared.journeys.conditions.base import Layout, Moment
from shared.journeys.model import Definition
from shared.journeys.order import candidates
from shared.journeys.state import ABSENT


def circle(definition: Definition, layout: Layout) -> list[int]:
    """The stages, by number, of a circle that timed moves can go round; empty if there is none."""
    reached = {
        stage: [
            target
            for target, enter in candidates(definition, stage)
            if enter.timed() and enter.turns(Moment(layout, stage), True) is not False
        ]
        for stage in range(ABSENT, len(definition.stages))
    }
    done: set[int] = set()

    def walk(path: list[int]) -> list[int]:
        for target in reached[path[-1]]:
            if target in path:
                return path[path.index(target) :]
            if target not in done and (found := walk([*path, target])):
                return found
        done.add(path[-1])
        return []

    for stage in reached:
        if stage not in done and (found := walk([stage])):
            return found
    return []
