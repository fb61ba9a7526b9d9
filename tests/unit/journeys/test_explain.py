"""*Why*, in sentences."""

import pytest

from shared.events import DAY
from shared.journeys import templates
from shared.journeys.compile import compile_journey
from shared.journeys.explain import why
from shared.journeys.sentences import sentence
from tests.support.journeys import START, journey, setting, touchpoint

LIFECYCLE = compile_journey(templates.load("lifecycle"), setting())
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
        (
            1,
            "awareness",
            0,
            "Entered “Awareness”, because a page view or a screen view happens (a page view “Home”).",
            ["1"],
            (30, "lapsed"),
        ),
        (
            2,
            "onboarding",
            2,
            "Entered “Onboarding”, because a purchase happens (an event “Order Completed”).",
            ["2"],
            (32, "retention"),
        ),
        (
            9,
            "engagement",
            5,
            "Entered “Engagement”, because a purchase happens (an event “\u2068خرید\u2069”) "
            "and a purchase has happened at least 2 times (2 times).",
            ["2", "3"],
            (35, "retention"),
        ),
        (
            40,
            "retention",
            35,
            "Entered “Retention”, because there has been no activity for 30 days.",
            ["3"],
            (95, "churned"),
        ),
        (
            61,
            "engagement",
            60,
            "Came back from “Retention” to “Engagement”, the highest stage held, by a page view “Home”.",
            ["4"],
            (90, "retention"),
        ),
    ],
)
def test_lifecycle(
    day: int, stage: str | None, since: int | None, reason: str, evidence: list[str], next: tuple[int, str] | None
) -> None:
    """A customer's stage is told with the clause that decided, its values, and what is next."""
    told = why(LIFECYCLE, reversed(HISTORY), START + day * DAY)
    assert (told.stage, sentence(told.reason, LIFECYCLE.definition)) == (stage, reason)
    assert told.since == (None if since is None else START + since * DAY)
    assert [one.id for one in told.evidence] == evidence
    assert (told.next and told.next[:2]) == (next and (START + next[0] * DAY, next[1]))


JOURNEY = """
stages:
  - {{stage: a, enter: {{touchpoint: {{name: Start}}}}}}
  - {{stage: b, from: [a], enter: {{all: [{{touchpoint: {{name: {last}}}}}, {enter}]}}}}
"""
STEPS = [
    touchpoint(START, "1", "identify", traits={"plan": "Pro", "age": 30}),
    touchpoint(START + DAY, "2", name="Start"),
    touchpoint(START + 8 * DAY, "3", name="Buy", properties={"total": 12.5, "sku": "x"}),
    touchpoint(START + 9 * DAY, "4", name="Buy", properties={"total": 1, "sku": "X"}),
    touchpoint(START + 10 * DAY, "5", name="Now"),
]


def reason(enter: str) -> str:
    """Why a customer with a little of everything entered the stage `b` on the tenth day."""
    made = journey(JOURNEY.format(enter=enter, last="Now"))
    told = why(made, STEPS, START + 11 * DAY)
    assert told.stage == "b"
    before = "Entered “b”, because “Now” happens (an event “Now”) and "
    said = sentence(told.reason, made.definition)
    assert said.startswith(before)
    return said.removeprefix(before)


def lacking(enter: str) -> str:
    """What the same customer lacks for the stage `b` on the eleventh day, where it also takes what never happens."""
    made = journey(JOURNEY.format(enter=enter, last="Never"))
    told = why(made, STEPS, START + 11 * DAY)
    (toward,) = told.toward
    assert (told.stage, toward.stage) == ("a", "b")
    return sentence(toward.lacks, made.definition).removeprefix("“Never” happens and ")


@pytest.mark.parametrize(
    ("enter", "said"),
    [
        (
            "{count: {of: {name: Buy}, within: 7d, at_least: 2}}",
            "“Buy” has happened at least 2 times within 7 days (2 times).",
        ),
        (
            "{distinct: {of: {type: track}, property: sku, exactly: 1}}",
            "the number of different values of sku for an event is exactly 1 (1).",
        ),
        (
            "{sum: {of: {name: Buy}, property: total, within: 30d, more_than: 13}}",
            "the sum of total for “Buy” within 30 days is more than 13 (13.5).",
        ),
        ("{stay: {for: 1w}}", "they have been in this stage for 7 days (9 days)."),
        ("{stay: {in: a}}", "they are in “a”."),
        ("{visits: {of: a, exactly: 1}}", "they have entered “a” exactly once (once)."),
        ("{not: {came_from: b}}", "they did not come from “b” (none)."),
        (
            "{trait: {plan: [pro, max], age: {at_least: 18}}}",
            "their plan is “pro” or “max” and their age is at least 18 (“Pro” and 30).",
        ),
        ("{not: {quiet: 3d}}", "there has been activity within the last 3 days (last less than a second ago)."),
        ("{any: [{quiet: 3d}, {stay: {in: a}}]}", "they are in “a”."),
        ("{not: {touchpoint: {name: Buy}}}", "what happens is not “Buy” (an event “Now”)."),
        (
            "{not: {all: [{quiet: 3d}, {stay: {in: a}}]}}",
            "there has been activity within the last 3 days (last less than a second ago).",
        ),
        (
            "{not: {any: [{came_from: b}, {stay: {in: b}}]}}",
            "(they did not come from “b” (none) and they are not in “b”).",
        ),
    ],
)
def test_conditions(enter: str, said: str) -> None:
    """Every condition tells what it asked and what it found."""
    assert reason(enter) == said


@pytest.mark.parametrize(
    ("enter", "said"),
    [
        ("{stay: {in: a}}", "“Never” happens."),
        (
            "{count: {of: {name: Buy}, within: 7d, at_least: 5}}",
            "“Buy”: 2 of 5 times within 7 days; 3 more by Friday, 16 January 2026, 00:00.",
        ),
        ("{count: {of: {name: Buy}, at_least: 5}}", "“Buy”: 2 of 5 times; 3 more."),
        (
            "{count: {of: {name: Buy}, during: week, at_least: 5}}",
            "“Buy”: 0 of 5 times this week; 5 more by Monday, 19 January 2026, 00:00.",
        ),
        (
            "{count: {of: {name: Buy}, within: 7d, at_most: 1}}",
            "“Buy” has happened at most once within 7 days (2 times; on Friday, 16 January 2026, 00:00).",
        ),
        (
            "{distinct: {of: {name: Buy}, property: sku, within: 7d, at_least: 3}}",
            "the number of different values of sku for “Buy” within 7 days is 1 of 3; "
            "2 more by Saturday, 17 January 2026, 00:00.",
        ),
        (
            "{sum: {of: {name: Buy}, property: total, at_least: 20}}",
            "the sum of total for “Buy” is 13.5 of 20; 6.5 more.",
        ),
        (
            "{quiet: 3d}",
            "there has been no activity for 3 days (last 1 day ago; on Wednesday, 14 January 2026, 00:00).",
        ),
        (
            "{sequence: {steps: [{name: Buy}, {name: Now}, {name: Later}], within: 5d}}",
            "“Buy”, then “Now”, then “Later” have happened in this order within 5 days "
            "(2 of 3 steps, next “Later” by Thursday, 15 January 2026, 00:00).",
        ),
        ("{any: [{trait: {plan: free}}, {stay: {in: b}}]}", "(their plan is “free” (“Pro”) or they are in “b”)."),
        (
            "{some: {of: [{trait: {plan: pro}}, {trait: {plan: free}}, {stay: {in: b}}], at_least: 2}}",
            "(at least one of these is true: their plan is “free” (“Pro”) and they are in “b”).",
        ),
        ("{not: {stay: {in: a}}}", "they are not in “a”."),
        ("{not: {any: [{stay: {in: a}}, {quiet: 3d}]}}", "they are not in “a”."),
    ],
)
def test_what_is_missing(enter: str, said: str) -> None:
    """What a stage lacks is told with what is found of it, and when time will bring or end it."""
    assert lacking(enter) == said


def test_what_comes_next() -> None:
    """The timer that is next is told with its clause, and the stages ahead with what they lack, the nearest first."""
    told = why(LIFECYCLE, HISTORY[:2], START + 3 * DAY)
    assert told.next is not None
    assert sentence(told.next.reason, LIFECYCLE.definition) == (
        "On Monday, 2 February 2026, 00:00 time alone leads to “Retention”: "
        "by then there has been no activity for 30 days."
    )
    assert [(one.stage, sentence(one.lacks, LIFECYCLE.definition)) for one in told.toward] == [
        ("engagement", "(A purchase happens and a purchase: 1 of 2 times; 1 more) or trying something new happens."),
        ("loyalty", "A review, feedback, or a referral happens."),
    ]
    back = why(LIFECYCLE, HISTORY[:2], START + 33 * DAY)
    assert [one.stage for one in back.toward] == ["onboarding", "loyalty"]
    assert sentence(back.toward[0].lacks, LIFECYCLE.definition) == "Any act of their own."


def test_return_and_on() -> None:
    """A return that leads on tells of both."""
    told = why(
        LIFECYCLE,
        [touchpoint(START, "1", "page"), touchpoint(START + 100 * DAY, "2", name="purchase")],
        START + 100 * DAY,
    )
    assert sentence(told.reason, LIFECYCLE.definition) == (
        "Came back from “Lapsed” to “Awareness”, the highest stage held, by an event “purchase”, "
        "and went on to “Onboarding”, because a purchase happens (an event “purchase”)."
    )


def test_exit_and_nobody() -> None:
    """Leaving is told as such, and so is having done nothing."""
    leaving = journey("""
stages: [{stage: a, enter: {touchpoint: {name: Start}}}]
exit: {from: [a], enter: {quiet: 3d}}
""")
    told = why(leaving, [touchpoint(START, "1", name="Start")], START + 4 * DAY)
    said = sentence(told.reason, leaving.definition)
    assert (told.stage, said) == ("none", "Left the journey, because there has been no activity for 3 days.")
    told = why(leaving, [touchpoint(START, "1", "identify")], START)
    said = sentence(told.reason, leaving.definition)
    assert (told.stage, said) == (None, "Nothing by then was an act of their own.")
    told = why(leaving, [touchpoint(START, "1", "screen", "Home")], START)
    said = sentence(told.reason, leaving.definition)
    assert (told.stage, said) == ("none", "First activity: a screen view “Home”.")
