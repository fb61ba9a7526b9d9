"""What windows, periods and entries keep, and how they are told."""

from decimal import Decimal

import msgspec
import pytest

from shared.events import DAY, SECOND
from shared.journeys.conditions.amounts import decimal
from shared.journeys.definition import DefinitionError
from shared.journeys.explain import why
from shared.journeys.sentences import sentence
from tests.support.journeys import START, journey, named, touchpoint

HOUR = 3600 * SECOND
#: 2026-01-01 is a Thursday: these are of Thursday, Sunday, Monday and the next Sunday.
BOUGHT = [
    touchpoint(START + day * DAY, str(number), name="Buy", properties={"total": total})
    for number, (day, total) in enumerate([(0, 10), (3, 4.5), (4, 1.5), (10, 2)])
]


@pytest.mark.parametrize(
    ("condition", "evidence", "found"),
    [
        ("{average: {of: {name: Buy}, property: total, at_most: 6}}", ["0", "1", "2"], "5.333333"),
        ("{least: {of: {name: Buy}, property: total, fewer_than: 4.5}}", ["0", "1", "2"], "1.5"),
        ("{greatest: {of: {name: Buy}, property: total, during: week, fewer_than: 10}}", ["2"], "1.5"),
        ("{sum: {of: {name: Buy}, property: total, during: week, exactly: 3.5}}", ["2", "3"], "3.5"),
        ("{distinct: {of: {name: Buy}, property: total, during: month, at_least: 4}}", ["0", "1", "2", "3"], "4"),
        ("{count: {of: {name: Buy}, since: entry, at_least: 2}}", ["1", "2"], "2"),
        ("{average: {of: {name: Buy}, property: total, since: entry, at_most: 3}}", ["1", "2"], "3"),
        ("{trend: {of: {name: Buy}, property: total, within: 3d, at_most: 0.5}}", ["0", "1"], "4.5"),
    ],
)
def test_why(condition: str, evidence: list[str], found: str) -> None:
    """*Why* tells the amount, and the touchpoints that counted."""
    told = journey(f"stages: [{{stage: first, enter: {{touchpoint: {{}}}}}}, {{stage: hit, enter: {condition}}}]")
    reason = why(told, BOUGHT, START + 10 * DAY)
    assert reason.stage == "hit"
    assert [one.id for one in reason.evidence] == evidence
    assert found in sentence(reason.reason, told.definition)


def test_why_of_amounts_beyond_any_float() -> None:
    """Amounts of whatever size are told."""
    asking = journey("stages: [{stage: a, enter: {sum: {of: {}, property: p, at_least: 1}}}]")
    huge = [touchpoint(number, str(number), properties={"p": 1e308}) for number in range(3)]
    assert why(asking, huge[:1], 3).stage == "a"
    assert decimal(3 * 10**314) == Decimal(3 * 10**308)
    assert decimal(-(10**6), 3) == Decimal("-0.333333")


def test_what_is_alike_is_kept_once() -> None:
    """Conditions on the same window of the same touchpoints share what is kept; another window is kept beside it."""
    shared = journey("""
calendar: {week: saturday}
stages:
  - {stage: a, enter: {count: {of: {}, during: week, at_least: 3}}}
  - {stage: b, enter: {count: {of: {}, during: week, exactly: 5}}}
  - {stage: c, enter: {count: {of: {}, since: entry, at_least: 2}}}
  - {stage: d, enter: {any: [{count: {of: {}, at_least: 4}}, {sum: {of: {}, property: p, during: day, at_least: 1}}]}}
  - {stage: e, enter: {average: {of: {}, property: p, within: 30d, at_least: 1}}}
  - {stage: f, enter: {average: {of: {}, property: p, within: 30d, at_most: 9}}}
""")
    assert shared.layout.bounds == (6, 2, 4, 2, 60)


def test_periods_keep_little() -> None:
    """However many touchpoints a year has, an aggregate of it keeps two or three numbers."""
    year = journey("""
stages:
  - {stage: a, enter: {count: {of: {}, during: year, at_least: 100000}}}
  - {stage: b, enter: {average: {of: {}, property: p, during: year, at_least: 100000}}}
""")
    state = year.start()
    for number in range(2000):
        year.touch(state, touchpoint(START + number * HOUR, str(number), properties={"p": number}))
    end = START + 365 * DAY
    assert state.slots == [[end, 2000], [end, [1_999_000 * 10**6, 2000]]]


def test_a_state_goes_back() -> None:
    """A state that was copied or written before a period or a stage ended is as it was."""
    either = journey("""
stages:
  - {stage: a, enter: {touchpoint: {name: A}}}
  - stage: b
    enter:
      any:
        - {count: {of: {}, during: day, at_least: 9}}
        - {distinct: {of: {}, property: p, during: day, at_least: 9}}
        - {average: {of: {}, property: p, during: day, at_least: 9}}
        - {least: {of: {}, property: p, within: 30d, at_least: 9}}
        - {average: {of: {}, property: p, within: 30d, at_least: 9}}
        - {distinct: {of: {}, property: p, since: entry, at_least: 9}}
""")
    state = either.start()
    either.touch(state, touchpoint(START, "1", properties={"p": 1}))
    written = msgspec.msgpack.encode(state)
    ahead = either.copy(state)
    for number, day in enumerate([0, 0, 1, 40]):
        either.touch(ahead, touchpoint(START + day * DAY + 1, str(number), name="A", properties={"p": number}))
    assert msgspec.msgpack.encode(state) == written
    assert ahead.slots != state.slots


def test_a_denied_mean_is_due_when_its_last_value_leaves() -> None:
    """Time makes a move of what is no longer so, at the end of a bucket or of a period."""
    gone = journey("""
stages: [{stage: a, enter: {touchpoint: {}}}]
side:
  - {stage: s, from: a, enter: {not: {average: {of: {}, property: p, during: month, at_least: 0}}}}
""")
    state = gone.start()
    moves = [gone.touch(state, touchpoint(START + DAY, "1", properties={"p": 3}))]
    moves += gone.advance(state, START + 400 * DAY)
    assert named(gone, [move for move in moves if move]) == [
        (START + DAY, None, "a", False),
        (START + 31 * DAY, "a", "s", True),
    ]


@pytest.mark.parametrize(
    "condition",
    [
        "{count: {of: {}, during: day, exactly: 0}}",
        "{least: {of: {}, property: p, within: 30d, at_least: 1}}",
        "{not: {greatest: {of: {}, property: p, during: month, at_least: 1}}}",
        "{trend: {of: {}, within: 30d, at_most: 0.5}}",
    ],
)
def test_time_alone_must_not_go_round(condition: str) -> None:
    """What ages may not lead both ways; what counts since the entry is no matter of time."""
    sides = "stages: [{stage: a, from: s, enter: %s}]\nside: [{stage: s, from: a, enter: {quiet: 1d}}]"
    with pytest.raises(DefinitionError, match="time alone goes round"):
        journey(sides % condition)
    journey(sides % "{average: {of: {}, property: p, since: entry, at_least: 1}}")


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("{count: {of: {}, during: month, since: entry, at_least: 1}}", "during and since stand side by side"),
        ("{sum: {of: {}, property: p, during: fortnight, at_least: 1}}", "unknown value 'fortnight'"),
        ("{average: {of: {}, at_least: 1}}", "'property' is missing"),
        ("{trend: {of: {}, at_least: 1}}", "'within' is missing"),
        ("{trend: {of: {}, within: 1d, exactly: 1}}", "unknown key 'exactly'"),
        ("{distinct: {of: {}, property: p, during: day, at_least: 1001}}", "it compares with 1,001"),
    ],
)
def test_faults(condition: str, problem: str) -> None:
    """What cannot be counted so is refused in words."""
    with pytest.raises(DefinitionError) as refused:
        journey(f"stages: [{{stage: a, enter: {condition}}}]")
    assert problem in str(refused.value)
