"""Matchers and predicates."""

from typing import Any

import pytest

from shared.journeys.matcher import Matcher
from shared.journeys.predicates import Predicate
from shared.journeys.reading import Place, Reading
from tests.support.journeys import teller, touchpoint


def predicate(asked: Any) -> Predicate:
    """The predicate that stands for plain data."""
    reading = Reading({})
    found = Predicate.parse(Place(asked, reading))
    assert found is not None
    assert not reading.problems
    return found


def matcher(asked: Any) -> Matcher:
    """The matcher that stands for plain data."""
    reading = Reading({})
    reading.roles = {"buy": ("Bought", "خرید")}
    found = Matcher.parse(Place(asked, reading))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("asked", "holds", "fails"),
    [
        ("Pro", ["pro", " PRO "], ["pr", 1, True, None, ["pro"], {"pro": 1}]),
        (1, [1, 1.0], ["1", True, None, 1.5]),
        (True, [True], [1, "true", False, None]),
        (False, [False], [0, None, ""]),
        (["a", 2], ["A", 2], [None, "2", 3]),
        ({"in": ["a", 2]}, ["A", 2.0], [None]),
        ({"equals": "a"}, ["a"], ["b", None]),
        ({"exists": True}, [0, "", [], {}, False], [None]),
        ({"exists": False}, [None], [0, "", []]),
        ({"at_least": 2}, [2, 2.0, 3], [1.9, "3", True, None]),
        ({"at_most": 2}, [2, -1], [2.1, False, None]),
        ({"more_than": 2, "fewer_than": 4}, [3], [2, 4]),
        ({"exists": False, "equals": 1}, [], [None, 1]),
    ],
)
def test_predicate(asked: Any, holds: list[Any], fails: list[Any]) -> None:
    """A predicate holds on exactly these values."""
    test = predicate(asked).compile()
    assert [value for value in [*holds, *fails] if test(value)] == holds


@pytest.mark.parametrize(
    ("asked", "matching"),
    [
        ({}, True),
        ({"type": "track"}, True),
        ({"type": ["page", "screen"]}, False),
        ({"name": "خريد"}, True),
        ({"role": "buy"}, True),
        ({"role": "buy", "name": "Bought"}, False),
        ({"properties": {"total": {"at_least": 5}}}, True),
        ({"properties": {"item.sku": "x"}}, True),
        ({"properties": {"item.sku.deeper": {"exists": True}}}, False),
        ({"properties": {"item.sku": "x", "total": 6}}, False),
        ({"context": {"page.path": "/a"}}, True),
        ({"traits": {"plan": "pro"}}, False),
        ({"traits": {"plan": {"exists": False}}}, True),
    ],
)
def test_matcher(asked: Any, matching: bool) -> None:
    """Every key that a matcher gives must hold."""
    bought = touchpoint(
        0, "1", "track", "خرید", properties={"total": 5, "item": {"sku": "x"}}, context={"page": {"path": "/a"}}
    )
    assert matcher(asked).among([bought], teller()) == ([bought] if matching else [])


def test_what_is_nameless() -> None:
    """A touchpoint without a name matches no name and no role."""
    assert matcher({"name": "Bought"}).among([touchpoint(0, "1")], teller()) == []
    assert matcher({"role": "buy"}).among([touchpoint(0, "1")], teller()) == []


def test_one_and_true_are_two_values() -> None:
    """Matchers that ask for 1 and for true are not taken for each other."""
    one, true = matcher({"properties": {"p": 1}}), matcher({"properties": {"p": True}})
    assert one != true
    assert one == matcher({"properties": {"p": 1.0}})
