"""Where everything that a definition keeps of a customer stands in the state."""

from shared.journeys.conditions.base import Layout, Slot, inside
from shared.journeys.model import Definition
from shared.journeys.setting import Setting

#: So many numbers (of eight bytes or so) are kept of one customer in one journey at most.
MOST_NUMBERS = 10_000


def numbers(layout: Layout) -> int:
    """How many numbers its aggregates, sequences and scores may come to keep of one customer."""
    return sum(slot.numbers(bound) for slot, bound in zip(layout.slots, layout.bounds, strict=True))


def lay_out(definition: Definition, setting: Setting) -> Layout:
    """The layout: equal aggregates share a slot, which keeps as much as the most demanding of them needs."""
    bounds: dict[Slot, int] = {}
    for enter in definition.conditions():
        for part in inside(enter):
            for slot, bound in part.slots():
                bounds[slot] = max(bound, bounds.get(slot, 0))
    slots = {slot: index for index, slot in enumerate(bounds)}
    return Layout(definition.numbers(), slots, tuple(bounds.values()), setting)
