"""Histories: their order, and each id once."""

import msgspec
import pytest

from shared.events import Record
from shared.journeys.derive import derive, history
from shared.journeys.touchpoint import Touchpoint
from tests.support.journeys import START, journey, touchpoint


def test_order() -> None:
    """By time, then by the bytes of the id; what comes after the end is left out."""
    given = [
        touchpoint(at, id) for at, id in [(2, "a"), (1, "é"), (1, "z"), (1, "\U0001d400"), (1, "\uffff"), (3, "b")]
    ]
    ids = [(one.at, one.id) for one in history(given, 2)]
    assert ids == [(1, "z"), (1, "é"), (1, "\uffff"), (1, "\U0001d400"), (2, "a")]
    assert ids[:4] == sorted(ids[:4], key=lambda key: key[1].encode())


def test_the_first_recorded_stays() -> None:
    """Of one id the first recorded touchpoint stays, then the earliest, even where it lies beyond the end."""
    first = touchpoint(9, "1", recorded=5)
    given = [touchpoint(1, "1", recorded=6), first, touchpoint(10, "1", recorded=5)]
    assert history(given, 100) == [first]
    assert history(given, 8) == []


def test_derive_does_not_mind_the_order() -> None:
    """Touchpoints may come in any order and more than once."""
    ordered = journey(
        "stages: [{stage: a, enter: {touchpoint: {name: A}}}, {stage: b, enter: {touchpoint: {name: B}}}]"
    )
    given = [touchpoint(START + 1, "2", name="B"), touchpoint(START, "1", name="A")]
    moves = derive(ordered, given * 2, START + 2)
    assert [(move.at, move.target) for move in moves] == [(START, 0), (START + 1, 1)]


def test_a_touchpoint_of_a_record() -> None:
    """A record's JSON is parsed when it is first read."""
    record = Record(1, "1", "track", 5, 6, name="A", properties=msgspec.Raw(b'{"p":1}'), traits=msgspec.Raw(b"[1]"))
    made = Touchpoint.of(record)
    assert (made.at, made.id, made.type, made.name, made.recorded) == (5, "1", "track", "A", 6)
    assert Touchpoint.of(record, 7).recorded == 7
    assert (made.properties, made.context) == ({"p": 1}, {})
    assert made.properties is made.properties
    with pytest.raises(msgspec.DecodeError):
        _ = made.traits
