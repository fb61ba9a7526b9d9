"""What folding a touchpoint costs: `python -m tests.bench.engine [CONSTRUCT …]` prints microseconds per touchpoint.

Records are decoded beforehand; what is measured is making the touchpoint, the timers due before it, and `touch`. Of
every construct of the language it is what it adds to a journey in which all are in the first stage and nobody ever
comes into the second: it is asked at every touchpoint, as a part of that stage's `enter`. What reads a touchpoint's
properties, or what the tables say of it, pays for that, too; several that do share it. Times are of this process's CPU.
"""

import random
import sys
import time
from collections.abc import Callable
from functools import partial

import msgspec

from shared.events import DAY, SECOND, Record
from shared.journeys import templates
from shared.journeys.compile import compile_journey
from shared.journeys.engine import Journey
from shared.journeys.touchpoint import Touchpoint
from tests.support.journeys import START, journey, setting

CUSTOMERS, TOUCHPOINTS, ROUNDS = 500, 100, 5

#: Names by weight: mostly looking, now and then buying.
MIX = {
    ("page", "Home"): 20,
    ("page", "Category"): 15,
    ("track", "Product Viewed"): 35,
    ("track", "Product Added"): 8,
    ("track", "Checkout Started"): 4,
    ("track", "Order Completed"): 3,
    ("track", "Email Delivered"): 5,
    ("track", "Something Else"): 5,
    ("track", "Signed Up"): 1,
    ("identify", None): 3,
    ("track", "Product Reviewed"): 1,
}

FOUR_CLAUSES = """
journey: four
stages:
  - stage: visitor
    enter: {touchpoint: {type: page}}
  - stage: keen
    enter:
      all:
        - count: {of: {name: Product Viewed}, within: 7d, at_least: 5}
        - trait: {plan: pro}
        - not: {quiet: 3d}
        - sum: {of: {role: purchase}, property: total, within: 90d, at_least: 1000000}
"""


#: Every touchpoint asks what is filled in, and then something that is never so.
TWO_STAGES = """
journey: two
personas: [{persona: pro, when: {plan: pro}}]
stages:
  - {stage: known, enter: {touchpoint: {}}}
  - {stage: never, enter: {all: [%s{trait: {no: such}}]}}
"""

PURCHASE, VIEW = "{role: purchase}", "{name: Product Viewed}"

#: Each construct once, as plainly as it is commonly written.
CONSTRUCTS = {
    "a touchpoint by type": "{touchpoint: {type: page}}",
    "a touchpoint by name": f"{{touchpoint: {VIEW}}}",
    "a touchpoint by role": f"{{touchpoint: {PURCHASE}}}",
    "a touchpoint by property": "{touchpoint: {properties: {total: {at_least: 20}}}}",
    "a touchpoint by channel": "{touchpoint: {channel: organic search}}",
    "a touchpoint by device": "{touchpoint: {device: smartphone}}",
    "a trait": "{trait: {plan: pro}}",
    "a persona": "{persona: pro}",
    "count, ever": f"{{count: {{of: {VIEW}, at_least: 3}}}}",
    "count, sliding window": f"{{count: {{of: {VIEW}, within: 7d, at_least: 3}}}}",
    "count, window of 90 days": f"{{count: {{of: {VIEW}, within: 90d, at_least: 40}}}}",
    "count, calendar week": f"{{count: {{of: {VIEW}, during: week, at_least: 3}}}}",
    "count, since stage entry": f"{{count: {{of: {VIEW}, since: entry, at_least: 3}}}}",
    "count, zero included": f"{{count: {{of: {PURCHASE}, within: 30d, exactly: 0}}}}",
    "sum, sliding window": f"{{sum: {{of: {PURCHASE}, property: total, within: 90d, at_least: 1000}}}}",
    "sum, calendar month": f"{{sum: {{of: {PURCHASE}, property: total, during: month, at_least: 1000}}}}",
    "average, sliding window": f"{{average: {{of: {PURCHASE}, property: total, within: 90d, at_least: 50}}}}",
    "greatest, ever": f"{{greatest: {{of: {PURCHASE}, property: total, at_least: 50}}}}",
    "distinct, sliding window": f"{{distinct: {{of: {VIEW}, property: category, within: 30d, at_least: 3}}}}",
    "sequence of two": f"{{sequence: {{steps: [{VIEW}, {PURCHASE}], within: 7d}}}}",
    "sequence of three, one between": f"{{sequence: {{steps: [{VIEW}, {{name: Product Added}}, {PURCHASE}],"
    " within: 7d, without: {name: Something Else}}}",
    "sequence on one property": f"{{sequence: {{steps: [{VIEW}, {PURCHASE}], within: 7d, by: category}}}}",
    "trend of a count": f"{{trend: {{of: {VIEW}, within: 7d, at_most: 0.5}}}}",
    "trend of a sum": f"{{trend: {{of: {PURCHASE}, property: total, within: 30d, at_least: 2}}}}",
    "score": f"{{score: {{of: [{{touchpoint: {VIEW}, points: 1, cap: 10}}, {{touchpoint: {PURCHASE}, points: 5}}],"
    " at_least: 1000}}",
    "score that fades": f"{{score: {{of: [{{touchpoint: {VIEW}, points: 1}}, {{touchpoint: {PURCHASE}, points: 5}}],"
    " half_life: 14d, at_least: 1000}}",
    "quiet": "{quiet: 30d}",
    "stay": "{stay: {for: 365d}}",
    "visits": "{visits: {of: known, at_least: 2}}",
    "some of three": f"{{some: {{of: [{{touchpoint: {VIEW}}}, {{touchpoint: {PURCHASE}}}, {{trait: {{plan: pro}}}}],"
    " at_least: 2}}",
    "not": f"{{not: {{touchpoint: {VIEW}}}}}",
}


def histories(seed: int = 1) -> list[list[Record]]:
    """Customers' records in order, gaps of minutes to weeks between them."""
    chance = random.Random(seed)
    kinds, weights = list(MIX), list(MIX.values())
    made = []
    for customer in range(CUSTOMERS):
        at, records = START, []
        for number, (type, name) in enumerate(chance.choices(kinds, weights, k=TOUCHPOINTS)):
            at += int(chance.paretovariate(0.6) * 60 * SECOND) % (45 * DAY)
            records.append(
                Record(
                    project=1,
                    id=f"{customer}-{number}",
                    type=type,
                    at=at,
                    received=at,
                    user=str(customer),
                    name=name,
                    properties=msgspec.Raw(b'{"total":%d,"category":"c%d"}' % (number, number % 7)),
                )
            )
        made.append(records)
    return made


def fold(journey: Journey, made: list[list[Record]]) -> int:
    """Folds every history as a stager does; how many moves that makes."""
    moves = 0
    for records in made:
        state = journey.start()
        for record in records:
            touchpoint = Touchpoint.of(record)
            due = state.due
            if due is not None and due < touchpoint.at:
                moves += len(journey.advance(state, touchpoint.at - 1))
            if journey.touch(state, touchpoint) is not None:
                moves += 1
    return moves


def micros(work: Callable[[], object]) -> float:
    """The best of some rounds, in microseconds per touchpoint."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best / CUSTOMERS / TOUCHPOINTS * 1e6


def main(asked: list[str]) -> None:
    """Prints a line for each measurement; only of the constructs whose names contain one of those asked, if any is."""
    made = histories()
    if not asked:
        lifecycle = compile_journey(templates.load("lifecycle"), setting())
        moves = fold(lifecycle, made)
        four = journey(FOUR_CLAUSES)
        making = micros(lambda: [Touchpoint.of(record) for records in made for record in records])
        print(f"{'making the touchpoint':<40}{making:6.2f} µs")
        title = f"lifecycle ({moves / CUSTOMERS:.1f} moves a customer)"
        print(f"{title:<40}{micros(lambda: fold(lifecycle, made)):6.2f} µs")
        print(f"{'a condition of four clauses':<40}{micros(lambda: fold(four, made)):6.2f} µs")
    one = journey(TWO_STAGES % "")
    base = micros(lambda: fold(one, made))
    print(f"{'two stages, nobody in the second':<40}{base:6.2f} µs; each of these added to it:")
    for name, text in CONSTRUCTS.items():
        if not asked or any(part in name for part in asked):
            two = journey(TWO_STAGES % f"{text}, ")
            print(f"{name:<40}{micros(partial(fold, two, made)) - base:6.2f} µs", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
