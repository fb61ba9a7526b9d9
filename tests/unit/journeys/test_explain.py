"""*Why*, in sentences."""

import pytest

from shared.events import DAY
from shared.journeys import templates
from shared.journeys.compile import compile_journey
from shared.journeys.explain import Next, why
from tests.support.journeys import START, journey, setting, touchpoint

HISTORY = [
    touchpoint(START, "1", "page", "Home"),
    touchpoint(START + 2 * DAY, "2", name="Order Completed"),
    touchpoint(START + 5 * DAY, "3", name="خرید"),
    touchpoint(START + 60 * DAY, "4", "page", "Home"),
]


@pytest.mark.parametrize(
    ("day", "stage", "since", "reason", "evidence", "next"),
    [
        (-1, None, None, "No touchpoint by then.", [], None),
        (1, "awareness", 0, "Entered awareness, because page “Home” is a page or screen.", ["1"], (30, "lapsed")),
        (
            2,
            "onboarding",
            2,
            "Entered onboarding, because track “Order Completed” is a purchase.",
            ["2"],
            (32, "retention"),
        ),
        (
            9,
            "engagement",
            5,
            "Entered engagement, because track “خرید” is a purchase and 2 × purchase (asked: at least 2).",
            ["2", "3"],
            (35, "retention"),
        ),
        (
            40,
            "retention",
            35,
            "Entered retention, because no activity for 30 days (asked: 30 days).",
            ["3"],
            (95, "churned"),
        ),
        (
            61,
            "engagement",
            60,
            "Came back from retention by page “Home”, to engagement, the highest stage held.",
            ["4"],
            (90, "retention"),
        ),
    ],
)
def test_lifecycle(
    day: int, stage: str | None, since: int | None, reason: str, evidence: list[str], next: tuple[int, str] | None
) -> None:
    """A customer's stage is told with the clause that decided, its values, and what is next."""
    told = why(compile_journey(templates.load("lifecycle"), setting()), reversed(HISTORY), START + day * DAY)
    assert (told.stage, told.reason) == (stage, reason)
    assert told.since == (None if since is None else START + since * DAY)
    assert [one.id for one in told.evidence] == evidence
    assert told.next == (next and Next(START + next[0] * DAY, next[1]))


def reason(enter: str) -> str:
    """Why a customer with a little of everything entered the stage `b` on the tenth day."""
    told = why(
        journey(f"""
stages:
  - {{stage: a, enter: {{touchpoint: {{name: Start}}}}}}
  - {{stage: b, from: [a], enter: {{all: [{{touchpoint: {{name: Now}}}}, {enter}]}}}}
"""),
        [
            touchpoint(START, "1", "identify", traits={"plan": "Pro", "age": 30}),
            touchpoint(START + DAY, "2", name="Start"),
            touchpoint(START + 8 * DAY, "3", name="Buy", properties={"total": 12.5, "sku": "x"}),
            touchpoint(START + 9 * DAY, "4", name="Buy", properties={"total": 1, "sku": "X"}),
            touchpoint(START + 10 * DAY, "5", name="Now"),
        ],
        START + 11 * DAY,
    )
    assert told.stage == "b"
    before = "Entered b, because track “Now” is a touchpoint named “Now” and "
    assert told.reason.startswith(before)
    return told.reason.removeprefix(before)


@pytest.mark.parametrize(
    ("enter", "said"),
    [
        (
            "{count: {of: {name: Buy}, within: 7d, at_least: 2}}",
            "2 × touchpoint named “Buy” within 7 days (asked: at least 2).",
        ),
        (
            "{distinct: {of: {type: track}, property: sku, exactly: 1}}",
            "1 different sku of track (asked: exactly 1).",
        ),
        (
            "{sum: {of: {name: Buy}, property: total, within: 30d, more_than: 13}}",
            "13.5 as the sum of total of touchpoint named “Buy” within 30 days (asked: more than 13).",
        ),
        ("{stay: {for: 1w}}", "9 days in one stage (asked: 7 days)."),
        ("{stay: {in: a}}", "9 days in a."),
        ("{visits: {of: a, exactly: 1}}", "a entered 1 times (asked: exactly 1)."),
        ("{not: {came_from: b}}", "came from nowhere (asked: not b)."),
        (
            "{trait: {plan: [pro, max], age: {at_least: 18}}}",
            "trait plan is 'Pro' (asked: “pro” or “max”) and trait age is 30 (asked: at least 18).",
        ),
        ("{not: {quiet: 3d}}", "no activity for less than a second (asked: not 3 days)."),
        ("{any: [{quiet: 3d}, {stay: {in: a}}]}", "9 days in a."),
        ("{not: {touchpoint: {name: Buy}}}", "track “Now” is no touchpoint named “Buy”."),
        ("{not: {all: [{quiet: 3d}, {stay: {in: a}}]}}", "no activity for less than a second (asked: not 3 days)."),
        ("{not: {any: [{came_from: b}, {stay: {in: b}}]}}", "came from nowhere (asked: not b) and not in b."),
    ],
)
def test_conditions(enter: str, said: str) -> None:
    """Every condition tells what it asked and what it found."""
    assert reason(enter) == said


def test_return_and_on() -> None:
    """A return that leads on tells of both."""
    told = why(
        compile_journey(templates.load("lifecycle"), setting()),
        [touchpoint(START, "1", "page"), touchpoint(START + 100 * DAY, "2", name="purchase")],
        START + 100 * DAY,
    )
    assert told.reason == (
        "Came back from lapsed by track “purchase”, to awareness, the highest stage held, "
        "and on to onboarding, because track “purchase” is a purchase."
    )


def test_exit_and_nobody() -> None:
    """Leaving is told as such, and so is having done nothing."""
    leaving = journey("""
stages: [{stage: a, enter: {touchpoint: {name: Start}}}]
exit: {from: [a], enter: {quiet: 3d}}
""")
    told = why(leaving, [touchpoint(START, "1", name="Start")], START + 4 * DAY)
    assert (told.stage, told.reason) == ("none", "Left the journey, because no activity for 3 days (asked: 3 days).")
    told = why(leaving, [touchpoint(START, "1", "identify")], START)
    assert (told.stage, told.reason) == (None, "Nothing by then was an act of their own.")
    told = why(leaving, [touchpoint(START, "1", "screen", "Home")], START)
    assert (told.stage, told.reason) == ("none", "First activity: screen “Home”.")
