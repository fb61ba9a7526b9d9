"""Filters of exclusions: what they meet, and what cannot be one."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events import Record, Seen
from shared.exclusion import Exclusion, Exclusions, Filter, changes, check, compiled, say
from shared.identity import FOREVER


def record(**fields: Any) -> Record:
    """A record of user u1; objects are encoded."""
    given: dict[str, Any] = {"user": "u1", "anonymous": "a1", "key": 3, **fields}
    for name in ("properties", "traits", "context"):
        if name in given:
            given[name] = msgspec.Raw(msgspec.json.encode(given[name]))
    return Record(project=1, id="m1", type="page", at=1000, received=2000, **given)


CASES: list[tuple[Filter, Record, bool]] = [
    (Filter(ips=("203.0.113.0/24",)), record(seen=Seen(ip="203.0.113.77")), True),
    (Filter(ips=("203.0.113.0/24",)), record(seen=Seen(ip="203.0.114.77")), False),
    (Filter(ips=("203.0.113.9/24",)), record(context={"ip": "203.0.113.1"}), True),
    (Filter(ips=("2001:db8::/32", "10.0.0.1")), record(context={"ip": "2001:db8::5"}), True),
    (Filter(ips=("10.0.0.1",)), record(context={"ip": "no address"}), False),
    (Filter(ips=("10.0.0.1",)), record(), False),
    (Filter(email_domains=("example.com",)), record(traits={"email": "Ada@Example.COM"}), True),
    (Filter(email_domains=("example.com",)), record(context={"traits": {"email": "ada@example.com"}}), True),
    (Filter(email_domains=("example.com",)), record(traits={"email": "ada@mail.example.com"}), False),
    (Filter(email_domains=("*.example.com",)), record(traits={"email": "ada@mail.example.com"}), True),
    (Filter(email_domains=("*.example.com",)), record(traits={"email": "ada@example.com"}), False),
    (Filter(email_domains=("example.com",)), record(traits={"email": ["ada@example.com"]}), False),
    (Filter(agents=("headless", "bot")), record(context={"userAgent": "X HeadlessChrome/1"}), True),
    (Filter(agents=("headless",)), record(seen=Seen(agent="HEADLESS")), True),
    (Filter(agents=("headless",)), record(context={"userAgent": "Firefox"}), False),
    (
        Filter(hosts=("staging.example.com",)),
        record(context={"page": {"url": "https://Staging.example.com:8"}}),
        True,
    ),
    (Filter(hosts=("staging.example.com",)), record(properties={"url": "https://staging.example.com/"}), True),
    (Filter(hosts=("*.example.com",)), record(context={"page": {"url": "https://notexample.com/"}}), False),
    (Filter(keys=("staging",), numbers=(3,)), record(), True),
    (Filter(keys=("staging",), numbers=(4,)), record(), False),
    (Filter(properties={"plan.kind": "  PRO "}), record(properties={"plan": {"kind": "pro"}}), True),
    (Filter(properties={"n": 1}), record(properties={"n": 1.0}), True),
    (Filter(properties={"n": 1}), record(properties={"n": True}), False),
    (Filter(properties={"n": 1}), record(properties={"n": "1"}), False),
    (Filter(properties={"n": 1}), record(), False),
    (Filter(ids=("a1", "u9")), record(), True),
    (Filter(ids=("u9",)), record(), False),
    (Filter(devices=("u1",)), record(), False),
    (Filter(devices=("a1",)), record(), True),
    (Filter(messages=("m1",)), record(), True),
    (Filter(since=1000, until=1000), record(), True),
    (Filter(since=1001), record(), False),
    (Filter(until=999), record(), False),
    (Filter(ids=("u1",), until=999), record(), False),
]


@pytest.mark.parametrize(("filter", "given", "meant"), CASES)
def test_what_a_filter_meets(filter: Filter, given: Record, meant: bool) -> None:
    """Everything given must hold, and of a list any member will do."""
    check(filter)
    assert compiled(filter)(given) is meant


@pytest.mark.parametrize(
    ("filter", "named"),
    [
        (Filter(), "empty"),
        (Filter(ips=("10.0.0",)), "ips"),
        (Filter(hosts=("https://example.com",)), "hosts"),
        (Filter(email_domains=("ada@example.com",)), "email_domains"),
        (Filter(agents=("",)), "agents"),
        (Filter(ids=tuple(map(str, range(1001)))), "ids"),
        (Filter(properties={"n": float("nan")}), "properties"),
        (Filter(since=2, until=1), "until"),
    ],
)
def test_what_cannot_be_a_filter(filter: Filter, named: str) -> None:
    """It is told what is wrong, by the name of the field."""
    with pytest.raises(ValueError, match=named):
        check(filter)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from([one for one, _, _ in CASES]),
)
def test_nothing_in_a_record_makes_a_filter_raise(value: Any, filter: Filter) -> None:
    """Whatever stands where a filter looks."""
    everywhere = {"url": value, "email": value, "plan": value, "n": value}
    context = {"ip": value, "userAgent": value, "page": {"url": value}, "traits": {"email": value}}
    compiled(filter)(record(properties=everywhere, traits=everywhere, context=context))
    compiled(filter)(record(context={"page": value, "traits": value}))


instants = st.integers(0, 20)


@given(st.lists(st.tuples(instants, st.none() | instants), max_size=5), instants)
def test_hidden_while_an_exclusion_stands(made: list[tuple[int, int | None]], known: int) -> None:
    """From the instant at which one is made until it is undone; between two changes nothing changes."""
    made = [(start, end) for start, end in made if end is None or end > start]
    exclusions = Exclusions(Exclusion(lambda _: True, start, end) for start, end in made)
    one = record()
    assert exclusions.hidden(one, known) == any(s <= known < (FOREVER if e is None else e) for s, e in made)
    assert exclusions.hidden(one) == any(end is None for _, end in made)
    if known + 1 not in changes(exclusions.spans(one), -1):
        assert exclusions.hidden(one, known) == exclusions.hidden(one, known + 1)


def test_what_is_not_met_is_never_hidden() -> None:
    """An exclusion hides nothing else."""
    exclusions = Exclusions([Exclusion(compiled(Filter(ids=("u9",))), 0, None)])
    assert not exclusions.hidden(record())
    assert exclusions.spans(record()) == []


def test_a_filter_in_words() -> None:
    """On one line, as its options are called."""
    filter = Filter(ips=("10.0.0.0/8",), keys=("web",), numbers=(2,), properties={"plan": "x"}, since=0)
    assert say(filter) == 'ips 10.0.0.0/8; keys web; plan = "x"; since 1970-01-01T00:00:00Z'
