"""What folding a touchpoint costs: `python -m tests.bench.engine` prints microseconds per touchpoint.

Records are decoded beforehand; what is measured is making the touchpoint, the timers due before it, and `touch`.
"""

import random
import time
from collections.abc import Callable

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


def histories(seed: int = 1) -> list[list[Record]]:
    """Customers' records in order, gaps of minutes to weeks between them."""
    chance = random.Random(seed)
    kinds, weights = list(MIX), list(MIX.values())
    made = []
    for customer in range(CUSTOMERS):
        at, records = START, []
        for number, (type, name) in enumerate(chance.choices(kinds, weights, k=TOUCHPOINTS)):
            at += int(chance.paretovariate(0.6) * 60 * SECOND) % (45 * DAY)
            records.append(Record(1, f"{customer}-{number}", type, at, at, user=str(customer), name=name))
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
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best / CUSTOMERS / TOUCHPOINTS * 1e6


def main() -> None:
    made = histories()
    lifecycle = compile_journey(templates.load("lifecycle"), setting())
    moves = fold(lifecycle, made)
    four = journey(FOUR_CLAUSES)
    print(f"{'making the touchpoint':<40}{micros(lambda: [Touchpoint.of(r) for one in made for r in one]):6.2f} µs")
    print(
        f"{f'lifecycle ({moves / CUSTOMERS:.1f} moves a customer)':<40}{micros(lambda: fold(lifecycle, made)):6.2f} µs"
    )
    print(f"{'a condition of four clauses':<40}{micros(lambda: fold(four, made)):6.2f} µs")


if __name__ == "__main__":
    main()
