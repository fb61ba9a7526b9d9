"""The simulated shop: the same every time, valid, and with everything in it that a journey is about."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from services.demo.people import PERSONAS
from services.demo.shop import MONTH, Message, history, shop
from shared.events import SECOND, TYPES

NOW = int(datetime(2026, 3, 20, 12, tzinfo=UTC).timestamp()) * SECOND
MONTHS = 6


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    """The default demo: 400 customers over six months."""
    return list(shop(7, NOW, 400, MONTHS))


def micros(message: Message) -> int:
    """A message's timestamp in microseconds."""
    return round(datetime.fromisoformat(message["timestamp"]).timestamp() * SECOND)


def test_the_same_seed_is_the_same_shop(messages: list[Message]) -> None:
    """One seed gives one shop, message for message; another seed gives other customers and other ids."""
    assert list(shop(7, NOW, 400, MONTHS)) == messages
    others = {message["messageId"] for message in shop(8, NOW, 50, MONTHS)}
    assert others.isdisjoint(message["messageId"] for message in messages)


def test_a_customer_does_not_depend_on_the_others() -> None:
    """A customer's history is the same in a shop of any size."""
    alone = [arrival.message for arrival in history(7, NOW, MONTHS, 3)]
    among = [m for m in shop(7, NOW, 10, MONTHS) if m["messageId"].startswith(alone[0]["messageId"][:-6])]
    assert among == alone


def test_a_later_demo_repeats_the_ids(messages: list[Message]) -> None:
    """The same shop sent an hour later has the same message ids, so that it is all duplicates."""
    hour = 3600 * SECOND
    later = {m["messageId"]: micros(m) for m in shop(7, NOW + hour, 400, MONTHS)}
    assert later.keys() == {m["messageId"] for m in messages}
    assert all(abs(later[m["messageId"]] - micros(m) - hour) <= 1000 for m in messages)


def test_every_message_is_one_an_sdk_could_send(messages: list[Message]) -> None:
    """Every message has a known type, an id under 100 characters, somebody it is about, and what its type needs."""
    for message in messages:
        assert message["type"] in TYPES
        assert 0 < len(message["messageId"]) < 100
        assert message.get("userId") or message.get("anonymousId")
        assert {"track": "event", "page": "name", "identify": "traits"}[message["type"]] in message


def test_times_fill_the_months_before_now(messages: list[Message]) -> None:
    """Nothing happens after now or before the period, and every month of it is busy."""
    ages = [NOW - micros(message) for message in messages]
    assert min(ages) >= 0
    assert max(ages) <= MONTHS * MONTH
    assert set(Counter(min(age // MONTH, MONTHS - 1) for age in ages)) == set(range(MONTHS))


def test_everything_that_a_journey_is_about_happens(messages: list[Message]) -> None:
    """There are carts left, orders, repeat orders, refunds, reviews, invitations, sign-ups and campaigns."""
    events = Counter(message.get("event") for message in messages)
    assert events["Product Added"] > events["Checkout Started"] > 0
    for event in ("Order Refunded", "Product Reviewed", "Invite Sent", "Signed Up", "Signed In"):
        assert events[event] > 10
    orders = Counter(m["userId"] for m in messages if m.get("event") == "Order Completed")
    assert max(orders.values()) > 3
    assert {m["traits"]["persona"] for m in messages if "traits" in m} == {one.name for one in PERSONAS}
    assert {m["traits"]["language"] for m in messages if "traits" in m} == {"fa", "ar", "en"}
    assert len({m["context"]["campaign"]["name"] for m in messages if "campaign" in m["context"]}) > 5


def test_people_browse_before_they_sign_up(messages: list[Message]) -> None:
    """Most members were anonymous first, and some use a second device."""
    devices: dict[str, set[str]] = defaultdict(set)
    for message in messages:
        if message["type"] == "identify":
            devices[message["userId"]].add(message["anonymousId"])
    anonymous = {m["anonymousId"] for m in messages if "userId" not in m}
    assert sum(bool(ids & anonymous) for ids in devices.values()) > len(devices) / 2
    assert sum(len(ids) > 1 for ids in devices.values()) > 10


def test_some_come_late_and_some_twice(messages: list[Message]) -> None:
    """A few messages come after later ones of the same customer, and a few come twice; most do neither."""
    newest: dict[str, int] = {}
    late = 0
    for message in messages:
        who = message["messageId"][:-6]
        late += micros(message) < newest.get(who, 0)
        newest[who] = max(newest.get(who, 0), micros(message))
    twice = len(messages) - len({message["messageId"] for message in messages})
    assert 10 < late < len(messages) / 20
    assert 10 < twice < len(messages) / 50


def test_customers_fall_silent_and_come_back(messages: list[Message]) -> None:
    """Some are silent for more than a month and then act again."""
    times: dict[str, list[int]] = defaultdict(list)
    for message in messages:
        times[message["messageId"][:-6]].append(micros(message))
    gaps = [
        max((after - before for before, after in pairwise(each)), default=0) for each in map(sorted, times.values())
    ]
    assert sum(gap > MONTH for gap in gaps) > 20
