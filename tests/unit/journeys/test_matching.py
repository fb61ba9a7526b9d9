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
        ({"starts_with": "Pro "}, ["pro", "PROFIT"], ["a pro", None, 5, ["pro"]]),
        ({"ends_with": ["x", "\u06f5"]}, ["ax", "5", "v\u0665 "], ["xa", 5, None]),
        ({"contains": "o  p"}, ["zo  P!"], ["op", None, ["o p"]]),
        ({"not": "a"}, [None, 1, "b", ["a"]], ["A"]),
        ({"not": {"contains": "a", "ends_with": "b"}, "exists": True}, ["a", "b", 0], ["ab", None]),
        ({"at_least": "2026-03-21"}, ["2026-03-21", "2026-03-21T00:00:00Z"], ["2026-03-20", 2e9, None, "x", True]),
        ({"fewer_than": "2026-03-21T00:00:00.5+03:30"}, ["2026-03-20T20:30:00.4999999Z"], ["2026-03-20T20:30:00.5Z"]),
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


#: What a page tells whose link stood in a newsletter, opened on a telephone in Tehran.
LANDING = touchpoint(
    0,
    "1",
    "page",
    "Home",
    context={
        "page": {"url": "https://a.example/?utm_source=news&utm_medium=email&utm_campaign=Nowruz&utm_term=gold"},
        "userAgent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148 Safari/604.1",
    },
    seen={"country": "IR", "region": "Tehran", "city": "Tehran"},
)


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        ("channel", "email"),
        ("kind", "e-mail"),
        ("direction", "by"),
        ("content", None),
        ("campaign", "nowruz"),
        ("source", "news"),
        ("medium", "email"),
        ("term", "gold"),
        ("country", "ir"),
        ("region", "tehran"),
        ("city", "tehran"),
        ("device", "smartphone"),
        ("system", "ios"),
        ("browser", "mobile safari"),
    ],
)
def test_facts(fact: str, told: str | None) -> None:
    """A matcher asks for what a touchpoint is told to be; nobody is told where nothing is known."""
    nowhere = touchpoint(0, "2", "track", "A")
    asked = {"exists": False} if told is None else told
    assert matcher({fact: asked}).among([LANDING], teller()) == [LANDING]
    without = None if fact == "direction" else ["track", "A"]
    assert matcher({fact: {"exists": True}}).among([nowhere], teller()) == ([] if without else [nowhere])
    assert matcher({fact: {"not": {"exists": True}}}).among([nowhere, LANDING], teller()) == (
        [nowhere, LANDING] if told is None else [nowhere] if without else []
    )


def test_facts_are_found_out_once_and_only_when_asked() -> None:
    """What no rule reads costs nothing; what one has read is there for the next."""
    made = touchpoint(0, "1", "page", context={"page": {"url": "https://a.example/"}})
    matcher({"type": "page", "country": {"exists": False}}).among([made], teller())
    assert (made.read_telling, made.read_device, made.read_context) == (None, None, None)
    matcher({"channel": "direct"}).among([made], teller())
    told = made.telling(teller())
    assert made.read_telling is told
    assert "channel" in vars(told)
    assert not {"kind", "content", "direction"} & vars(told).keys()


def test_what_type_and_name_decide_is_not_read() -> None:
    """No page is ever a salesperson, and what a site calls a meeting always is one, whatever else is told of them."""
    page, meeting = touchpoint(0, "1", "page", "Home"), touchpoint(1, "2", "track", "Meeting Held")
    assert matcher({"kind": "salesperson", "direction": "by"}).among([page, meeting], teller()) == [meeting]
    assert matcher({"kind": {"not": "salesperson"}}).among([page, meeting], teller()) == [page]
    assert (page.read_telling, meeting.read_telling) == (None, None)
    assert matcher({"kind": "web site"}).among([page, meeting], teller()) == [page]
    assert page.read_telling is not None


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("channel", "organik search", "there is no channel 'organik search' — did you mean organic search?"),
        ("kind", ["store", 5], "there is no kind 5"),
        ("content", {"not": {"in": ["poost"]}}, "there is no content 'poost' — did you mean post?"),
        ("direction", {"equals": "up"}, "there is no direction 'up' — use one of about, by, to"),
    ],
)
def test_values_that_no_table_has(key: str, value: Any, fault: str) -> None:
    """What is asked of the tables must stand in them, where they are known; a part of a text may be any."""
    reading = Reading({})
    assert Matcher.parse(Place({key: value}, reading)) is not None
    reading.known = teller().known
    assert Matcher.parse(Place({key: value}, reading)) is None
    assert [str(problem) for problem in reading.problems if fault in str(problem)]
    reading.problems.clear()
    assert Matcher.parse(Place({"channel": {"contains": "organik"}, "source": "anything"}, reading)) is not None


def test_what_is_nameless() -> None:
    """A touchpoint without a name matches no name and no role."""
    assert matcher({"name": "Bought"}).among([touchpoint(0, "1")], teller()) == []
    assert matcher({"role": "buy"}).among([touchpoint(0, "1")], teller()) == []


def test_one_and_true_are_two_values() -> None:
    """Matchers that ask for 1 and for true are not taken for each other."""
    one, true = matcher({"properties": {"p": 1}}), matcher({"properties": {"p": True}})
    assert one != true
    assert one == matcher({"properties": {"p": 1.0}})
