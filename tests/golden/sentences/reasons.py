"""Customers of whom *why* is told: everything that it can say of a stage, of what is next and of what is missing."""

from collections.abc import Iterator

from shared.events import DAY
from shared.journeys.explain import why
from shared.journeys.sentences import speaker
from shared.journeys.touchpoint import Touchpoint
from tests.support.journeys import START, journey, touchpoint

HOUR = DAY // 24

SHOP = """
stages:
  - {stage: visitor, title: {en: Visitor, fa: بازدیدکننده, ar: زائر}, enter: {touchpoint: {type: page}}}
  - stage: reader
    title: {en: Reader, fa: خواننده, ar: قارئ}
    enter: {count: {of: {type: page}, at_least: 5, within: 7d}}
  - {stage: buyer, title: {en: Buyer, fa: خریدار, ar: مشترٍ}, enter: {touchpoint: {role: purchase}}}
  - stage: fan
    title: {en: Fan, fa: هوادار, ar: معجب}
    from: [buyer]
    enter:
      any:
        - {all: [{touchpoint: {role: review}}, {sum: {of: {role: purchase}, property: total, at_least: 100}}]}
        - {sequence: {steps: [{role: purchase}, {role: referral}, {role: purchase}], within: 10d}}
side:
  - stage: away
    title: {en: Away, fa: غایب, ar: غائب}
    from: [reader, buyer]
    enter: {all: [{quiet: 30d}, {not: {trait: {plan: pro}}}]}
    return: {to: previous}
exit: {from: [visitor, away], enter: {quiet: 60d}}
"""

PAGES = [touchpoint(START + hour * HOUR, f"p{hour}", "page", "Home") for hour in range(5)]
PLAN = touchpoint(START, "i", "identify", traits={"plan": "free"})
BOUGHT = touchpoint(START + 9 * HOUR, "b", name="خرید", properties={"total": 40})
REFERRED = touchpoint(START + DAY, "r", name="Invite Sent")
BACK = touchpoint(START + 40 * DAY, "z", "screen", "App")
AGAIN = touchpoint(START + 40 * DAY, "z", name="Order Completed", properties={"total": 40})
PLACED = touchpoint(
    START + 2 * DAY,
    "m",
    "placement",
    properties={"journey": "test", "stage": "fan", "by": "Sara", "why": "met at the fair"},
)

#: Each with what they did, and on which day they are asked about.
CUSTOMERS: dict[str, tuple[list[Touchpoint], float]] = {
    "nobody yet": ([], 0),
    "only told of": ([PLAN], 1),
    "active": ([touchpoint(START, "t", name="Something")], 1),
    "entered": (PAGES[:3], 1),
    "counted": (PAGES, 1),
    "bought": ([PLAN, *PAGES, BOUGHT], 1),
    "half way": ([PLAN, *PAGES, BOUGHT, REFERRED], 2),
    "gone silent": ([PLAN, *PAGES, BOUGHT], 35),
    "come back": ([PLAN, *PAGES, BOUGHT, BACK], 41),
    "come back and gone on": ([PLAN, *PAGES, AGAIN], 41),
    "left": (PAGES[:1], 61),
    "placed": ([*PAGES, BOUGHT, PLACED], 3),
}


def told(language: str) -> Iterator[tuple[str, dict[str, str]]]:
    """What is told of each customer in a language: the reason, what is next, and what the stages ahead lack."""
    made = journey(SHOP)
    sentence = speaker(made.definition, language).sentence
    for name, (touchpoints, day) in CUSTOMERS.items():
        found = why(made, touchpoints, START + round(day * DAY))
        said = {"reason": sentence(found.reason)}
        if found.next is not None:
            said["next"] = sentence(found.next.reason)
        said |= {f"for {toward.stage}": sentence(toward.lacks) for toward in found.toward}
        yield name, said
