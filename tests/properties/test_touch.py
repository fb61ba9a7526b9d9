"""Whatever stands in a touchpoint, reading it raises nothing, and says the same each time."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.door import CUT, cut
from shared.events import TYPES, Record
from shared.journeys.roles import known
from shared.touch.agent import Bots, Devices, locale
from shared.touch.tables import DIRECTIONS, load
from shared.touch.told import Teller

TABLES = load(None, known())
TELLER, DEVICES = Teller(TABLES), Devices(Bots(TABLES))

#: Words that something may be made of, beside any text.
WORDS = [
    "https://",
    "://",
    "[::1",
    "]",
    "?",
    "&",
    "=",
    "%",
    "%D9%8",
    "utm_source",
    "utm_medium",
    "cpc",
    "google",
    ".",
    "/",
]
texts = st.one_of(
    st.text(), st.lists(st.sampled_from(WORDS), max_size=8).map("".join), st.text("a.:/@[]%?#\\\u2100\u0660")
)
keys = st.one_of(
    texts, st.sampled_from(["page", "url", "referrer", "campaign", "source", "medium", "clickIds", "device", "locale"])
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=8,
)
objects = st.dictionaries(keys, values, max_size=5)
addressed = st.builds(
    lambda url, referrer, rest: {**rest, "page": {"url": url, "referrer": referrer}}, texts, texts, objects
)


@settings(max_examples=500)
@given(st.sampled_from(TYPES), texts, objects, st.one_of(objects, addressed), objects)
def test_any_parts_are_read(
    type: str, name: str, properties: dict[str, Any], context: dict[str, Any], traits: dict[str, Any]
) -> None:
    """Of any parts, twice the same is told; a direction always is."""
    try:
        raw = [msgspec.Raw(msgspec.json.encode(part)) for part in (properties, traits, context)]
        record = Record(1, "m", type, 0, 0, "u", name=name, properties=raw[0], traits=raw[1], context=raw[2])
    except (UnicodeEncodeError, OverflowError):
        return  # halves of a pair, or a number that JSON has no room for: nothing that ingest takes
    told = TELLER.tell(record)
    assert told == TELLER.tell(record)
    assert told.direction in DIRECTIONS
    possible = TELLER.rows(type, name).possible
    assert all(getattr(told, key) in values for key, values in possible.items())
    assert (told.channel is None) == (told.origin is None)
    DEVICES.device(context)
    locale(context)


@given(st.binary(max_size=200))
def test_any_bytes_are_parts(raw: bytes) -> None:
    """A record whose parts are no JSON is read as one without them."""
    record = Record(1, "m", "page", 0, 0, "u", properties=msgspec.Raw(raw), context=msgspec.Raw(raw))
    assert TELLER.tell(record).kind is not None


@given(st.one_of(texts, st.sampled_from(["Mozilla/5.0 (", "x" * 100_000])), texts)
def test_any_agent_is_read(agent: str, accepted: str) -> None:
    """Any text is a user agent, a bot or not, and an Accept-Language."""
    assert DEVICES.read(agent) == DEVICES.read(agent)
    assert locale({}, accepted) == locale({"locale": locale({}, accepted)})


@given(st.one_of(texts, st.ip_addresses().map(str)), st.sampled_from(["keep", "truncate", "drop"]))
def test_any_address_is_cut(ip: str, keep: str) -> None:
    """Cut twice is cut once; what is cut is an address of the network."""
    found = cut(ip, keep)
    if found.kept is not None:
        assert cut(found.kept, keep).kept == found.kept
        if keep == "truncate":
            assert found.kept.endswith((".0", "::", ":0"))
    assert keep != "drop" or found.kept is None
    assert set(CUT) == {4, 6}
