"""Rule 53: one touchpoint after another, by trying every choice."""

from functools import cache
from typing import Any

from tests.oracle.history import Place, Touchpoint, place
from tests.oracle.matching import matches
from tests.oracle.predicates import find, identity, listed
from tests.oracle.reading import Reading
from tests.oracle.times import microseconds

FOLLOWED = 100
EVERYTHING = ("everything", None)


def sequence(reading: Reading, body: dict[str, Any]) -> bool:
    """Whether the sequence has been completed, and is held."""
    ends = completions(reading, body)
    if not ends:
        return False
    return "held" not in body or reading.now - max(one["t"] for one in ends) <= microseconds(body["held"])


def completions(reading: Reading, body: dict[str, Any]) -> list[Touchpoint]:
    """Every touchpoint that has been a last step."""

    def fits(matcher: dict[str, Any], touchpoint: Touchpoint) -> bool:
        return matches(reading.definition, matcher, touchpoint)

    def value_of(touchpoint: Touchpoint) -> tuple[str, Any] | None:
        return identity(find(touchpoint["properties"], body["by"])) if "by" in body else EVERYTHING

    followed: dict[tuple[str, Any], list[Touchpoint]] = {}  # by value, what came since its first M1
    found = []
    for touchpoint in reading.seen:
        value = value_of(touchpoint)
        if value is None or ("since" in body and not reading.since_entry(touchpoint)):
            continue
        if fits(body["steps"][0], touchpoint) and value not in followed:
            if len(followed) == FOLLOWED:
                latest: dict[tuple[str, Any], Place] = {
                    one: max(place(step) for step in came if fits(body["steps"][0], step))
                    for one, came in followed.items()
                }
                del followed[min(latest, key=lambda one: latest[one])]
            followed[value] = []
        if value in followed:
            followed[value].append(touchpoint)
            if ends_here(reading, body, followed[value]):
                found.append(touchpoint)
    return found


def ends_here(reading: Reading, body: dict[str, Any], came: list[Touchpoint]) -> bool:
    """Whether the last of these touchpoints, in order, can be the last step of a sequence of them."""
    without = listed(body.get("without", []))
    steps = body["steps"]
    spoils = [any(matches(reading.definition, matcher, one) for matcher in without) for one in came]

    @cache
    def step_can_be(step: int, number: int, first: int) -> bool:
        """Whether that touchpoint can be that step, after earlier steps of which the first is `first`."""
        if not matches(reading.definition, steps[step], came[number]):
            return False
        if step == 0:
            return number == first
        return any(step_can_be(step - 1, earlier, first) for earlier in range(first, number))

    last = len(came) - 1
    for first in range(last):
        if "within" in body and came[last]["t"] - came[first]["t"] > microseconds(body["within"]):
            continue
        if not any(spoils[first + 1 : last]) and step_can_be(len(steps) - 1, last, first):
            return True
    return False
